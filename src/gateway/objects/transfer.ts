// How a body gets into a socket: one chunk after the other, and no further when either side closes. It reads no store.
import type { Readable, Writable } from 'node:stream';

/** Resolves when `target` let go of the chunk. */
export const write = (target: Writable, chunk: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    target.write(chunk, (error) => (error ? reject(error) : resolve()));
  });

/**
 * Runs `pump`, which moves `body` into `target`, and settles as it does, or rejects when either side closes before: neither
 * calls back for what it will never do. Afterwards `body` is destroyed; `target` is left as it is.
 */
export function transfer(body: Readable, target: Writable, pump: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      target.off('close', onTargetClose);
      body.off('close', onBodyClose);
      body.destroy();
      end();
    };
    const onTargetClose = (): void => settle(() => reject(new Error('the receiver closed')));
    const onBodyClose = (): void => {
      // A stream that was read to its end closes too, while its last chunk is still on its way.
      if (!body.readableEnded) settle(() => reject(body.errored ?? new Error('the transfer was broken off')));
    };
    target.once('close', onTargetClose);
    body.once('close', onBodyClose);
    pump().then(
      () => settle(resolve),
      (cause: unknown) => settle(() => reject(cause)),
    );
  });
}

/** Sends a stream as it comes. */
export const sendStream = (body: Readable, target: Writable): Promise<void> =>
  transfer(body, target, async () => {
    for await (const chunk of body) await write(target, chunk);
  });
