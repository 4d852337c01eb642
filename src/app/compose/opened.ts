// What a start has opened so far, and how it all ends: last first, when the server stops and when a later step of the start fails.
import type { Log } from '../../base/ports/log.ts';

/** Whatever is open until it is closed. */
interface Closable {
  close(): void | Promise<void>;
}

/** Owns what was opened. Each step of a start hands over what it opened before the next one begins. */
export class Opened {
  readonly #parts = new AsyncDisposableStack();

  /** From now on `part` ends with the rest, before all that was owned earlier. Gives it back. */
  own<Part extends Closable>(part: Part): Part {
    this.#parts.defer(() => part.close());
    return part;
  }

  /** Closes everything, last first; does nothing the second time. One that fails keeps no other open, and rejects at the end. */
  close(): Promise<void> {
    return this.#parts.disposeAsync();
  }
}

/**
 * Runs the steps of a start; `close` of what it gives ends all that they opened. When one throws, all of it ends at once, and its
 * error is thrown: what cannot be closed then is only logged.
 */
export async function startWhole<Server extends object>(
  log: Log,
  start: (opened: Opened) => Promise<Server>,
): Promise<Server & { close(): Promise<void> }> {
  const opened = new Opened();
  try {
    return { ...(await start(opened)), close: () => opened.close() };
  } catch (cause) {
    await opened
      .close()
      .catch((error: unknown) => log.error({ err: error }, 'not all that was opened could be closed'));
    throw cause;
  }
}
