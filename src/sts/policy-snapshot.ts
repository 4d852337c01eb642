// A policies folder as one content-addressed set of good files: what replicas share, and how it comes out of the store again.
import { hash } from 'node:crypto';
import type { Problem } from '../base/document/problem.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Ceiling } from '../policy/role.ts';
import { type Entries, isExpired, markBroken, readEntries } from './policy-entries.ts';
import type { PolicyFile, PolicySource } from './policy-source.ts';

/** A document that a role names may lie where a role could: in a set, the two have different names. */
const DOCUMENT = 'document:';

/** A set as it is shared. */
export interface PolicySnapshot {
  /** SHA-256 over paths and digests, hex. */
  readonly id: string;
  readonly files: readonly PolicyFile[];
}

const digestOf = (bytes: Uint8Array): string => hash('sha256', bytes);

/** What a source of policies gives, from the files of a set. */
export function filesOf(files: readonly PolicyFile[]): Pick<PolicySource, 'list' | 'read'> {
  const isDocument = ({ path }: PolicyFile): boolean => path.startsWith(DOCUMENT);
  const roles = files.filter((file) => !isDocument(file));
  const documents = new Map(files.filter(isDocument).map(({ bytes, path }) => [path.slice(DOCUMENT.length), bytes]));
  return { list: async () => roles, read: async (path) => documents.get(path) };
}

/** Reads a folder again and again; of each file it keeps the last good version, by the rules of policy-entries. */
export class FolderReader {
  readonly #folder: Pick<PolicySource, 'list' | 'read'>;
  readonly #options: { readonly ceilings: ReadonlyMap<string, Ceiling>; readonly clock: Clock };
  #entries: Entries = new Map();
  /** Of the versions that the entries were made of, by digest. */
  #blobs = new Map<string, Uint8Array>();

  constructor(
    folder: Pick<PolicySource, 'list' | 'read'>,
    options: { readonly ceilings: ReadonlyMap<string, Ceiling>; readonly clock: Clock },
  ) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Takes the files of a set for the last good versions. */
  async seed(files: readonly PolicyFile[]): Promise<void> {
    await this.#readFrom(filesOf(files));
  }

  /** Reads the folder. The problems are those of files that are broken now. Rejects when the folder cannot be read. */
  read(): Promise<readonly Problem[]> {
    return this.#readFrom(this.#folder);
  }

  /** The folder cannot be read: every file counts as broken from now on. */
  lose(): void {
    const now = this.#options.clock.monotonicMs();
    this.#entries = new Map([...this.#entries].map(([path, entry]) => [path, markBroken(entry, now)]));
  }

  /** The last good versions, but for files that stayed broken for too long. */
  snapshot(): PolicySnapshot {
    const now = this.#options.clock.monotonicMs();
    const kept = [...this.#entries].filter(([, entry]) => !isExpired(entry, now));
    const files = new Map<string, Uint8Array>();
    for (const [path, { source }] of kept) {
      files.set(path, this.#blob(source.digest));
      for (const [document, digest] of source.documents) files.set(`${DOCUMENT}${document}`, this.#blob(digest));
    }
    const sorted = [...files].map(([path, bytes]) => ({ path, bytes })).sort((a, b) => (a.path < b.path ? -1 : 1));
    const lines = sorted.map(({ bytes, path }) => JSON.stringify([path, digestOf(bytes)]));
    return { id: hash('sha256', lines.join('\n')), files: sorted };
  }

  #blob(digest: string): Uint8Array {
    const bytes = this.#blobs.get(digest);
    if (bytes === undefined) throw new TypeError('a role was made of bytes that were not kept');
    return bytes;
  }

  async #readFrom(from: Pick<PolicySource, 'list' | 'read'>): Promise<readonly Problem[]> {
    const seen = new Map(this.#blobs);
    const keep = (bytes: Uint8Array): void => void seen.set(digestOf(bytes), bytes);
    const read = async (path: string): Promise<Uint8Array | undefined> => {
      const bytes = await from.read(path);
      if (bytes !== undefined) keep(bytes);
      return bytes;
    };
    const files = await from.list();
    for (const { bytes } of files) keep(bytes);
    const source: PolicySource = { list: from.list, read, watch: () => () => undefined };
    const { entries, problems } = await readEntries(files, { ...this.#options, source, inForce: this.#entries });
    this.#entries = entries;
    const used = [...entries.values()].flatMap((entry) => [
      entry.source.digest,
      ...entry.source.documents.map(([, digest]) => digest),
    ]);
    this.#blobs = new Map(
      used.flatMap((digest) => (seen.has(digest) ? [[digest, seen.get(digest) ?? new Uint8Array()]] : [])),
    );
    return problems;
  }
}
