// Owns the walk over the keys of a bucket. Its cost follows the entries told, not the keys under a common prefix.
import { type Listing, type ListOptions, MAX_LIST_ENTRIES, type ObjectInfo } from '../store.ts';
import { decodeInfo, keyBytes, type ObjectTable } from './object-table.ts';
import { key, type Row } from './row.ts';

/** Greater than every key: UTF-8 has no such byte. */
const END = Uint8Array.of(0xff);

/** The first byte string that is greater than all that begin with `prefix`. Its last byte is below 0xff, as all of UTF-8. */
function afterAllOf(prefix: Buffer): Buffer {
  const next = Buffer.from(prefix);
  const last = next.length - 1;
  next[last] = (next[last] ?? 0) + 1;
  return next;
}

/** The first byte string that is greater than `name`. */
const justAfter = (name: Buffer): Buffer => Buffer.concat([name, Uint8Array.of(0)]);

const later = (a: Buffer, b: Buffer): Buffer => (Buffer.compare(a, b) >= 0 ? a : b);

/** What the walk asks of the table. */
export type KeyRows = Pick<ObjectTable, 'rows'>;

/** A walk through one bucket, entry by entry. */
class Walk {
  readonly objects: ObjectInfo[] = [];
  readonly prefixes: string[] = [];
  isTruncated = false;
  last: string | null = null;
  readonly #table: KeyRows;
  readonly #bucket: string;
  readonly #prefix: Buffer;
  readonly #delimiter: Buffer | null;
  readonly #before: Uint8Array;
  readonly #limit: number;

  constructor(table: KeyRows, bucket: string, o: ListOptions) {
    this.#table = table;
    this.#bucket = bucket;
    this.#prefix = keyBytes(o.prefix);
    this.#delimiter = o.delimiter === null ? null : keyBytes(o.delimiter);
    this.#before = o.prefix === '' ? END : afterAllOf(this.#prefix);
    this.#limit = Math.min(o.limit, MAX_LIST_ENTRIES);
  }

  /** The common prefix that `name` falls under, or null. */
  #commonPrefix(name: Buffer): Buffer | null {
    if (this.#delimiter === null) return null;
    const at = name.indexOf(this.#delimiter, this.#prefix.length);
    return at === -1 ? null : name.subarray(0, at + this.#delimiter.length);
  }

  /** Where the entries after `after` begin. */
  start(after: Buffer): Buffer {
    if (after.length === 0) return this.#prefix;
    const isInside = after.subarray(0, this.#prefix.length).equals(this.#prefix);
    const told = isInside ? this.#commonPrefix(after) : null;
    return later(this.#prefix, told === null ? justAfter(after) : afterAllOf(told));
  }

  run(from: Buffer): void {
    if (this.#limit <= 0) return;
    let next: Buffer | null = from;
    while (next !== null) next = this.#runFrom(next);
  }

  /** Tells entries until the end (null), or until a common prefix: goes on behind it by a new seek. */
  #runFrom(from: Buffer): Buffer | null {
    for (const row of this.#table.rows(this.#bucket, from, this.#before)) {
      if (this.objects.length + this.prefixes.length === this.#limit) {
        this.isTruncated = true;
        return null;
      }
      const common = this.#commonPrefix(key(row, 'key'));
      if (common !== null) {
        this.last = common.toString('utf8');
        this.prefixes.push(this.last);
        return afterAllOf(common);
      }
      this.#tell(row);
    }
    return null;
  }

  #tell(row: Row): void {
    const info = decodeInfo(row);
    this.last = info.key;
    this.objects.push(info);
  }
}

/** Precondition: the delimiter is not empty. Runs inside IndexFile.read. */
export function listObjects(table: KeyRows, bucket: string, o: ListOptions): Listing {
  const walk = new Walk(table, bucket, o);
  walk.run(walk.start(keyBytes(o.after)));
  const { objects, prefixes, isTruncated } = walk;
  return { objects, prefixes, isTruncated, next: isTruncated ? walk.last : null };
}
