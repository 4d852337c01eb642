// Owns one transaction on one connection: locks first, then the writes, then their audit records and the commit.
import { randomBytes } from 'node:crypto';
import { type AuditEntry, appendEntry, type ChainHead, startOfChain } from '../../base/audit/chain.ts';
import type { EncodedRecord } from '../../base/audit/record.ts';
import { type Answer, type Connection, type Statement, statement, type Value } from './connection.ts';
import { ConnectionLost, firstCause } from './errors.ts';
import { type Lock, LockSet } from './locks.ts';

/** What a write may do while its transaction is open. */
export interface Transaction {
  /** Sent at once; answered in the order of sending. */
  query(statement: Statement, values?: readonly Value[]): Promise<Answer>;
  /** Appends a record to the writer's chain: it stays or falls with everything else. */
  append(record: EncodedRecord): void;
  /** Tells everybody who watches, once the commit is done. */
  announce(): void;
}

/** One change, with everything that it must not run beside. */
export interface Write<T> {
  readonly locks: readonly Lock[];
  /** May be run again after a rollback. Other writes of the transaction run beside it, none whose locks exclude these. */
  readonly run: (transaction: Transaction) => Promise<T>;
}

const BEGIN = statement('BEGIN ISOLATION LEVEL READ COMMITTED');
const COMMIT = statement('COMMIT');
const ROLLBACK = statement('ROLLBACK');
/** A set-returning function gives its rows in order, and each row's lock is had before the next is asked for. */
const LOCK = statement(`
  SELECT CASE WHEN is_exclusive THEN pg_advisory_xact_lock(key)::text ELSE pg_advisory_xact_lock_shared(key)::text END
  FROM unnest($1::bigint[], $2::boolean[]) AS wanted (key, is_exclusive)`);
const ANNOUNCE = statement("SELECT pg_notify($1, '')");
const APPEND = statement(`
  INSERT INTO audit_entry (writer, sequence, hash, kind, id, at, tenant, body)
  SELECT $1, sequence, hash, kind, id, at, tenant, body
  FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[])
    WITH ORDINALITY AS entry (sequence, hash, kind, id, at, tenant, body, place)
  ORDER BY place`);
const FIRST_HEAD = statement('INSERT INTO audit_writer (writer, sequence, hash) VALUES ($1, $2, $3)');
/** Only from where this writer left it: if somebody else went on with the chain, dividing by zero fails the transaction. */
const NEXT_HEAD = statement(`
  WITH moved AS (
    UPDATE audit_writer SET sequence = $2, hash = $3 WHERE writer = $1 AND sequence = $4 AND hash = $5 RETURNING 1
  ) SELECT 1 / count(*) FROM moved`);

/** A connection that writes, and the chain of its records. Another connection is another writer. */
export class Writer {
  readonly #connection: Connection;
  readonly #scope: string;
  #head: ChainHead = startOfChain(`W${randomBytes(8).toString('hex').toUpperCase()}`);

  /** `scope` is the schema, which names locks and notices too. */
  constructor(connection: Connection, scope: string) {
    this.#connection = connection;
    this.#scope = scope;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /**
   * Runs the writes in one transaction; what they returned, after the commit. When it rejects, nothing of them was kept,
   * unless the connection is gone: then nobody knows.
   */
  async commit<T>(writes: readonly Write<T>[], patienceMs: number): Promise<readonly T[]> {
    const timer = this.#connection.expireIn(patienceMs);
    try {
      return await this.#run(writes);
    } catch (cause) {
      await this.#rollback();
      throw cause;
    } finally {
      clearTimeout(timer);
    }
  }

  async #run<T>(writes: readonly Write<T>[]): Promise<readonly T[]> {
    const connection = this.#connection;
    const locks = new LockSet();
    for (const write of writes) locks.add(write.locks);
    const { areExclusive, keys } = locks.keys(this.#scope);
    // Without a transaction the locks would not last: both answers come before anything else is sent.
    await all([connection.query(BEGIN), connection.query(LOCK, [keys, areExclusive])]);
    const records: EncodedRecord[] = [];
    let isNews = false;
    const transaction: Transaction = {
      query: (wanted, values) => connection.query(wanted, values),
      append: (record) => records.push(record),
      announce: () => {
        isNews = true;
      },
    };
    const results = await all(writes.map(async (write) => write.run(transaction)));
    const head = await this.#finish(records, isNews);
    this.#head = head;
    return results;
  }

  async #finish(records: readonly EncodedRecord[], isNews: boolean): Promise<ChainHead> {
    const connection = this.#connection;
    let head = this.#head;
    const entries = records.map(({ body, index }) => {
      const entry = appendEntry(head, body);
      head = { writer: entry.writer, sequence: entry.sequence, hash: entry.hash };
      return { ...entry, index };
    });
    const sent: Promise<Answer>[] = entries.length === 0 ? [] : [this.#append(entries), this.#saveHead(head)];
    if (isNews) sent.push(connection.query(ANNOUNCE, [this.#scope]));
    const committed = connection.query(COMMIT);
    await all([...sent, committed]);
    // In a transaction that failed, COMMIT is answered too: by what it did instead.
    if ((await committed).command !== 'COMMIT') throw new ConnectionLost('ERR_NOT_COMMITTED', 'COMMIT did not commit');
    return head;
  }

  #append(entries: readonly (AuditEntry & Pick<EncodedRecord, 'index'>)[]): Promise<Answer> {
    return this.#connection.query(APPEND, [
      this.#head.writer,
      entries.map(({ sequence }) => sequence),
      entries.map(({ hash }) => hash),
      entries.map(({ index }) => index.kind),
      entries.map(({ index }) => index.id),
      entries.map(({ index }) => index.at),
      entries.map(({ index }) => index.tenant),
      entries.map(({ body }) => body),
    ]);
  }

  #saveHead({ hash, sequence, writer }: ChainHead): Promise<Answer> {
    const before = this.#head;
    if (before.sequence === 0) return this.#connection.query(FIRST_HEAD, [writer, sequence, hash]);
    return this.#connection.query(NEXT_HEAD, [writer, sequence, hash, before.sequence, before.hash]);
  }

  /** A connection whose transaction cannot be ended is of no more use. */
  async #rollback(): Promise<void> {
    try {
      await this.#connection.query(ROLLBACK);
    } catch {
      this.#connection.destroy();
    }
  }
}

/** All results, once everything has settled; else the failure that the others follow from. */
async function all<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(work);
  const failed = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (failed.length > 0) throw firstCause(failed);
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}
