// The body of a request as a stream that is not touched before somebody wants it. It verifies nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';

/** A body, and who may end its reading. */
export interface BodySource {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Once aborted, reading throws its reason, also in the middle of a wait. */
  readonly signal: AbortSignal;
}

/**
 * The bytes of the body in order. `100 Continue` goes out when the first of them is asked for, so a caller that waits for it
 * sends nothing before the decision. Ends only with the message's own end: a connection that closed early throws. Whoever
 * stops early leaves the rest unread and the connection open, so that an answer can still be written.
 */
export async function* readRequestBody({ req, res, signal }: BodySource): AsyncGenerator<Uint8Array> {
  if (req.headers.expect !== undefined && !res.headersSent) res.writeContinue();
  const changes = new Changes(req, signal);
  try {
    for (;;) {
      signal.throwIfAborted();
      const chunk: Uint8Array | null = req.read();
      if (chunk !== null) yield chunk;
      else if (changes.isTakenOff) throw new Error('the rest of the body was given up');
      else if (req.readableEnded) return;
      else if (req.destroyed) throw new Error('the caller closed the connection before the end of the body');
      else await changes.next();
    }
  } finally {
    changes.close();
  }
}

const EVENTS = ['readable', 'end', 'close', 'error'] as const;

/** Tells that a stream may have something new to say. Remembers a change that nobody waited for. */
class Changes {
  readonly #stream: Readable;
  readonly #signal: AbortSignal;
  #changed = false;
  #wake: (() => void) | undefined;
  readonly #onChange = (): void => {
    this.#changed = true;
    this.#wake?.();
  };

  constructor(stream: Readable, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    for (const event of EVENTS) stream.on(event, this.#onChange);
    signal.addEventListener('abort', this.#onChange);
  }

  /** Somebody took the stream from this reader: what it did not hear of was read by another. */
  get isTakenOff(): boolean {
    return !this.#stream.listeners('readable').includes(this.#onChange);
  }

  async next(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#changed = false;
  }

  close(): void {
    for (const event of EVENTS) this.#stream.off(event, this.#onChange);
    this.#signal.removeEventListener('abort', this.#onChange);
  }
}
