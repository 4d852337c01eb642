// Moves bytes from a source into a socket through two buffers that are used again and again.
import type { Writable } from 'node:stream';
import { write } from '../transfer.ts';

/** The buffers: while one is being written, the other is filled. */
const BUFFERS = 2;

/** Fills (a part of) a buffer and gives that part back; null: there is no more. */
type Fill = (buffer: Buffer) => Promise<Uint8Array | null>;

/**
 * Resolves when `target` took the last byte. Fresh buffers would cost half as much time again, and 64 MiB of garbage before
 * the engine collects any. Precondition: `target` lets go of a chunk when its write calls back.
 */
export async function send(fill: Fill, target: Writable, bufferBytes: number): Promise<void> {
  const slots = Array.from({ length: BUFFERS }, () => ({
    buffer: Buffer.allocUnsafeSlow(bufferBytes),
    written: Promise.resolve(),
  }));
  for (let turn = 0; ; turn += 1) {
    const slot = slots[turn % BUFFERS];
    if (slot === undefined) return;
    await slot.written;
    const chunk = await fill(slot.buffer);
    if (chunk === null) break;
    slot.written = write(target, chunk);
    // Its failure is heard when its turn comes.
    slot.written.catch(() => {});
  }
  for (const { written } of slots) await written;
}
