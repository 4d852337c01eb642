// Owns the connections that read: a few, each with many questions under way.
import { PATIENCE_MS } from '../../base/ports/patience.ts';
import type { Row } from '../rows/row.ts';
import type { Connection, Statement, Value } from './connection.ts';
import type { Connector } from './connector.ts';
import { ConnectionLost } from './errors.ts';

const CONNECTIONS = 2;
/** A question that was lost with its connection is asked once more when there is still so much time. */
const ENOUGH_MS = 1000;

interface Slot {
  opening: Promise<Connection> | undefined;
  connection: Connection | undefined;
}

/** Asks on whichever connection is next; opens them when they are needed. */
export class Readers {
  readonly #connector: Connector;
  readonly #slots: Slot[] = [];
  #next = 0;

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** Whether there is a connection now. */
  get isConnected(): boolean {
    return this.#slots.some(({ connection }) => connection?.isUsable === true);
  }

  /** Rejects with ConnectionLost, PostgreSQL's error, or as `Connector.open` does. */
  async read(statement: Statement, values: readonly Value[]): Promise<readonly Row[]> {
    // PostgreSQL's texts cannot hold it, so nothing that has it can be found.
    if (values.some(hasNul)) return [];
    const until = performance.now() + PATIENCE_MS;
    try {
      return await this.#ask(statement, values, until);
    } catch (cause) {
      if (!(cause instanceof ConnectionLost) || until - performance.now() < ENOUGH_MS) throw cause;
      return this.#ask(statement, values, until);
    }
  }

  async #ask(statement: Statement, values: readonly Value[], until: number): Promise<readonly Row[]> {
    const connection = await this.#usable();
    const timer = connection.expireIn(Math.max(0, until - performance.now()));
    try {
      return (await connection.query(statement, values)).rows;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Those that find it missing at once share the new one. */
  #usable(): Promise<Connection> {
    const place = this.#next;
    this.#next = (this.#next + 1) % CONNECTIONS;
    const slot = this.#slots[place] ?? { opening: undefined, connection: undefined };
    this.#slots[place] = slot;
    if (slot.connection?.isUsable === true) return Promise.resolve(slot.connection);
    slot.opening ??= this.#connector
      .open()
      .then((connection) => {
        slot.connection = connection;
        return connection;
      })
      .finally(() => {
        slot.opening = undefined;
      });
    return slot.opening;
  }

  /** The connections that there are are given up; the next question opens new ones. */
  drop(): void {
    for (const { connection } of this.#slots.splice(0)) connection?.destroy();
  }

  async close(): Promise<void> {
    const slots = this.#slots.splice(0);
    await Promise.all(
      slots.map(async ({ connection, opening }) => (connection ?? (await opening?.catch(ignore)))?.end()),
    );
  }
}

const ignore = (): undefined => undefined;

const hasNul = (value: Value): boolean =>
  typeof value === 'string' ? value.includes('\0') : Array.isArray(value) && value.some(hasNul);
