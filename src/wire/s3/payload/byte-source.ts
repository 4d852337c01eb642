// Lines and runs of bytes out of a stream whose cuts mean nothing. It keeps no more than the piece that arrived last and one line.

const LINE_FEED = 0x0a;
const EMPTY = new Uint8Array(0);

/** Reads one stream to its end, or until `close`. */
export class ByteSource {
  readonly #iterator: AsyncIterator<Uint8Array>;
  /** What arrived and was not read. */
  #rest: Uint8Array = EMPTY;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** At least one byte and at most `maxBytes`, without copying; undefined at the end. */
  async some(maxBytes: number): Promise<Uint8Array | undefined> {
    if (!(await this.#fill())) return undefined;
    const taken = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  /**
   * A line without its CR LF, a character for each byte. `malformed`: no line feed within `maxBytes` bytes, or one without a
   * carriage return, or a carriage return elsewhere. `end`: the stream ended in it.
   */
  async line(maxBytes: number): Promise<{ readonly text: string } | 'malformed' | 'end'> {
    let text = '';
    for (;;) {
      if (!(await this.#fill())) return 'end';
      const window = this.#rest.subarray(0, maxBytes + 2 - text.length);
      const found = window.indexOf(LINE_FEED);
      const taken = found === -1 ? window : window.subarray(0, found + 1);
      text += Buffer.from(taken.buffer, taken.byteOffset, taken.length).toString('latin1');
      this.#rest = this.#rest.subarray(taken.length);
      if (found !== -1) return /^[^\r]*\r\n$/.test(text) ? { text: text.slice(0, -2) } : 'malformed';
      if (text.length >= maxBytes + 2) return 'malformed';
    }
  }

  /** Lets the stream go. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  /** False at the end. */
  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#iterator.next();
      if (next.done) return false;
      this.#rest = next.value;
    }
    return true;
  }
}
