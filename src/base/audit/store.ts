// Port: the audit chains of one database; the issuer's, the STS's and the gateways' each have one. Every promise resolves after the change is durable.
import type { EpochMs, EpochSeconds } from '../core/time.ts';
import type { ChainHead, StoredEntry } from './chain.ts';
import type { ActionRecord } from './record.ts';

/** A signed statement of how far every chain had come. */
export interface StoredCheckpoint {
  readonly at: EpochSeconds;
  readonly jws: string;
}

/** A chain as the store knows it: where it ends, and where it begins when its beginning was pruned. */
export interface ChainState extends ChainHead {
  /** The last entry that was pruned: sequence 0 and an empty hash when none was. */
  readonly pruned: Pick<ChainHead, 'sequence' | 'hash'>;
}

/** Of which tenants records are wanted: none of them has those that belong to no tenant. */
export interface TenantFilter {
  readonly tenants: readonly string[];
}

/** The chains of one database, each entry after the one before it. */
export interface AuditStore {
  /** For an action that changes nothing else in this database: one that does is recorded in the same transaction. */
  recordAction(record: ActionRecord): Promise<void>;
  /** Every writer that ever wrote, by name; one whose own account is gone while entries of it are there stands at 0. */
  listHeads(): Promise<readonly ChainState[]>;
  /** In order, at most `limit`. */
  listEntries(writer: string, afterSequence: number, limit: number): Promise<readonly StoredEntry[]>;
  /** Of all writers, newest first. */
  listNewestEntries(limit: number, only?: TenantFilter): Promise<readonly StoredEntry[]>;
  insertCheckpoint(checkpoint: StoredCheckpoint): Promise<void>;
  /** In order. About `limit`: those of one second come together. */
  listCheckpoints(afterAt: EpochSeconds, limit: number): Promise<readonly StoredCheckpoint[]>;
  /**
   * The last entry of each chain's beginning in which every record is older than `before`; of a long one, the entry that
   * lies `limit` after its start. Chains without such a beginning are left out.
   */
  listPrunable(before: EpochMs, limit: number): Promise<readonly ChainHead[]>;
  /**
   * One transaction: deletes the entries up to and with `upTo` and the checkpoints of before `before`, keeps where each
   * chain begins now, stores the checkpoint that says so, and records the pruning. Rejects with ERR_STORE_MISUSE, and
   * changes nothing, when one of `upTo` is no entry of the store. How many entries went.
   */
  pruneEntries(pruning: {
    readonly upTo: readonly ChainHead[];
    readonly before: EpochMs;
    readonly checkpoint: StoredCheckpoint;
    readonly record: ActionRecord;
  }): Promise<number>;
}
