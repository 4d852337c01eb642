// Port: where policy files come from. It hands out bytes; reading them as roles is policy-reload's business.

/** One file of the policies folder; `path` is `<tenant>/<role>.yaml`, with `/` on every system. */
export interface PolicyFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface PolicySource {
  /** Every role file as it is now, in any order. Rejects when the folder cannot be read. A file may be cut after MAX_POLICY_BYTES + 1 bytes. */
  list(): Promise<readonly PolicyFile[]>;
  /**
   * The bytes of another file of the folder, which a role names; undefined when there is none, or a link leads to it. May cut
   * likewise. Precondition: `path` begins with the tenant and holds no `..`.
   */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Calls `onChange` after something may have changed, sometimes for nothing. The returned function ends that. */
  watch(onChange: () => void): () => void;
  /** Whether what it last gave can still be what is in force. Absent: always. */
  isFresh?(): boolean;
}
