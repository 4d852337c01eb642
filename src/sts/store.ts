// Port: what the STS keeps. Every promise resolves after the change is durable; a rejected one means nothing was granted.
import type { ActionRecord, DecisionRecord } from '../base/audit/record.ts';
import type { TenantFilter } from '../base/audit/store.ts';
import type { Beginning, BeginningStore } from '../base/core/beginning.ts';
import type { WatchableStore } from '../base/core/change-watch.ts';
import type { RoleRef } from '../base/core/decision.ts';
import type { Epoch, EpochScope } from '../base/core/epoch.ts';
import type { Freeze, FreezeChange, FreezeReach } from '../base/core/freeze.ts';
import type { Claims } from '../base/core/json.ts';
import type { Statement } from '../base/core/permissions.ts';
import type { EpochMs, EpochSeconds } from '../base/core/time.ts';
import type { PolicyFile } from './policy-source.ts';

export type {
  ActionRecord,
  Beginning,
  BeginningStore,
  Claims,
  DecisionRecord,
  Epoch,
  EpochMs,
  EpochScope,
  EpochSeconds,
  Freeze,
  FreezeChange,
  PolicyFile,
  RoleRef,
  Statement,
  WatchableStore,
};

/** What every grant in force is. Its credential is made from it; nothing of the credential is kept. */
interface SessionFacts {
  readonly id: string;
  readonly decisionId: string;
  readonly issuer: string;
  readonly subject: string;
  readonly jobId: string | null;
  /** False when the STS cannot learn that the job ended. */
  readonly jobBound: boolean;
  readonly issuedAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
}

/** A session of one role. */
export interface Session extends SessionFacts {
  readonly role: RoleRef;
  /** The gateway group that every credential of it names as audience. */
  readonly group: string;
  /** The claims that the role's permissions mention, as strings. */
  readonly claims: Readonly<Record<string, string>>;
  /** Session tags by key. */
  readonly tags: Readonly<Record<string, string>>;
  readonly sourceIdentity: string | null;
  /** What the caller called the session; null on wires that have no such name. */
  readonly name: string | null;
  /** The session policy; null: the role alone decides. An empty list allows nothing. */
  readonly policy: readonly Statement[] | null;
  /** Null: no further session comes of it. */
  readonly federation: Federation | null;
  /** The session that this one came of; null: it came of an identity token. It ends with that one. */
  readonly parentId: string | null;
}

/** A verified identity that has no role yet. It opens nothing at any gateway: one session of a role may come of it. */
export interface FederatedSession extends SessionFacts {
  readonly role: null;
  readonly federation: Federation;
}

/** What is remembered of an identity so that a role may be judged by it once more, as long as its session lives. */
export interface Federation {
  /** The provider it was presented to: the roles of no other one can come of it. */
  readonly provider: string;
  /** All claims of the ID token, as they were verified. */
  readonly claims: Claims;
  /** The ID token's `iat`, in whole seconds; 0 where it was not remembered yet. */
  readonly tokenIssuedAt: EpochSeconds;
  /** The ID token's `exp`. */
  readonly tokenExpiresAt: EpochSeconds;
}

/** A used token that may be used once; `exp` leads so that pruning is one range delete. */
export interface TokenUse {
  readonly exp: EpochSeconds;
  readonly iss: string;
  readonly jti: string;
}

/** The end of a job, kept until no token or session of it can be alive. */
export interface Tombstone {
  readonly issuer: string;
  readonly jobId: string;
  readonly endedAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
}

/** An ended session in the order gateways learn of it. */
export interface EndedSession {
  /** Grows with every end; the gateways' cursor. */
  readonly sequence: number;
  readonly sessionId: string;
  readonly expiresAt: EpochSeconds;
}

/** What a used token was used for. */
export interface KnownUse {
  readonly sessionId: string;
  /** Of the decision that granted the session; null: it was forgotten, with its session. */
  readonly decisionId: string | null;
  /** The client that presented it; null: none authenticated. */
  readonly client: string | null;
  readonly usedAt: EpochSeconds;
}

export type GrantOutcome =
  | 'granted'
  | 'job_ended'
  | 'session_ended'
  | 'epoch_raised'
  | 'frozen'
  | 'token_replayed'
  | 'clock_behind';

/** Which sessions: all of what is given. */
export interface SessionFilter {
  /** Sessions of roles of these tenants; the empty name stands for sessions that have no role yet. */
  readonly tenants: readonly string[];
  readonly role?: RoleRef;
  readonly issuer?: string;
  readonly jobId?: string;
  /** Those that expired by now are left out. */
  readonly now: EpochSeconds;
}

/** Only decisions on roles of these tenants: none of them decides on a request that named no role. */
export type DecisionFilter = TenantFilter;

/** Which store this is: what gateways and issuers count of it, they count under its id. */
export interface StoreIdentity {
  /** Random; letters, digits, `-` and `_`. */
  readonly id: string;
  /** Of what happened before, the store may know nothing. */
  readonly bornAt: EpochSeconds;
}

/** Sets of policies whose files a store keeps, newest activation first. */
export const KEPT_POLICY_SETS = 8;

/** The policies that all replicas decide by: sets named by their content, one of them active. */
export interface PolicyStore {
  /** Undefined: no set was ever active. `version` grows with every activation. */
  activePolicies(): Promise<{ readonly version: number; readonly id: string } | undefined>;
  /** The files of a set, by path; undefined when it is unknown or was active too long ago. */
  loadPolicies(id: string): Promise<readonly PolicyFile[] | undefined>;
  /** Whether this set is or was active, however long ago. */
  wasActive(id: string): Promise<boolean>;
  /**
   * Compare and swap, in one transaction with the record: makes the set active when the version is still `expectedVersion`, which is 0
   * while none is. False, and nothing changed, otherwise. The files of the KEPT_POLICY_SETS that were active last are kept.
   */
  activatePolicies(activation: {
    readonly expectedVersion: number;
    readonly id: string;
    readonly files: readonly PolicyFile[];
    readonly record: ActionRecord;
  }): Promise<boolean>;
}

export interface StsStore extends BeginningStore, PolicyStore, WatchableStore {
  /** What was given to it last; until then, one that every new store makes for itself. */
  identity(): Promise<StoreIdentity>;
  /**
   * One transaction, which no grant shares: counts a beginning, raises the epoch `all` as `raiseEpoch` does, and makes the store another
   * one. For a store that may not hold all that was acknowledged: whatever it could still allow is over. Undefined, and nothing
   * changed, when the generation is another than expected: somebody else began anew.
   */
  beginAnew(beginning: {
    readonly expectedGeneration: number;
    /** For which history of the database. */
    readonly history: string;
    readonly identity: StoreIdentity;
    readonly now: EpochSeconds;
    readonly record: ActionRecord;
  }): Promise<Epoch | undefined>;
  /** From now on the store is another one, for all its replicas. It keeps what it holds. */
  renewIdentity(identity: StoreIdentity): Promise<void>;
  /** The latest time that was granted at or forgotten at: at an earlier one, what the store holds is not all there was. */
  highWaterMark(): Promise<EpochSeconds>;
  /**
   * One transaction: refuses when the job has a tombstone, when the session that this one comes of has ended or is unknown, when an
   * epoch of its scope lies at or after `issuedFrom` or the session's own beginning, when its scope is frozen, when one of `uses` was
   * used before, or when `now` lies more than `skewSeconds` below the high-water mark, in this order; otherwise stores session, record
   * and uses and raises the mark to `now`. A refusal stores nothing.
   */
  grant(grant: {
    readonly session: Session | FederatedSession;
    readonly record: DecisionRecord;
    readonly uses: readonly TokenUse[];
    /** The earliest moment at which the identity token can have been issued. */
    readonly issuedFrom: EpochSeconds;
    /** Who presented the token, kept with each use; null: no client authenticated. */
    readonly client: string | null;
    readonly now: EpochSeconds;
    readonly skewSeconds: number;
  }): Promise<GrantOutcome>;
  recordRefusal(record: DecisionRecord): Promise<void>;
  /**
   * One transaction: stores tombstones and ends the jobs' sessions; the newly ended ones come back in order. The first
   * end of a job stands, the longest keeping wins. `record` is kept with them, whatever there was to end.
   */
  buryJobs(tombstones: readonly Tombstone[], record?: ActionRecord): Promise<readonly EndedSession[]>;
  isBuried(issuer: string, jobId: string): Promise<boolean>;
  /**
   * One transaction: ends one session and those that came of it, and keeps `record` of it. Its own end in the gateways'
   * order; undefined, and nothing kept, when it is unknown or had ended before.
   */
  endSession(id: string, record?: ActionRecord): Promise<EndedSession | undefined>;
  /** Undefined when it is unknown, has ended or is covered by an epoch: what comes back is in force unless it expired. */
  findSession(id: string): Promise<Session | FederatedSession | undefined>;
  /** Sessions in force whose ids come after `after`, by their ids, at most `limit`. */
  listSessions(
    filter: SessionFilter,
    after: string | null,
    limit: number,
  ): Promise<readonly (Session | FederatedSession)[]>;
  /** What the token was used for; undefined when it was not, or so long ago that it was forgotten. */
  findUse(use: TokenUse): Promise<KnownUse | undefined>;
  /**
   * One transaction, which no grant shares: ends every session of the scope that was granted before, and lets none be granted of
   * identity tokens of before. Its moment is `now`, or the high-water mark or the scope's last epoch when those are later. Sessions that
   * it covers have ended without an end of their own; those that came of them, and are not covered themselves, are ended one by one.
   */
  raiseEpoch(raise: {
    readonly scope: EpochScope;
    readonly now: EpochSeconds;
    readonly record: ActionRecord;
  }): Promise<Epoch>;
  /** The newest epoch of each scope, as long as anything of before it could be alive; in the order of kinds and names. */
  listEpochs(): Promise<readonly Epoch[]>;
  /**
   * One transaction, which no grant shares: grants nothing of the scope from now on, or does again, by the rules of `changeOf`. The record
   * is kept with it, but not where a freeze stays because somebody of a wider reach set it.
   */
  setFreeze(freeze: {
    readonly scope: EpochScope;
    readonly frozen: boolean;
    /** How far the authority of whoever asks reaches. */
    readonly reach: FreezeReach;
    readonly record: ActionRecord;
  }): Promise<FreezeChange>;
  /** In the order of kinds and names. */
  listFreezes(): Promise<readonly Freeze[]>;
  /** Ends of the group's sessions after `afterSequence` that have not expired by `now`, in order, at most `limit`. */
  listEndedSessions(
    group: string,
    afterSequence: number,
    now: EpochSeconds,
    limit: number,
  ): Promise<readonly EndedSession[]>;
  /** Decisions whose id begins with `prefix`, at most two: more than one is ambiguous. */
  findDecisions(prefix: string, only?: DecisionFilter): Promise<readonly DecisionRecord[]>;
  /** Newest first. In a filtered list the work grows with `limit`, not with the decisions of other tenants. */
  listDecisions(limit: number, only?: DecisionFilter): Promise<readonly DecisionRecord[]>;
  /**
   * Forgets sessions, uses and tombstones that expired more than two of the widest clock skews before `now`, and epochs older than
   * EPOCH_KEPT_SECONDS, and raises the high-water mark to `now`: nothing forgotten can still be met alive. Decisions and freezes stay.
   */
  prune(now: EpochSeconds): Promise<void>;
}
