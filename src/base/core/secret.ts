// A value that must never be printed. `reveal` is the only way out, so a search for it finds every use.
import { inspect } from 'node:util';

const PLACEHOLDER = '[secret]';

/** Holds a secret; string conversion, JSON and inspection give a placeholder. */
export class Secret<T extends string | Uint8Array = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The secret itself. Precondition: the caller sends it where it belongs and stores it nowhere. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return PLACEHOLDER;
  }

  toJSON(): string {
    return PLACEHOLDER;
  }

  [inspect.custom](): string {
    return PLACEHOLDER;
  }
}
