// Owns the check of audit chains: what was edited, removed, moved or cut since it was written. Pure, entry by entry, so
// that it works on a running server's chains and on an exported file.
import { appendEntry, type ChainHead, type StoredEntry, startOfChain, UNCHAINED } from './chain.ts';
import type { Checkpoint } from './checkpoint.ts';
import { Evidence, type Pin } from './evidence.ts';
import { type RecordIndex, readIndex } from './record.ts';
import { AuditFindings, type AuditReport, type Flaw } from './report.ts';
import type { ChainState } from './store.ts';

/** How many hashes an entry may follow after wrong ones, so that the next right one is known as such. */
const MAX_DOUBTS = 16;

/** What is known before the first entry. */
export interface VerifyOptions {
  /** What the server says of its chains, read before any entry was. */
  readonly heads: readonly ChainState[];
  /** Every checkpoint whose signature holds, in any order. */
  readonly checkpoints: readonly Checkpoint[];
  /** Of a file that holds later records alone: the entry before the first of each chain. */
  readonly from: readonly ChainHead[];
}

/** A chain on its way. */
interface Chain {
  readonly writer: string;
  /** The number of the last entry seen, or of the one before the first. */
  sequence: number;
  /** The hash beside it. */
  hash: string;
  /** Hashes that the next entry may follow: several when entries were wrong, none when nothing can be said. */
  before: readonly string[];
  hasEntries: boolean;
  /** The last entry that a checkpoint saw. */
  covered: number;
}

/** Takes every entry, each chain's in order, then says what it found. */
export class AuditVerifier {
  readonly #evidence: Evidence;
  readonly #heads: ReadonlyMap<string, ChainState>;
  readonly #from: ReadonlyMap<string, ChainHead>;
  readonly #chains = new Map<string, Chain>();
  readonly #findings = new AuditFindings();
  #records = 0;
  #unchained = 0;

  constructor({ checkpoints, from, heads }: VerifyOptions) {
    this.#evidence = new Evidence(checkpoints);
    this.#heads = byWriter(heads);
    this.#from = byWriter(from);
    for (const { other, pin } of this.#evidence.conflicts)
      this.#find('rewritten', pin, `the checkpoints of ${when(other)} and ${when(pin)} saw different records here`);
    for (const head of from) {
      const pin = this.#evidence.pinAt(head.writer, head.sequence);
      if (pin !== undefined && pin.hash !== head.hash)
        this.#find('rewritten', head, `the checkpoint of ${when(pin)} saw another record before the first`);
    }
  }

  /** A checkpoint that could not be opened, or is not this server's. */
  refuseCheckpoint(detail: string): void {
    this.#findings.add({ flaw: 'checkpoint', writer: null, sequence: null, id: null, detail });
  }

  /** The next entry of its chain. */
  add(entry: StoredEntry): void {
    this.#records += 1;
    if (entry.writer === UNCHAINED) {
      this.#unchained += 1;
      this.#checkIndex(entry);
      return;
    }
    const chain = this.#chainOf(entry.writer);
    if (!chain.hasEntries && entry.sequence <= chain.sequence) this.#rewind(chain, entry.sequence);
    if (chain.hasEntries && entry.sequence <= chain.sequence) {
      this.#find('reordered', entry, `it stands after number ${chain.sequence}`);
      return;
    }
    if (entry.sequence > chain.sequence + 1) this.#skip(chain, entry.sequence);
    chain.hasEntries = true;
    this.#follow(chain, entry);
  }

  /** What was found. `heads` is what the server says of its chains after the last entry was read. */
  finish(heads: readonly ChainState[]): AuditReport {
    for (const writer of new Set([...this.#heads.keys(), ...this.#evidence.writers()])) this.#end(writer);
    const after = byWriter(heads);
    let uncovered = 0;
    for (const { covered, hasEntries, sequence, writer } of this.#chains.values()) {
      if (hasEntries) uncovered += sequence - covered;
      const known = after.get(writer)?.sequence ?? 0;
      if (sequence > known)
        this.#find('added', { writer, sequence: known + 1 }, `to number ${sequence}: its writer never wrote so far`);
    }
    const { records, unchained } = { records: this.#records, unchained: this.#unchained };
    return { ...this.#findings.list(), records, unchained, writers: this.#chains.size, uncovered };
  }

  /** Where a chain begins: after what a checkpoint says was pruned, else at its first entry. */
  #chainOf(writer: string): Chain {
    const known = this.#chains.get(writer);
    if (known !== undefined) return known;
    const { sequence, hash } = this.#from.get(writer) ?? this.#evidence.prunedUpTo(writer) ?? startOfChain(writer);
    const chain: Chain = { writer, sequence, hash, before: [hash], hasEntries: false, covered: sequence };
    this.#chains.set(writer, chain);
    return chain;
  }

  /** There is more of the beginning than need be: of what was pruned later, say. */
  #rewind(chain: Chain, sequence: number): void {
    const before = { writer: chain.writer, sequence: sequence - 1 };
    const known = sequence === 1 ? startOfChain(chain.writer) : this.#knownAt(before);
    chain.sequence = chain.covered = sequence - 1;
    chain.before = known === undefined ? [] : [known.hash];
    // Of a record that follows nothing known, only the hash would be proved, and not what stands beside it.
    if (known === undefined)
      this.#find('removed', before, 'it is not there, nor is its hash: what follows it cannot be checked');
  }

  /** The hash there, as a checkpoint saw it, or as the server says of what was pruned: the next entry must fit it. */
  #knownAt({ sequence, writer }: { readonly writer: string; readonly sequence: number }): { hash: string } | undefined {
    const claimed = this.#heads.get(writer)?.pruned;
    return this.#evidence.pinAt(writer, sequence) ?? (claimed?.sequence === sequence ? claimed : undefined);
  }

  /** Entries are missing before the one with this number. */
  #skip(chain: Chain, sequence: number): void {
    const missing = { writer: chain.writer, sequence: chain.sequence + 1 };
    const why = chain.hasEntries
      ? 'are not there'
      : 'are not there, and no signed checkpoint says that they were pruned';
    this.#find('removed', missing, `the records up to number ${sequence - 1} ${why}`);
    const claimed = this.#heads.get(chain.writer)?.pruned;
    chain.before = !chain.hasEntries && claimed?.sequence === sequence - 1 ? [claimed.hash] : [];
  }

  /** Checks one entry against the one before it, its own columns, and what was seen of it. */
  #follow(chain: Chain, entry: StoredEntry): void {
    const { body, hash, sequence, writer } = entry;
    const wanted = chain.before.map(
      (before) => appendEntry({ writer, sequence: sequence - 1, hash: before }, body).hash,
    );
    const isRight = wanted.length === 0 || wanted.includes(hash);
    chain.before = isRight ? [hash] : [hash, ...wanted, ...chain.before].slice(0, MAX_DOUBTS);
    chain.sequence = sequence;
    chain.hash = hash;
    if (!isRight) this.#find('edited', entry, 'it is not what was written here: it was changed, or moved here');
    else {
      this.#checkIndex(entry);
      this.#checkHead(entry);
    }
    const pin = this.#evidence.pinAt(writer, sequence);
    if (pin === undefined) return;
    chain.covered = sequence;
    if (isRight && pin.hash !== hash)
      this.#find('rewritten', entry, `the checkpoint of ${when(pin)} saw another record`);
  }

  #checkHead(entry: StoredEntry): void {
    const head = this.#heads.get(entry.writer);
    if (head?.sequence === entry.sequence && head.hash !== entry.hash)
      this.#find('rewritten', entry, 'its writer ended with another record here');
  }

  #checkIndex(entry: StoredEntry): void {
    const said = readIndex(entry.body);
    const wrong = COLUMNS.filter((column) => said?.[column] !== entry.index[column]);
    if (said === undefined) this.#find('index', entry, 'its text is no record');
    else if (wrong.length > 0) this.#find('index', entry, `the column ${wrong.join(', ')} contradicts the record`);
  }

  /** What should have come: up to the writer's own head, and to what checkpoints saw. */
  #end(writer: string): void {
    if (writer === UNCHAINED) return;
    const chain = this.#chainOf(writer);
    const pin = this.#evidence.lastPin(writer);
    const head = this.#heads.get(writer);
    const last = Math.max(pin?.sequence ?? 0, head?.sequence ?? 0);
    if (last <= chain.sequence) return;
    const seen = pin?.sequence === last ? `the checkpoint of ${when(pin)} saw them` : 'their writer wrote them';
    this.#find('cut', { writer, sequence: chain.sequence + 1 }, `the records up to number ${last} are gone: ${seen}`);
  }

  #find(flaw: Flaw, at: { writer: string; sequence: number; index?: RecordIndex }, detail: string): void {
    this.#findings.add({ flaw, writer: at.writer, sequence: at.sequence, id: at.index?.id ?? null, detail });
  }
}

const COLUMNS = ['kind', 'id', 'at', 'tenant'] as const;

const byWriter = <T extends { readonly writer: string }>(items: readonly T[]): ReadonlyMap<string, T> =>
  new Map(items.map((item) => [item.writer, item]));

const when = ({ at }: Pin): string => new Date(at * 1000).toISOString();
