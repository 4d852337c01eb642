// A body on its way to an upstream that is promised a length: it gets all of a good one, and never all of a bad one.
import { err, ok, type Result } from '../../../base/core/result.ts';
import { objectFailure } from '../failure.ts';
import type { Content, ObjectFailure } from '../store.ts';

/** A body of unannounced length is measured before it is sent, up to this: S3 wants the length first. */
const MAX_UNANNOUNCED_BYTES = 8 * 1024 * 1024;

export interface OutgoingBody {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly length: number;
}

/** The content with its length. Failures: payload_refused, aborted; too_large for a long body of unannounced length. */
export async function outgoingBody(
  content: Content,
  signal: AbortSignal,
): Promise<Result<OutgoingBody, ObjectFailure>> {
  if (content.size !== null) return ok({ bytes: heldBack(content.body, content.size), length: content.size });
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of untilAborted(content.body, signal)) {
      length += piece.length;
      if (length > MAX_UNANNOUNCED_BYTES) {
        return objectFailure('too_large', `more than ${MAX_UNANNOUNCED_BYTES} bytes of unannounced length`);
      }
      pieces.push(piece);
    }
  } catch (cause) {
    return signal.aborted ? ABORTED : objectFailure('payload_refused', 'the body broke off', { cause });
  }
  return ok({ bytes: piecesOf(pieces), length });
}

const ABORTED = err<ObjectFailure>({ problem: 'aborted', detail: 'the caller ended the transfer' });

export async function* piecesOf(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/**
 * The same bytes, the last piece only once `body` has ended without an error and with `length` bytes. Throws otherwise; whoever
 * sends the pieces under that length and breaks off on an error has sent less than announced, which no server takes for whole.
 */
export async function* heldBack(body: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  let size = 0;
  for await (const piece of body) {
    if (piece.length === 0) continue;
    size += piece.length;
    if (size > length) throw new Error(`the body is longer than the ${length} bytes that were announced`);
    if (held !== undefined) yield held;
    held = piece;
  }
  if (size !== length) throw new Error(`the body has ${size} bytes, ${length} were announced`);
  if (held !== undefined) yield held;
}

/** Ends with a throw when the signal does, also in the middle of a wait for a body that hangs. */
export async function* untilAborted(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  let isDone = false;
  try {
    for (;;) {
      const next = await nextPiece(iterator, signal);
      if (next.done === true) break;
      yield next.value;
    }
    isDone = true;
  } finally {
    // Without waiting: a body that hangs would never let go.
    if (!isDone) iterator.return?.().catch(() => {});
  }
}

function nextPiece(iterator: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<IteratorResult<Uint8Array>> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error('aborted'));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}
