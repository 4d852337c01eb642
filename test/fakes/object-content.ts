// Bodies for object stores: whole, in pieces, broken, hanging.
import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import type { Checksums } from '../../src/base/checksum/checksum.ts';
import type { Content } from '../../src/gateway/objects/store.ts';

/** Of a call that nobody ends. */
export const LASTING = { signal: new AbortController().signal };

export const md5 = (data: Uint8Array | string): string => createHash('md5').update(data).digest('hex');

/** The ETag of an object made of these parts. */
export function multipartEtag(parts: readonly Uint8Array[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(md5(part), 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

/** Bytes that differ from place to place, so that a shifted copy is noticed. */
export function patterned(length: number, seed = 0): Buffer {
  const data = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1) data[at] = (at * 31 + (at >> 8) * 7 + seed) & 0xff;
  return data;
}

async function* inPieces(data: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += pieceBytes) yield data.subarray(at, at + pieceBytes);
}

/** A body of known length. */
export const contentOf = (data: Uint8Array | string, checksums: Checksums = {}): Content => {
  const bytes = Buffer.from(data);
  return { body: inPieces(bytes, 64 * 1024), size: bytes.length, checksums: () => checksums };
};

/** A body whose length nobody announced. */
export const unannounced = (data: Uint8Array | string, pieceBytes = 64 * 1024): Content => ({
  body: inPieces(Buffer.from(data), pieceBytes),
  size: null,
  checksums: () => ({}),
});

/** A body that throws `cause` after `before`. */
export function brokenAfter(before: Uint8Array | string, cause: Error): Content {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(before);
    throw cause;
  }
  return { body: body(), size: null, checksums: () => ({}) };
}

/** A body that yields `before` and then waits for `release`, which never comes if nobody calls it. */
export function hangingAfter(before: Uint8Array | string): { readonly content: Content; release(rest: string): void } {
  const { promise, resolve } = Promise.withResolvers<string>();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(before);
    yield Buffer.from(await promise);
  }
  return { content: { body: body(), size: null, checksums: () => ({}) }, release: resolve };
}

/** All bytes of a stream. */
export async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A stream that keeps a copy of what it is sent, and lets go of the original late. */
export function collector(): Writable & { readonly chunks: Buffer[] } {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      setImmediate(() => {
        chunks.push(Buffer.from(chunk));
        done();
      });
    },
  });
  return Object.assign(sink, { chunks });
}
