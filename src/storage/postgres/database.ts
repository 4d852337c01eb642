// Owns one open database: the lanes that write, the connections that read, and how long anybody waits. It knows no table.
import { JobpassError } from '../../base/core/errors.ts';
import { beginWait, PATIENCE_MS } from '../../base/ports/patience.ts';
import type { PostgresLocation } from '../location.ts';
import type { Row } from '../rows/row.ts';
import type { Statement, Value } from './connection.ts';
import { Connector, otherHistory } from './connector.ts';
import { failure, isDeadlock, isOneWritesFault } from './errors.ts';
import type { Schema } from './migrate.ts';
import { type PendingWrite, WriteQueue } from './queue.ts';
import { Readers } from './readers.ts';
import { type Write, Writer } from './transaction.ts';
import { Watcher } from './watcher.ts';

/** Transactions that run at once; each has a connection, opened when it is needed, and a chain of records. */
const LANES = 4;

interface Lane {
  writer: Writer | undefined;
  isBusy: boolean;
}

const tooLate = (): JobpassError =>
  new JobpassError('ERR_STORE_UNAVAILABLE', 'the database did not answer in time', {
    hint: 'see whether it is overloaded, or something holds its locks',
  });
const closed = (): JobpassError => new JobpassError('ERR_STORE_UNAVAILABLE', 'the store is closed');

/**
 * An open database. Writes of one turn of the event loop share a transaction, and transactions run in parallel. Made by
 * `openDatabase`, ended by `close`.
 */
export class PostgresDatabase {
  readonly #connector: Connector;
  readonly #readers: Readers;
  readonly #watcher: Watcher;
  readonly #queue = new WriteQueue();
  readonly #lanes: Lane[] = Array.from({ length: LANES }, () => ({ writer: undefined, isBusy: false }));
  #isScheduled = false;
  #isClosed = false;

  /** Precondition: `connector` is prepared. */
  constructor(connector: Connector) {
    this.#connector = connector;
    this.#readers = new Readers(connector);
    this.#watcher = new Watcher(connector);
  }

  /**
   * The rows of what is committed. Rejects with ERR_STORE_UNAVAILABLE, at the latest when the patience of the request is at its end
   * (see `withOnePatience`), with ERR_STORE_CORRUPT, or with ERR_STORE_HISTORY.
   */
  async read(statement: Statement, values: readonly Value[] = []): Promise<readonly Row[]> {
    if (this.#isClosed) throw closed();
    this.#connector.checkHistory();
    return inTime(() => this.#readers.read(statement, values));
  }

  /**
   * Queues a write and resolves with what it returned after the commit. A refusal is a returned value. Rejects as `read` does, with
   * nothing of it kept; when the connection was lost or time ran out in the middle, it may have been kept and nobody knows.
   */
  async write<T>(write: Write<T>): Promise<T> {
    if (this.#isClosed) throw closed();
    const { promise, reject, resolve } = Promise.withResolvers<T>();
    // The queue does not know what kind of write it is; this one gives back what its own `run` gave.
    const pending: PendingWrite = { write, isGivenUp: false, resolve: (value) => resolve(value as T), reject };
    const ask = (): Promise<T> => {
      this.#queue.add(pending);
      this.#schedule();
      return promise;
    };
    const giveUp = (): void => {
      pending.isGivenUp = true;
    };
    return inTime(ask, { giveUp, leastMs: LEAST_FOR_WRITE_MS });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#dispatch();
    });
  }

  /** Gives what waits to lanes that do nothing, those with a connection first. */
  #dispatch(): void {
    while (!this.#queue.isEmpty) {
      const idle = this.#lanes.filter(({ isBusy }) => !isBusy);
      const lane = idle.find(({ writer }) => writer?.connection.isUsable === true) ?? idle[0];
      const taken = lane === undefined ? undefined : this.#queue.take();
      if (lane === undefined || taken === undefined) return;
      lane.isBusy = true;
      void this.#work(lane, taken.batch).finally(() => {
        lane.isBusy = false;
        taken.done();
        this.#dispatch();
      });
    }
  }

  async #work(lane: Lane, batch: readonly PendingWrite[]): Promise<void> {
    try {
      this.#connector.checkHistory();
      if (lane.writer?.connection.isUsable !== true)
        lane.writer = new Writer(await this.#connector.open(), this.#connector.scope);
    } catch (cause) {
      for (const { reject } of batch) reject(failure(cause));
      return;
    }
    await this.#commit(lane.writer, batch);
  }

  /** A fault of one write must not cost the others: each is tried again alone. Anything else fails all of them. */
  async #commit(writer: Writer, batch: readonly PendingWrite[], isRepeat = false): Promise<void> {
    try {
      const results = await writer.commit(
        batch.map(({ write }) => write),
        PATIENCE_MS,
      );
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]);
    } catch (cause) {
      const isWorthIt = batch.length > 1 ? isOneWritesFault(cause) : isDeadlock(cause) && !isRepeat;
      if (isWorthIt) for (const one of batch) await this.#commit(writer, [one], true);
      else for (const { reject } of batch) reject(failure(cause));
    }
  }

  /** See `WatchableStore.watch`. */
  watch(onChange: () => void): () => void {
    return this.#watcher.watch(onChange);
  }

  /** Which history of which database answers: of the connections in use, or of a new one. */
  async history(): Promise<string> {
    if (this.#isClosed) throw closed();
    const inUse = this.#connector.accepted;
    // A connection stays with the server that it was made to, and a server with its history.
    if (inUse !== undefined && this.#readers.isConnected) return inUse;
    return inTime(() => this.#connector.history());
  }

  /** From now on the database may be used with this history, and with no other. What was asked for before is refused. */
  acceptHistory(history: string): void {
    this.#connector.acceptHistory(history);
    for (const { reject } of this.#queue.drop()) reject(otherHistory());
    this.#readers.drop();
    for (const lane of this.#lanes) lane.writer?.connection.destroy();
  }

  /** Commits what waits, then closes; later calls reject. Closing twice is allowed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watcher.close();
    const until = performance.now() + PATIENCE_MS;
    while ((!this.#queue.isEmpty || this.#lanes.some(({ isBusy }) => isBusy)) && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 1));
    await Promise.all([this.#readers.close(), ...this.#lanes.map(({ writer }) => writer?.connection.end())]);
  }
}

interface Limit {
  /** What was asked for is wanted no more. */
  readonly giveUp: () => void;
  readonly leastMs: number;
}

/** With less left a write is not asked for: it would often be kept, and answered as if it were not. */
const LEAST_FOR_WRITE_MS = 200;

/** What is asked for, or the typed failure that says why it did not come. Without patience left, nothing is asked. */
async function inTime<T>(
  ask: () => Promise<T>,
  { giveUp, leastMs }: Limit = { giveUp: () => {}, leastMs: 1 },
): Promise<T> {
  const wait = beginWait();
  if (wait.leftMs < leastMs) {
    wait.end();
    throw tooLate();
  }
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    giveUp();
    reject(tooLate());
  }, wait.leftMs);
  try {
    return await Promise.race([ask(), late]);
  } catch (cause) {
    throw failure(cause);
  } finally {
    clearTimeout(timer);
    wait.end();
  }
}

/**
 * Opens, checks and migrates a schema of a database. Rejects with ERR_STORE_SCHEMA or ERR_STORE_UNAVAILABLE, each with a hint where
 * there is a next step; neither ever shows the password.
 */
export async function openDatabase(location: PostgresLocation, schema: Schema): Promise<PostgresDatabase> {
  const connector = new Connector(location, schema);
  await connector.prepare();
  return new PostgresDatabase(connector);
}
