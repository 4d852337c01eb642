// What a row of the issuer's tables means, whatever the engine.
import { createHash } from 'node:crypto';
import { newId } from '../../base/core/ids.ts';
import { MAX_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import type { IssuedToken, Job, JobAudience, JobEndedEvent, JobEndReason, RequestToken } from '../../issuer/store.ts';
import { integer, json, nullableInteger, nullableJson, oneOf, type Row, text } from './row.ts';
import { jobFacts, textList } from './shapes.ts';

/** Every way a job can end. */
const END_REASONS: readonly JobEndReason[] = ['finished', 'deadline', 'heartbeat_missed', 'store_restored'];

/** The columns of a job. */
export const JOB_COLUMNS = `id, controller, idempotency_key, request_digest, facts, audiences, started_at, deadline,
  heartbeat_seconds, last_heartbeat_at, ended_at, end_reason`;

/** A job. */
export const decodeJob = (row: Row): Job => ({
  id: text(row, 'id'),
  controller: text(row, 'controller'),
  idempotencyKey: text(row, 'idempotency_key'),
  requestDigest: text(row, 'request_digest'),
  facts: json(row, 'facts', jobFacts),
  audiences: json(row, 'audiences', textList),
  startedAt: integer(row, 'started_at'),
  deadline: integer(row, 'deadline'),
  heartbeatSeconds: nullableInteger(row, 'heartbeat_seconds'),
  lastHeartbeatAt: integer(row, 'last_heartbeat_at'),
  endedAt: nullableInteger(row, 'ended_at'),
  endReason: row.end_reason === null ? null : oneOf(row, 'end_reason', END_REASONS),
});

/** A job’s column values. */
export const encodeJob = ({ facts, audiences, ...job }: Job) => ({
  ...job,
  facts: JSON.stringify(facts),
  audiences: JSON.stringify(audiences),
});

/** A request token. */
export const decodeRequestToken = (row: Row): RequestToken => ({
  hash: text(row, 'hash'),
  jobId: text(row, 'job_id'),
  audiences: nullableJson(row, 'audiences', textList),
});

/** A request token’s column values. */
export const encodeRequestToken = ({ audiences, ...token }: RequestToken) => ({
  ...token,
  audiences: audiences === null ? null : JSON.stringify(audiences),
});

/** 120 bits, so that ids of different ends never meet. */
const EVENT_ID_BYTES = 24;
/** A token may still be accepted by a clock that is behind, with the widest leeway, relative to a clock that is ahead. */
export const SLACK_SECONDS = 2 * MAX_CLOCK_SKEW_SECONDS;

/** A job ends once, so job and audience name the event: the same on every replica and in every retry. */
export function eventId(jobId: string, audience: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([jobId, audience]))
    .digest();
  return newId('E', digest.subarray(0, EVENT_ID_BYTES));
}

/** A minted token. */
export const decodeToken = (row: Row): IssuedToken => ({
  jti: text(row, 'jti'),
  jobId: text(row, 'job_id'),
  audience: text(row, 'audience'),
  expiresAt: integer(row, 'expires_at'),
});

/** An audience of a job, with `tokens_until`. */
export const decodeAudience = (row: Row): JobAudience => ({
  audience: text(row, 'audience'),
  tokensUntil: nullableInteger(row, 'tokens_until'),
});

/** The end of a job, as it is told. */
export const decodeEvent = (row: Row): JobEndedEvent => ({
  sequence: integer(row, 'sequence'),
  id: text(row, 'id'),
  jobId: text(row, 'job_id'),
  audience: text(row, 'audience'),
  endedAt: integer(row, 'ended_at'),
  reason: oneOf(row, 'reason', END_REASONS),
});
