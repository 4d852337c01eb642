// Owns the chain that one open database writes: entries inside its transactions, the head once per transaction.
import { appendEntry, type ChainHead, startOfChain } from '../../base/audit/chain.ts';
import type { EncodedRecord } from '../../base/audit/record.ts';
import { decodeHead } from '../rows/audit.ts';
import { text } from '../rows/row.ts';
import type { SqliteDatabase } from './database.ts';
import type { TransactionPart } from './group-commit.ts';

/** Appends records to a chain of its own. Two of one database are two writers. */
export class AuditChain implements TransactionPart {
  /** Puts an entry's row into the table. */
  readonly #insert;
  readonly #save;
  readonly #find;
  readonly #newWriter;
  /** The head after the last commit; undefined before the first entry. */
  #committed: ChainHead | undefined;
  /** The head within the transaction. */
  #head: ChainHead | undefined;
  #isInDoubt = false;

  constructor(database: SqliteDatabase) {
    this.#insert = database.prepare(`
      INSERT INTO audit_entry (writer, sequence, hash, kind, id, at, tenant, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#save = database.prepare(`
      INSERT INTO audit_writer (writer, sequence, hash) VALUES ($writer, $sequence, $hash)
      ON CONFLICT DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash`);
    this.#find = database.prepare('SELECT writer, sequence, hash FROM audit_writer WHERE writer = ?');
    this.#newWriter = database.prepare("SELECT 'W' || hex(randomblob(8)) AS writer");
    database.join(this);
  }

  /** Appends a record. Precondition: inside a transaction, where it stays or falls with everything else. */
  append({ body, index }: EncodedRecord): void {
    this.#head ??= startOfChain(text(this.#newWriter.get() ?? {}, 'writer'));
    const { hash, sequence, writer } = appendEntry(this.#head, body);
    this.#insert.run(writer, sequence, hash, index.kind, index.id, index.at, index.tenant, body);
    this.#head = { writer, sequence, hash };
  }

  begin(): void {
    if (this.#isInDoubt) this.#settle();
    this.#head = this.#committed;
  }

  finish(): void {
    if (this.#head !== undefined && this.#head !== this.#committed) this.#save.run({ ...this.#head });
  }

  ended(isCommitted: boolean): void {
    if (isCommitted) this.#committed = this.#head;
    else this.#isInDoubt = true;
  }

  /** After a failure: what the table says of this writer, when that is before or after the failed transaction; else a new writer. */
  #settle(): void {
    const possible = [this.#committed, this.#head];
    const row = this.#head === undefined ? undefined : this.#find.get(this.#head.writer);
    const found = row === undefined ? undefined : decodeHead(row);
    this.#committed = possible.find((head) => head?.sequence === found?.sequence && head?.hash === found?.hash);
    this.#isInDoubt = false;
  }
}
