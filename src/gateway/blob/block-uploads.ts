// Which upload of the store the blocks of a blob go to. Azure has no call that begins one: the first block does. It is kept in
// memory: after a restart, and at another replica, blocks that are not committed are not there, and clients begin anew.
import type { Result } from '../../base/core/result.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { Log } from '../../base/ports/log.ts';
import { objectFailure } from '../objects/failure.ts';
import type {
  ObjectAttributes,
  ObjectFailure,
  ObjectInfo,
  ObjectRef,
  ObjectStore,
  UploadRef,
} from '../objects/store.ts';

/** Blocks that nobody added to for so long are dropped; Azure keeps them for a week. */
const IDLE_MS = 3_600_000;
/** Uploads of one owner at once: far more than a job needs. */
export const MAX_OF_OWNER = 256;
/** And of one role: without a job each session is an owner of its own, and whoever may have one may have any number. */
export const MAX_OF_ROLE = 3072;
/** Uploads altogether; an entry is some 2 KiB at most. */
const MAX_UPLOADS = 4096;
/** Commits that are remembered, for clients that ask again because the answer got lost. */
const MAX_COMMITS = 1024;

/** What blobs are stored with when nothing else was said. */
export const DEFAULT_ATTRIBUTES: ObjectAttributes = { contentType: 'application/octet-stream', metadata: {} };

/** Whose blocks, of which blob, under which ids: everything that differs makes another upload. */
export interface BlockPlace {
  readonly owner: string;
  /** `tenant/name`; part of the owner. */
  readonly role: string;
  readonly object: ObjectRef;
  /** What the ids of the upload have in common. */
  readonly upload: string;
}

interface Entry extends Pick<BlockPlace, 'owner' | 'role'> {
  /** Single flight: several blocks come at once. */
  readonly opened: Promise<Result<UploadRef, ObjectFailure>>;
  /** Once it is open. */
  uploadId: string | null;
  usedAtMs: number;
}

/** What a commit made of a list of blocks. */
export interface Commit {
  readonly numbers: string;
  readonly etag: string;
}

export interface BlockUploadsOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** The uploads that are open at this moment. */
export class BlockUploads {
  readonly #o: BlockUploadsOptions;
  /** By place, the longest unused first. */
  readonly #open = new Map<string, Entry>();
  readonly #commits = new Map<string, Commit>();

  constructor(options: BlockUploadsOptions) {
    this.#o = options;
  }

  /** The upload for a block, begun when there is none. `storage_unavailable`: too many are open. */
  async open(place: BlockPlace): Promise<Result<UploadRef, ObjectFailure>> {
    this.#dropIdle();
    const key = keyOf(place);
    this.#commits.delete(key);
    const known = this.#touch(key);
    if (known !== undefined) return known.opened;
    if (!this.#hasRoomFor(place)) return objectFailure('storage_unavailable', 'too many uploads in blocks are open');
    const { owner, role } = place;
    const opened = this.#create(place);
    const entry: Entry = { owner, role, opened, uploadId: null, usedAtMs: this.#o.clock.monotonicMs() };
    this.#open.set(key, entry);
    try {
      const result = await opened;
      if (result.ok) entry.uploadId = result.value.uploadId;
      return result;
    } finally {
      if (entry.uploadId === null) this.#forget(key, entry);
    }
  }

  /** The upload to commit; undefined: there is none. */
  async find(place: BlockPlace): Promise<UploadRef | undefined> {
    const found = await this.#touch(keyOf(place))?.opened;
    return found?.ok ? found.value : undefined;
  }

  /** `upload` is over, because it was committed, or because the store no longer knows it (null). One that came after it goes on. */
  ended(place: BlockPlace, { uploadId }: UploadRef, commit: Commit | null): void {
    const key = keyOf(place);
    if (this.#open.get(key)?.uploadId === uploadId) this.#open.delete(key);
    if (commit === null) return;
    this.#commits.set(key, commit);
    const [oldest] = this.#commits.keys();
    if (this.#commits.size > MAX_COMMITS && oldest !== undefined) this.#commits.delete(oldest);
  }

  /** What the blocks were committed to, if no block came after that. */
  committed(place: BlockPlace): Commit | undefined {
    return this.#commits.get(keyOf(place));
  }

  async #create({ object }: BlockPlace): Promise<Result<UploadRef, ObjectFailure>> {
    const options = { attributes: DEFAULT_ATTRIBUTES, checksumAlgorithm: null };
    const created = await this.#o.store.createUpload(object, options);
    return created.ok ? { ok: true, value: { ...object, uploadId: created.value.uploadId } } : created;
  }

  /** Not a later upload of the same place. */
  #forget(key: string, entry: Entry): void {
    if (this.#open.get(key) === entry) this.#open.delete(key);
  }

  #touch(key: string): Entry | undefined {
    const entry = this.#open.get(key);
    if (entry === undefined) return undefined;
    entry.usedAtMs = this.#o.clock.monotonicMs();
    this.#open.delete(key);
    this.#open.set(key, entry);
    return entry;
  }

  #hasRoomFor({ owner, role }: BlockPlace): boolean {
    let ofOwner = 0;
    let ofRole = 0;
    for (const entry of this.#open.values()) {
      if (entry.owner === owner) ofOwner += 1;
      if (entry.role === role) ofRole += 1;
    }
    return this.#open.size < MAX_UPLOADS && ofOwner < MAX_OF_OWNER && ofRole < MAX_OF_ROLE;
  }

  #dropIdle(): void {
    const before = this.#o.clock.monotonicMs() - IDLE_MS;
    for (const [key, entry] of this.#open) {
      if (entry.usedAtMs > before) return;
      this.#open.delete(key);
      void this.#abort(entry);
    }
  }

  /** What cannot be aborted now, the store drops by itself some day. */
  async #abort({ opened }: Entry): Promise<void> {
    try {
      const upload = await opened;
      if (upload.ok) await this.#o.store.abortUpload(upload.value);
    } catch (cause) {
      this.#o.log.warn({ cause: String(cause) }, 'abandoned blocks could not be dropped');
    }
  }
}

const keyOf = ({ owner, object, upload }: BlockPlace): string =>
  JSON.stringify([owner, object.bucket, object.key, upload]);

/** What a commit of these blocks made, for `ended`. */
export const commitOf = (numbers: readonly number[], { etag }: Pick<ObjectInfo, 'etag'>): Commit => ({
  numbers: numbers.join(),
  etag,
});
