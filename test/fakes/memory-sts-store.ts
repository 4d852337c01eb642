// An StsStore in memory for unit tests. It keeps the port's promises within one process; nothing of it is durable.
import type {
  DecisionFilter,
  DecisionRecord,
  EndedSession,
  EpochSeconds,
  GrantOutcome,
  Session,
  StsStore,
  TokenUse,
  Tombstone,
} from '../../src/sts/store.ts';

type GrantInput = Parameters<StsStore['grant']>[0];

/** What a test may hook into: each runs just before the operation's own transaction, and may throw to make it fail. */
export interface MemoryStsStoreHooks {
  beforeGrant?: (grant: GrantInput) => void | Promise<void>;
  beforeRecordRefusal?: (record: DecisionRecord) => void | Promise<void>;
  beforeBury?: (tombstones: readonly Tombstone[]) => void | Promise<void>;
  beforeIsBuried?: () => void | Promise<void>;
  beforeListEnded?: () => void | Promise<void>;
}

const jobKey = (issuer: string, jobId: string): string => JSON.stringify([issuer, jobId]);
const useKey = (use: TokenUse): string => JSON.stringify([use.exp, use.iss, use.jti]);

const isOf = ({ role }: DecisionRecord, only: DecisionFilter | undefined): boolean =>
  only === undefined || (role !== null && only.tenants.includes(role.tenant));

export class MemoryStsStore implements StsStore {
  readonly hooks: MemoryStsStoreHooks = {};
  readonly sessions = new Map<string, Session>();
  readonly decisions: DecisionRecord[] = [];
  readonly tombstones = new Map<string, Tombstone>();
  readonly uses = new Map<string, TokenUse>();
  readonly ended: EndedSession[] = [];
  highWater: EpochSeconds = 0;

  async grant(grant: GrantInput): Promise<GrantOutcome> {
    await this.hooks.beforeGrant?.(grant);
    const { session, record, use, now, skewSeconds } = grant;
    if (now < this.highWater - skewSeconds) return 'clock_behind';
    if (session.jobId !== null && this.tombstones.has(jobKey(session.issuer, session.jobId))) return 'job_ended';
    if (use !== null && this.uses.has(useKey(use))) return 'token_replayed';
    if (this.sessions.has(session.id) || this.decisions.some((d) => d.id === record.id)) throw new Error('id taken');
    if (use !== null) this.uses.set(useKey(use), use);
    this.sessions.set(session.id, session);
    this.decisions.push(record);
    this.highWater = Math.max(this.highWater, now);
    return 'granted';
  }

  async recordRefusal(record: DecisionRecord): Promise<void> {
    await this.hooks.beforeRecordRefusal?.(record);
    this.decisions.push(record);
  }

  async buryJobs(tombstones: readonly Tombstone[]): Promise<readonly EndedSession[]> {
    await this.hooks.beforeBury?.(tombstones);
    const newlyEnded: EndedSession[] = [];
    for (const tombstone of tombstones) {
      const key = jobKey(tombstone.issuer, tombstone.jobId);
      if (!this.tombstones.has(key)) this.tombstones.set(key, tombstone);
      for (const session of this.sessions.values()) {
        if (session.issuer !== tombstone.issuer || session.jobId !== tombstone.jobId) continue;
        if (this.ended.some((end) => end.sessionId === session.id)) continue;
        const end = { sequence: this.ended.length + 1, sessionId: session.id, expiresAt: session.expiresAt };
        this.ended.push(end);
        newlyEnded.push(end);
      }
    }
    return newlyEnded;
  }

  async isBuried(issuer: string, jobId: string): Promise<boolean> {
    await this.hooks.beforeIsBuried?.();
    return this.tombstones.has(jobKey(issuer, jobId));
  }

  async findSession(id: string): Promise<Session | undefined> {
    return this.sessions.get(id);
  }

  async listEndedSessions(afterSequence: number, now: EpochSeconds, limit: number): Promise<readonly EndedSession[]> {
    await this.hooks.beforeListEnded?.();
    return this.ended.filter((end) => end.sequence > afterSequence && end.expiresAt > now).slice(0, limit);
  }

  async findDecisions(prefix: string, only?: DecisionFilter): Promise<readonly DecisionRecord[]> {
    return this.decisions.filter((record) => record.id.startsWith(prefix) && isOf(record, only)).slice(0, 2);
  }

  async listDecisions(limit: number, only?: DecisionFilter): Promise<readonly DecisionRecord[]> {
    const found = this.decisions.filter((record) => isOf(record, only));
    return found.toReversed().slice(0, limit);
  }

  async prune(now: EpochSeconds): Promise<void> {
    for (const [id, session] of this.sessions) if (session.expiresAt <= now) this.sessions.delete(id);
    for (const [key, use] of this.uses) if (use.exp <= now) this.uses.delete(key);
    for (const [key, tombstone] of this.tombstones) if (tombstone.expiresAt <= now) this.tombstones.delete(key);
  }
}
