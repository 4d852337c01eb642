// Shared policies and beginnings of an StsStore in memory, for the rest of it to build on.
import { JobpassError } from '../../src/base/core/errors.ts';
import {
  type Beginning,
  type BeginningStore,
  KEPT_POLICY_SETS,
  type PolicyFile,
  type PolicyStore,
  type WatchableStore,
} from '../../src/sts/store.ts';
import { MemoryAuditStore } from './memory-audit-store.ts';

type Activation = Parameters<PolicyStore['activatePolicies']>[0];

export class MemoryPolicyStore extends MemoryAuditStore implements PolicyStore, BeginningStore, WatchableStore {
  /** Every activation of policies, in order. */
  readonly policySets: { readonly version: number; readonly id: string; readonly files: readonly PolicyFile[] }[] = [];
  ownBeginning: Beginning = { generation: 0, at: null, history: null, isRestored: false, vouchedAt: null };
  /** What a test makes the history, and what was accepted of it. */
  ownHistory = 'memory';
  accepted = 'memory';
  /** Set: no policies can be read. */
  policiesBroken: Error | undefined;

  async activePolicies(): Promise<{ readonly version: number; readonly id: string } | undefined> {
    if (this.policiesBroken !== undefined) throw this.policiesBroken;
    const active = this.policySets.at(-1);
    return active === undefined ? undefined : { version: active.version, id: active.id };
  }

  async loadPolicies(id: string): Promise<readonly PolicyFile[] | undefined> {
    if (this.policiesBroken !== undefined) throw this.policiesBroken;
    const lately = [...new Set(this.policySets.toReversed().map((set) => set.id))].slice(0, KEPT_POLICY_SETS);
    return lately.includes(id) ? this.policySets.findLast((set) => set.id === id)?.files : undefined;
  }

  async wasActive(id: string): Promise<boolean> {
    return this.policySets.some((set) => set.id === id);
  }

  async activatePolicies({ expectedVersion, files, id, record }: Activation): Promise<boolean> {
    if (this.policySets.length !== expectedVersion) return false;
    this.append(record);
    this.policySets.push({ version: expectedVersion + 1, id, files });
    return true;
  }

  async history(): Promise<string> {
    return this.ownHistory;
  }

  /** Open to tests that play another replica. */
  readonly watchers = new Set<() => void>();

  watch(onChange: () => void): () => void {
    this.watchers.add(onChange);
    return () => this.watchers.delete(onChange);
  }

  acceptHistory(history: string): void {
    this.accepted = history;
  }

  async beginning(): Promise<Beginning> {
    this.checkHistory();
    return this.ownBeginning;
  }

  async vouch(at: number): Promise<void> {
    this.ownBeginning = { ...this.ownBeginning, vouchedAt: Math.max(at, this.ownBeginning.vouchedAt ?? 0) };
  }

  async markRestored(): Promise<void> {
    this.ownBeginning = { ...this.ownBeginning, isRestored: true };
  }

  /** While the history is not the accepted one, nothing is done. */
  protected checkHistory(): void {
    if (this.ownHistory !== this.accepted) throw new JobpassError('ERR_STORE_HISTORY', 'the database is another one');
  }
}
