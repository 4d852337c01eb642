// What an object store means, as plainly as can be: a map from keys to bytes. The oracle of the model test.
import { md5, multipartEtag } from './object-content.ts';

export interface NaiveObject {
  readonly data: Buffer;
  readonly etag: string;
  readonly contentType: string;
}

interface NaiveUpload {
  readonly key: string;
  readonly contentType: string;
  readonly parts: Map<number, Buffer>;
}

export interface NaiveListing {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  readonly isTruncated: boolean;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const isAfter = (a: string, b: string): boolean => byBytes(a, b) > 0;

/** One bucket. Answers are the port's problems, or 'ok'. */
export class NaiveObjectStore {
  readonly objects = new Map<string, NaiveObject>();
  readonly uploads = new Map<number, NaiveUpload>();
  readonly #minPartBytes: number;

  constructor(minPartBytes: number) {
    this.#minPartBytes = minPartBytes;
  }

  put(key: string, data: Buffer, o: { contentType: string; ifNoneMatch: boolean; ifMatch: string | null }): string {
    const current = this.objects.get(key);
    if (o.ifMatch !== null && current === undefined) return 'key_unknown';
    if (o.ifMatch !== null && current?.etag !== o.ifMatch) return 'precondition_failed';
    if (o.ifNoneMatch && current !== undefined) return 'precondition_failed';
    this.objects.set(key, { data, etag: md5(data), contentType: o.contentType });
    return 'ok';
  }

  copy(from: string, to: string, contentType: string | null): string {
    const source = this.objects.get(from);
    if (source === undefined) return 'key_unknown';
    this.objects.set(to, { ...source, contentType: contentType ?? source.contentType });
    return 'ok';
  }

  /** Every entry in order, then those after `after`, then the first of them. */
  list(o: { prefix: string; delimiter: string | null; after: string; limit: number }): NaiveListing {
    const entries = new Map<string, 'key' | 'prefix'>();
    for (const key of this.objects.keys()) {
      if (!key.startsWith(o.prefix)) continue;
      const at = o.delimiter === null ? -1 : key.indexOf(o.delimiter, o.prefix.length);
      if (at === -1) entries.set(`${key}`, 'key');
      else entries.set(`${key.slice(0, at + (o.delimiter ?? '').length)}`, 'prefix');
    }
    const all = [...entries]
      .filter(([name]) => o.after === '' || isAfter(name, o.after))
      .sort(([a], [b]) => byBytes(a, b));
    const told = all.slice(0, o.limit);
    const of = (kind: string) => told.filter((entry) => entry[1] === kind).map(([name]) => name);
    return { keys: of('key'), prefixes: of('prefix'), isTruncated: o.limit > 0 && all.length > o.limit };
  }

  complete(id: number, parts: readonly number[]): string {
    const upload = this.uploads.get(id);
    if (upload === undefined) return 'upload_unknown';
    const named = parts.map((part) => upload.parts.get(part));
    if (named.length === 0) return 'part_invalid';
    for (const [index, data] of named.entries()) {
      const before = named[index - 1];
      if (before !== undefined && before.length < this.#minPartBytes) return 'part_too_small';
      if (data === undefined) return 'part_invalid';
    }
    const data = named.filter((part) => part !== undefined);
    this.uploads.delete(id);
    this.objects.set(upload.key, {
      data: Buffer.concat(data),
      etag: multipartEtag(data),
      contentType: upload.contentType,
    });
    return 'ok';
  }
}
