// Port: what the issuer keeps. Every promise resolves after the change is durable.

import type { ActionRecord } from '../base/audit/record.ts';
import type { Beginning, BeginningStore } from '../base/core/beginning.ts';
import type { WatchableStore } from '../base/core/change-watch.ts';
import type { EpochMs, EpochSeconds } from '../base/core/time.ts';
import type { JobFacts } from '../base/identity/facts.ts';

export type { ActionRecord, Beginning, BeginningStore, EpochMs, EpochSeconds, JobFacts, WatchableStore };

/** `store_restored`: an older copy of the store was put back, which cannot know whether the job went on. */
export type JobEndReason = 'finished' | 'deadline' | 'heartbeat_missed' | 'store_restored';

export interface Job {
  readonly id: string;
  /** Name of the client that started it; no other client sees it. */
  readonly controller: string;
  readonly idempotencyKey: string;
  /** SHA-256 of the canonical start request; the same key with another digest is a conflict. */
  readonly requestDigest: string;
  readonly facts: JobFacts;
  /** Audiences the job may ask for. */
  readonly audiences: readonly string[];
  readonly startedAt: EpochSeconds;
  readonly deadline: EpochSeconds;
  /** Null when the job sends no heartbeats. */
  readonly heartbeatSeconds: number | null;
  readonly lastHeartbeatAt: EpochSeconds;
  readonly endedAt: EpochSeconds | null;
  readonly endReason: JobEndReason | null;
}

/** A bearer of the right to ask for ID tokens of one job, kept as a hash. */
export interface RequestToken {
  /** SHA-256 of the token, base64url. */
  readonly hash: string;
  readonly jobId: string;
  /** Narrower than the job's list, or null for all of it. */
  readonly audiences: readonly string[] | null;
}

/** What was minted; the token itself is not kept. */
export interface IssuedToken {
  readonly jti: string;
  readonly jobId: string;
  readonly audience: string;
  readonly expiresAt: EpochSeconds;
}

/** An audience that a job got tokens for. */
export interface JobAudience {
  readonly audience: string;
  /** The expiry of the last token for it; null: all of them were forgotten. */
  readonly tokensUntil: EpochSeconds | null;
}

/** The end of a job, to be told to everyone who may hold a token of it. */
export interface JobEndedEvent {
  /** Grows with every event; the order of delivery. */
  readonly sequence: number;
  readonly id: string;
  readonly jobId: string;
  readonly audience: string;
  readonly endedAt: EpochSeconds;
  readonly reason: JobEndReason;
}

/** Receivers whose acknowledgements are kept for one client. */
export const MAX_RECEIVERS = 16;

/** Who hears events: each receiver of a client is told everything, whatever the others acknowledged. */
export interface EventReader {
  readonly client: string;
  /** As the receiver calls itself; empty when it does not. */
  readonly receiver: string;
}

export interface IssuerStore extends BeginningStore, WatchableStore {
  /**
   * Stores a job and its first request token, or finds the one that this controller started under the same key.
   * Atomic: of two concurrent starts one creates.
   */
  startJob(job: Job, token: RequestToken): Promise<{ readonly created: boolean; readonly job: Job }>;
  findJob(id: string): Promise<Job | undefined>;
  /** Adds a request token while the job runs and has fewer than `max`; says which of the two stood against it. */
  addRequestToken(token: RequestToken, max: number): Promise<'added' | 'job_ended' | 'too_many'>;
  findRequestToken(hash: string): Promise<RequestToken | undefined>;
  /** Moves the heartbeat forward, never back. False when the job is over. */
  heartbeat(jobId: string, at: EpochSeconds): Promise<boolean>;
  /** Records a mint. False, and nothing stored, when the job is over. */
  recordToken(token: IssuedToken): Promise<boolean>;
  findToken(jti: string): Promise<IssuedToken | undefined>;
  /** Every audience that the job got a token for, by name; as long as the job is remembered. */
  listAudiences(jobId: string): Promise<readonly JobAudience[]>;
  /**
   * Ends a job once: the first end wins, later calls change nothing. In the same transaction one event is queued for
   * each audience the job got a token for. `eventExpiresAt` bounds how long an unacknowledged event is kept.
   */
  endJob(
    jobId: string,
    end: { readonly at: EpochSeconds; readonly reason: JobEndReason; readonly eventExpiresAt: EpochSeconds },
  ): Promise<Job | undefined>;
  /**
   * One transaction with the record: counts a beginning, ends every running job as `store_restored` at `now`, and queues its events.
   * How many jobs ended: who comes back from an older copy may hold a job for running that was over. Undefined, and nothing changed,
   * when the generation is another than expected: somebody else began anew.
   */
  beginAnew(beginning: {
    readonly expectedGeneration: number;
    /** For which history of the database. */
    readonly history: string;
    readonly now: EpochSeconds;
    readonly eventExpiresAt: EpochSeconds;
    readonly record: ActionRecord;
  }): Promise<number | undefined>;
  /** The latest time at which a job was started or ended, or something forgotten. */
  highWaterMark(): Promise<EpochSeconds>;
  /** Running jobs whose deadline or next heartbeat lies before `now`, at most `limit`. */
  listOverdueJobs(now: EpochSeconds, limit: number): Promise<readonly Job[]>;
  /** Events for these audiences that `reader` has not acknowledged, oldest first. */
  listEvents(reader: EventReader, audiences: readonly string[], limit: number): Promise<readonly JobEndedEvent[]>;
  /** Of a client's receivers the MAX_RECEIVERS that acknowledged last are remembered; others are told everything again. */
  acknowledgeEvents(reader: EventReader, eventIds: readonly string[]): Promise<void>;
  /**
   * Forgets what no living token can need any more: tokens and ended jobs two of the widest clock skews after their
   * expiry or deadline, events at their own expiry. A job that was never ended stays, and so does who got a token of it.
   */
  prune(now: EpochSeconds): Promise<void>;
}
