// An StsStore in memory for unit tests. It passes the port's conformance suite (test/conformance/memory-stores.test.ts) but for
// one promise: nothing of it is durable.
import type { ActionRecord } from '../../src/base/audit/record.ts';
import { type Epoch, type EpochScope, formatScope, isWithin } from '../../src/base/core/epoch.ts';
import { JobpassError } from '../../src/base/core/errors.ts';
import { changeOf } from '../../src/base/core/freeze.ts';
import { EPOCH_KEPT_SECONDS, MAX_CLOCK_SKEW_SECONDS } from '../../src/base/core/limits.ts';
import type {
  DecisionFilter,
  DecisionRecord,
  EndedSession,
  EpochSeconds,
  FederatedSession,
  Freeze,
  FreezeChange,
  GrantOutcome,
  KnownUse,
  Session,
  SessionFilter,
  StoreIdentity,
  StsStore,
  TokenUse,
  Tombstone,
} from '../../src/sts/store.ts';
import { MemoryPolicyStore } from './memory-policy-store.ts';

type GrantInput = Parameters<StsStore['grant']>[0];
type RaiseInput = Parameters<StsStore['raiseEpoch']>[0];
type FreezeInput = Parameters<StsStore['setFreeze']>[0];

/** What a test may hook into: each runs just before the operation's own transaction, and may throw to make it fail. */
export interface MemoryStsStoreHooks {
  beforeGrant?: (grant: GrantInput) => void | Promise<void>;
  beforeRecordRefusal?: (record: DecisionRecord) => void | Promise<void>;
  beforeBury?: (tombstones: readonly Tombstone[]) => void | Promise<void>;
  beforeEndSession?: (id: string) => void | Promise<void>;
  beforeIsBuried?: () => void | Promise<void>;
  beforeListEnded?: () => void | Promise<void>;
  beforeRaise?: () => void | Promise<void>;
}

/** As the port says of `prune`. */
const SLACK_SECONDS = 2 * MAX_CLOCK_SKEW_SECONDS;

const misuse = (message: string): JobpassError => new JobpassError('ERR_STORE_MISUSE', message);
const taken = (): JobpassError => new JobpassError('ERR_STORE_UNAVAILABLE', 'the id is taken');

const jobKey = (issuer: string, jobId: string): string => JSON.stringify([issuer, jobId]);
const useKey = (use: TokenUse): string => JSON.stringify([use.exp, use.iss, use.jti]);

const scopedOf = ({ issuer, role }: Session | FederatedSession) => ({
  issuer,
  role: role === null ? null : `${role.tenant}/${role.name}`,
});

/** By kinds, then by names. */
const inOrder = <One extends EpochScope>(scopes: ReadonlyMap<string, One>): readonly One[] =>
  [...scopes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);

const isOf = ({ role }: DecisionRecord, only: DecisionFilter | undefined): boolean =>
  only === undefined || (role !== null && only.tenants.includes(role.tenant));

export class MemoryStsStore extends MemoryPolicyStore implements StsStore {
  readonly hooks: MemoryStsStoreHooks = {};
  readonly sessions = new Map<string, Session | FederatedSession>();
  readonly decisions: DecisionRecord[] = [];
  readonly tombstones = new Map<string, Tombstone>();
  readonly uses = new Map<string, TokenUse & Omit<KnownUse, 'decisionId'>>();
  readonly ended: EndedSession[] = [];
  /** By scope. */
  readonly epochs = new Map<string, Epoch>();
  readonly freezes = new Map<string, Freeze>();
  /** The group of each ended session, by its id. */
  readonly endedGroups = new Map<string, string>();
  highWater: EpochSeconds = 0;
  #lastSequence = 0;
  ownIdentity: StoreIdentity = { id: crypto.randomUUID(), bornAt: 0 };

  /** The sessions that have a role. */
  get roleSessions(): readonly Session[] {
    return [...this.sessions.values()].filter((session): session is Session => session.role !== null);
  }

  async identity(): Promise<StoreIdentity> {
    return this.ownIdentity;
  }

  async renewIdentity(identity: StoreIdentity): Promise<void> {
    this.ownIdentity = identity;
  }

  async beginAnew(beginning: Parameters<StsStore['beginAnew']>[0]): Promise<Epoch | undefined> {
    const { expectedGeneration, history, identity, now, record } = beginning;
    this.checkHistory();
    if (this.ownBeginning.generation !== expectedGeneration) return undefined;
    const before = this.ownBeginning;
    this.ownBeginning = { ...before, generation: expectedGeneration + 1, at: now, history, isRestored: false };
    const epoch = await this.raiseEpoch({ scope: { scope: 'all' }, now, record }).catch((error: unknown) => {
      this.ownBeginning = before;
      throw error;
    });
    this.ownIdentity = identity;
    return epoch;
  }

  async highWaterMark(): Promise<EpochSeconds> {
    return this.highWater;
  }

  async grant(grant: GrantInput): Promise<GrantOutcome> {
    await this.hooks.beforeGrant?.(grant);
    this.checkHistory();
    const { client, issuedFrom, now, record, session, skewSeconds, uses } = grant;
    if (record.outcome !== 'granted' || record.sessionId !== session.id || session.decisionId !== record.id) {
      throw misuse('a session was to be stored without its own decision record');
    }
    if (!Number.isSafeInteger(issuedFrom))
      throw misuse('a session was to be stored of which nobody knows since when it could be');
    if (session.jobId !== null && this.tombstones.has(jobKey(session.issuer, session.jobId))) return 'job_ended';
    const parentId = session.role === null ? null : session.parentId;
    if (parentId !== null && (await this.findSession(parentId)) === undefined) return 'session_ended';
    if (this.#isCovered(session, Math.min(issuedFrom, session.issuedAt))) return 'epoch_raised';
    if ([...this.freezes.values()].some((freeze) => isWithin(freeze, scopedOf(session)))) return 'frozen';
    if (uses.some((use) => this.uses.has(useKey(use)))) return 'token_replayed';
    // Written so that a `now` that is no number refuses.
    if (!(now >= this.highWater - skewSeconds)) return 'clock_behind';
    if (this.sessions.has(session.id)) throw taken();
    this.append({ kind: 'decision', ...record });
    for (const use of uses) this.uses.set(useKey(use), { ...use, sessionId: session.id, client, usedAt: now });
    this.sessions.set(session.id, session);
    this.decisions.push(record);
    this.highWater = Math.max(this.highWater, now);
    return 'granted';
  }

  async recordRefusal(record: DecisionRecord): Promise<void> {
    await this.hooks.beforeRecordRefusal?.(record);
    if (record.outcome !== 'refused') throw misuse('a grant was to be recorded as a refusal');
    this.append({ kind: 'decision', ...record });
    this.decisions.push(record);
  }

  async buryJobs(tombstones: readonly Tombstone[], record?: ActionRecord): Promise<readonly EndedSession[]> {
    await this.hooks.beforeBury?.(tombstones);
    if (record !== undefined) this.append(record);
    const newlyEnded: EndedSession[] = [];
    for (const tombstone of tombstones) {
      const key = jobKey(tombstone.issuer, tombstone.jobId);
      // The first end of a job stands, the longest keeping wins.
      const known = this.tombstones.get(key) ?? tombstone;
      this.tombstones.set(key, { ...known, expiresAt: Math.max(known.expiresAt, tombstone.expiresAt) });
      for (const session of this.sessions.values()) {
        if (session.issuer !== tombstone.issuer || session.jobId !== tombstone.jobId) continue;
        if (!this.#isOver(session)) newlyEnded.push(this.#end(session));
      }
    }
    return newlyEnded;
  }

  async endSession(id: string, record?: ActionRecord): Promise<EndedSession | undefined> {
    await this.hooks.beforeEndSession?.(id);
    const session = this.sessions.get(id);
    if (session === undefined || this.#isOver(session)) return undefined;
    if (record !== undefined) this.append(record);
    const end = this.#end(session);
    for (const other of this.roleSessions) if (other.parentId === id && !this.#isOver(other)) this.#end(other);
    return end;
  }

  #end(session: Session | FederatedSession): EndedSession {
    const { expiresAt, id } = session;
    this.#lastSequence += 1;
    const end = { sequence: this.#lastSequence, sessionId: id, expiresAt };
    this.ended.push(end);
    this.endedGroups.set(id, session.role === null ? '' : session.group);
    return end;
  }

  async isBuried(issuer: string, jobId: string): Promise<boolean> {
    await this.hooks.beforeIsBuried?.();
    return this.tombstones.has(jobKey(issuer, jobId));
  }

  async findSession(id: string): Promise<Session | FederatedSession | undefined> {
    const session = this.sessions.get(id);
    return session === undefined || this.#isOver(session) ? undefined : session;
  }

  async listSessions(
    filter: SessionFilter,
    after: string | null,
    limit: number,
  ): Promise<readonly (Session | FederatedSession)[]> {
    const { issuer, jobId, now, role, tenants } = filter;
    const isListed = (one: Session | FederatedSession): boolean =>
      one.id > (after ?? '') &&
      one.expiresAt > now &&
      tenants.includes(one.role?.tenant ?? '') &&
      (role === undefined || (role.tenant === one.role?.tenant && role.name === one.role.name)) &&
      (issuer ?? one.issuer) === one.issuer &&
      (jobId ?? one.jobId) === one.jobId &&
      !this.#isOver(one);
    const found = [...this.sessions.values()].filter(isListed);
    return found.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
  }

  async findUse(use: TokenUse): Promise<KnownUse | undefined> {
    const known = this.uses.get(useKey(use));
    if (known === undefined) return undefined;
    const { client, sessionId, usedAt } = known;
    return { sessionId, decisionId: this.sessions.get(sessionId)?.decisionId ?? null, client, usedAt };
  }

  async raiseEpoch({ now, record, scope }: RaiseInput): Promise<Epoch> {
    await this.hooks.beforeRaise?.();
    const key = formatScope(scope);
    const epoch = { ...scope, at: Math.max(now, this.highWater, this.epochs.get(key)?.at ?? 0) };
    if (Number.isNaN(epoch.at)) throw taken();
    this.append(record);
    this.epochs.set(key, epoch);
    for (const session of this.roleSessions) {
      const parent = session.parentId === null ? undefined : this.sessions.get(session.parentId);
      if (parent !== undefined && this.#isOver(parent) && !this.#isOver(session)) this.#end(session);
    }
    return epoch;
  }

  async listEpochs(): Promise<readonly Epoch[]> {
    return inOrder(this.epochs);
  }

  async setFreeze({ record, ...asked }: FreezeInput): Promise<FreezeChange> {
    const key = formatScope(asked.scope);
    const change = changeOf(this.freezes.get(key), { ...asked, at: Math.floor(record.at / 1000) });
    if (asked.frozen || change.after === undefined) this.append(record);
    if (change.after === undefined) this.freezes.delete(key);
    else this.freezes.set(key, change.after);
    return change;
  }

  async listFreezes(): Promise<readonly Freeze[]> {
    return inOrder(this.freezes);
  }

  async listEndedSessions(
    group: string,
    afterSequence: number,
    now: EpochSeconds,
    limit: number,
  ): Promise<readonly EndedSession[]> {
    await this.hooks.beforeListEnded?.();
    const isTold = (end: EndedSession): boolean =>
      this.endedGroups.get(end.sessionId) === group && end.sequence > afterSequence && end.expiresAt > now;
    return this.ended.filter(isTold).slice(0, limit);
  }

  async findDecisions(prefix: string, only?: DecisionFilter): Promise<readonly DecisionRecord[]> {
    return this.decisions.filter((record) => record.id.startsWith(prefix) && isOf(record, only)).slice(0, 2);
  }

  async listDecisions(limit: number, only?: DecisionFilter): Promise<readonly DecisionRecord[]> {
    const found = this.decisions.filter((record) => isOf(record, only));
    return found.toReversed().slice(0, limit);
  }

  async prune(now: EpochSeconds): Promise<void> {
    this.highWater = Math.max(this.highWater, now);
    const before = now - SLACK_SECONDS;
    for (const [id, session] of this.sessions) if (session.expiresAt < before) this.sessions.delete(id);
    for (const [key, use] of this.uses) if (use.exp < before) this.uses.delete(key);
    for (const [key, tombstone] of this.tombstones) if (tombstone.expiresAt < before) this.tombstones.delete(key);
    for (const [key, { at }] of this.epochs) if (at < now - EPOCH_KEPT_SECONDS) this.epochs.delete(key);
    this.ended.splice(0, this.ended.length, ...this.ended.filter((end) => end.expiresAt >= before));
  }

  #isOver(session: Session | FederatedSession): boolean {
    const hasEnded = this.ended.some((end) => end.sessionId === session.id);
    return hasEnded || this.#isCovered(session, session.issuedAt);
  }

  #isCovered(session: Session | FederatedSession, issuedFrom: EpochSeconds): boolean {
    const covers = (epoch: Epoch): boolean => epoch.at >= issuedFrom && isWithin(epoch, scopedOf(session));
    return [...this.epochs.values()].some(covers);
  }
}
