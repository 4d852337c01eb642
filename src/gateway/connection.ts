// How connections end when a request does not go its whole way. It decides nothing and answers nothing.
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What is read of a refused body so that the caller gets to see the refusal before its connection breaks. */
const MAX_DRAINED_BYTES = 256 * 1024;
const MAX_DRAIN_MS = 2000;

/**
 * Breaks a connection so that its peer cannot take what it got for the whole: a reset where the transport has one. An
 * HTTP/1.0 answer without a length would otherwise end like a complete one, and the system would still deliver the last
 * of an upload that it holds.
 */
export function cut(socket: Socket): void {
  if (socket instanceof TLSSocket || !(socket instanceof Socket)) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * Reads and forgets a little of a body that nobody wants, then breaks the connection. To be called before the refusal is
 * written: once an answer is finished, Node itself reads what nobody has begun to read, and without a bound.
 */
export function drain(req: IncomingMessage): void {
  if (req.complete || req.destroyed) return;
  const { socket } = req;
  let left = MAX_DRAINED_BYTES;
  const timer = setTimeout(() => {
    if (!req.complete) socket.destroy();
  }, MAX_DRAIN_MS);
  timer.unref();
  // Whoever stopped in its middle may still listen for more, and Node lets nothing flow past such a listener.
  req.removeAllListeners('readable');
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  req.once('end', () => clearTimeout(timer));
  req.resume();
}
