// Owns the connection that hears of others' changes. What it tells is a hint: whoever relies on it asks the database as well.
import { randomInt } from 'node:crypto';
import { PATIENCE_MS } from '../../base/ports/patience.ts';
import { type Connection, statement } from './connection.ts';
import type { Connector } from './connector.ts';

/** After a loss it listens again this much later, and as much again by chance. */
const PAUSE_MS = 250;
/** A line that died silently is noticed this much later. */
const PROBE_EVERY_MS = 5000;
const PROBE = statement('SELECT 1');

/** Tells of announcements in one schema, from the first listener on. */
export class Watcher {
  readonly #connector: Connector;
  readonly #listeners = new Set<() => void>();
  #connection: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isClosed = false;

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** Calls back after every announcement, and when some may have been missed. The function returned ends that. */
  watch(onChange: () => void): () => void {
    this.#listeners.add(onChange);
    if (!(this.#isStarted || this.#isClosed)) {
      this.#isStarted = true;
      void this.#listen();
    }
    return () => this.#listeners.delete(onChange);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  async #listen(): Promise<void> {
    try {
      const connection = await this.#connector.open();
      this.#connection = connection;
      connection.listen(
        () => this.#tell(),
        () => this.#again(),
      );
      await connection.script(`LISTEN ${this.#connector.scope}`);
      if (this.#isClosed) connection.destroy();
      else this.#probe(connection);
      this.#tell();
    } catch {
      this.#connection?.destroy();
      this.#again();
    }
  }

  #probe(connection: Connection): void {
    this.#timer = setTimeout(async () => {
      const patience = connection.expireIn(PATIENCE_MS);
      await connection.query(PROBE).catch(() => {});
      clearTimeout(patience);
      if (connection.isUsable) this.#probe(connection);
    }, PROBE_EVERY_MS).unref();
  }

  #again(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#listen(), PAUSE_MS + randomInt(PAUSE_MS)).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
    this.#connection?.destroy();
  }
}
