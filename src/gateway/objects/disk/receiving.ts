// Takes a body in on behalf of a bucket: under its quota, and ended by its caller or by the store's end.
import type { Result } from '../../../base/core/result.ts';
import { objectFailure } from '../failure.ts';
import type { Content, ObjectFailure } from '../store.ts';
import { BlobWriter } from './blob-writer.ts';
import { type DiskContext, quotaExceeded } from './context.ts';
import { type Received, receive } from './receive.ts';

type Outcome<T> = Promise<Result<T, ObjectFailure>>;

/** `replacedBytes` is what the body will take the place of. Its room is held until `use` has made it part of the store. */
export async function receiving<T>(
  c: DiskContext,
  o: {
    readonly bucket: string;
    readonly replacedBytes: number;
    readonly content: Content;
    readonly signal: AbortSignal;
  },
  use: (received: Received) => Outcome<T>,
): Outcome<T> {
  const { maxPutBytes: maxBytes } = c.limits;
  const reservation = c.quotas.reserve(o.bucket, o.replacedBytes);
  try {
    const announced = o.content.size ?? 0;
    if (announced > maxBytes) return objectFailure('too_large', `${announced} bytes in one piece`);
    if (!reservation.growTo(announced)) return quotaExceeded(o.bucket);
    return await c.tasks.transfer(o.signal, async (signal) => {
      const { content } = o;
      const hasRoomFor = (bytes: number) => reservation.growTo(bytes);
      const received = await receive(new BlobWriter(c.blobs, c.files), { content, maxBytes, hasRoomFor, signal });
      return received.ok ? await use(received.value) : received;
    });
  } finally {
    reservation.release();
  }
}
