// Takes a body in: hashes, counts and refuses it on the way, and leaves either a durable blob or nothing.
import { createHash } from 'node:crypto';
import type { Checksums } from '../../../base/checksum/checksum.ts';
import { ok, type Result } from '../../../base/core/result.ts';
import { objectFailure } from '../failure.ts';
import type { Content, ObjectFailure } from '../store.ts';
import type { BlobWriter } from './blob-writer.ts';

/** A body that arrived whole. */
export interface Received {
  /** null: it had no bytes. */
  readonly blob: string | null;
  readonly size: number;
  /** In hex. */
  readonly md5: string;
  readonly checksums: Checksums;
}

export interface ReceiveOptions {
  readonly content: Content;
  readonly maxBytes: number;
  /** Asked with the bytes so far, before they are stored: may there be so many? */
  readonly hasRoomFor: (bytes: number) => boolean;
  readonly signal: AbortSignal;
}

/** Stores a body through `writer`. After a failure, expected or thrown (the disk), nothing of it is left. */
export async function receive(writer: BlobWriter, o: ReceiveOptions): Promise<Result<Received, ObjectFailure>> {
  let isKept = false;
  try {
    const hashed = await takeIn(writer, o);
    if (!hashed.ok) return hashed;
    const blob = await writer.finish();
    if (o.signal.aborted) return aborted();
    isKept = true;
    return ok({ blob, ...hashed.value });
  } finally {
    if (!isKept) await writer.discard();
  }
}

const aborted = () => objectFailure('aborted', 'the caller ended the transfer');

async function takeIn(writer: BlobWriter, o: ReceiveOptions): Promise<Result<Omit<Received, 'blob'>, ObjectFailure>> {
  const hash = createHash('md5');
  const iterator = o.content.body[Symbol.asyncIterator]();
  let size = 0;
  let isDone = false;
  try {
    for (;;) {
      const next = await nextChunk(iterator, o.signal);
      if (!next.ok) return next;
      if (next.value === null) break;
      size += next.value.length;
      const refusal = refusalOf(size, o);
      if (refusal !== undefined) return refusal;
      hash.update(next.value);
      await writer.write(next.value);
    }
    isDone = true;
  } finally {
    if (!isDone) leave(iterator);
  }
  if (o.content.size !== null && size !== o.content.size) {
    return objectFailure('payload_refused', `the body has ${size} bytes, ${o.content.size} were announced`);
  }
  return ok({ size, md5: hash.digest('hex'), checksums: o.content.checksums() });
}

function refusalOf(size: number, o: ReceiveOptions): ReturnType<typeof objectFailure> | undefined {
  if (o.content.size !== null && size > o.content.size) {
    return objectFailure('payload_refused', `the body is longer than the ${o.content.size} bytes that were announced`);
  }
  if (size > o.maxBytes) return objectFailure('too_large', `more than ${o.maxBytes} bytes in one piece`);
  return o.hasRoomFor(size) ? undefined : objectFailure('quota_exceeded', 'the bucket has no room for it');
}

/** The next chunk, or null at the end. Does not outlive the signal, even when the body hangs. */
function nextChunk(
  iterator: AsyncIterator<Uint8Array>,
  signal: AbortSignal,
): Promise<Result<Uint8Array | null, ObjectFailure>> {
  if (signal.aborted) return Promise.resolve(aborted());
  return new Promise((resolve) => {
    const onAbort = () => resolve(aborted());
    // Not Promise.race: a race per chunk with one long promise keeps every chunk's reaction alive.
    signal.addEventListener('abort', onAbort, { once: true });
    const settle = (outcome: Result<Uint8Array | null, ObjectFailure>): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    iterator.next().then(
      (next) => settle(ok(next.done === true ? null : next.value)),
      (cause: unknown) => {
        settle(signal.aborted ? aborted() : objectFailure('payload_refused', 'the body broke off', { cause }));
      },
    );
  });
}

/** Lets go of a body that is not wanted, without waiting for it. */
function leave(iterator: AsyncIterator<Uint8Array>): void {
  iterator.return?.().catch(() => {});
}
