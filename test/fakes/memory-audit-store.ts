// An AuditStore in memory, for the other stores in memory to build on. It has one writer, as one connection has.
import { appendEntry, type ChainHead, type StoredEntry, startOfChain } from '../../src/base/audit/chain.ts';
import { type ActionRecord, type AuditRecord, encodeRecord } from '../../src/base/audit/record.ts';
import type { AuditStore, ChainState, StoredCheckpoint, TenantFilter } from '../../src/base/audit/store.ts';
import { JobpassError } from '../../src/base/core/errors.ts';
import type { EpochMs, EpochSeconds } from '../../src/base/core/time.ts';

export class MemoryAuditStore implements AuditStore {
  /** Open to tests that change what is stored. */
  entries: StoredEntry[] = [];
  checkpoints: StoredCheckpoint[] = [];
  #head: ChainHead = startOfChain(`W${crypto.randomUUID()}`);
  #pruned: ChainState['pruned'] = { sequence: 0, hash: '' };
  #copied: readonly ChainHead[] = [];

  /** The actions that were recorded, in order. */
  get actions(): readonly ActionRecord[] {
    return this.entries.map(({ body }) => JSON.parse(body)).filter(({ kind }) => kind === 'action');
  }

  /** Makes this store a copy of another as it was after its first `count` records. */
  continueFrom(other: MemoryAuditStore, count: number): void {
    this.entries = other.entries.slice(0, count);
    const last = this.entries.at(-1);
    // Whoever goes on writes a chain of its own; the copied one stays as it is.
    this.#copied = last === undefined ? [] : [{ writer: last.writer, sequence: last.sequence, hash: last.hash }];
  }

  /** For an operation's own transaction: throws as a store does when the id is taken. */
  protected append(record: AuditRecord): void {
    const { body, index } = encodeRecord(record);
    if (this.entries.some((entry) => entry.index.id === index.id)) {
      throw new JobpassError('ERR_STORE_UNAVAILABLE', 'the id is taken');
    }
    const entry = appendEntry(this.#head, body);
    this.entries.push({ ...entry, index });
    this.#head = { writer: entry.writer, sequence: entry.sequence, hash: entry.hash };
  }

  async recordAction(record: ActionRecord): Promise<void> {
    this.append(record);
  }

  async listHeads(): Promise<readonly ChainState[]> {
    const own = this.#head.sequence === 0 ? [] : [{ ...this.#head, pruned: this.#pruned }];
    return [...this.#copied.map((head) => ({ ...head, pruned: { sequence: 0, hash: '' } })), ...own];
  }

  async listEntries(writer: string, afterSequence: number, limit: number): Promise<readonly StoredEntry[]> {
    return this.entries.filter((entry) => entry.writer === writer && entry.sequence > afterSequence).slice(0, limit);
  }

  async listNewestEntries(limit: number, only?: TenantFilter): Promise<readonly StoredEntry[]> {
    const isOf = ({ index: { tenant } }: StoredEntry): boolean =>
      only === undefined || (tenant !== null && only.tenants.includes(tenant));
    return this.entries.filter(isOf).toReversed().slice(0, limit);
  }

  async insertCheckpoint(checkpoint: StoredCheckpoint): Promise<void> {
    this.checkpoints.push(checkpoint);
  }

  async listCheckpoints(afterAt: EpochSeconds, limit: number): Promise<readonly StoredCheckpoint[]> {
    const later = this.checkpoints.filter(({ at }) => at > afterAt).toSorted((a, b) => a.at - b.at);
    const lastAt = later[Math.min(limit, later.length) - 1]?.at ?? afterAt;
    return later.filter(({ at }) => at <= lastAt);
  }

  async listPrunable(before: EpochMs, limit: number): Promise<readonly ChainHead[]> {
    const firstKept = this.entries.findIndex((entry) => entry.index.at >= before);
    const count = Math.min(firstKept === -1 ? this.entries.length : firstKept, limit);
    const last = this.entries[count - 1];
    return last === undefined ? [] : [{ writer: last.writer, sequence: last.sequence, hash: last.hash }];
  }

  async pruneEntries(pruning: Parameters<AuditStore['pruneEntries']>[0]): Promise<number> {
    const { before, checkpoint, record, upTo } = pruning;
    const isEntry = (head: ChainHead): boolean =>
      this.entries.some(({ hash, sequence, writer }) => {
        return writer === head.writer && sequence === head.sequence && hash === head.hash;
      });
    if (!upTo.every(isEntry)) {
      throw new JobpassError('ERR_STORE_MISUSE', 'a chain was to be pruned up to what is no entry of it');
    }
    const count = this.entries.length;
    const { hash, sequence } = upTo[0] ?? this.#pruned;
    this.entries = this.entries.filter((entry) => entry.sequence > sequence);
    this.#pruned = { sequence, hash };
    this.checkpoints = [...this.checkpoints.filter(({ at }) => at >= Math.floor(before / 1000)), checkpoint];
    const gone = count - this.entries.length;
    this.append(record);
    return gone;
  }
}
