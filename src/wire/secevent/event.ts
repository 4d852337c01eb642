// Security Event Tokens (RFC 8417) that tell of ended jobs (CAEP) and of a live feed (SSF): claims from events and
// back. It signs and verifies nothing.
import { type Claims, isJsonObject, type JsonObject, type JsonValue, stringMember } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';

/** RFC 8417 §2.3: the explicit type, so that no ID token can pass for an event, nor an event for an ID token. */
export const SECURITY_EVENT_TYPE = 'secevent+jwt';
/** CAEP 1.0 §3.1. */
export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
/** SSF 1.0 §8.1.4.1. */
export const VERIFICATION = 'https://schemas.openid.net/secevent/ssf/event-type/verification';

interface EventFrame {
  /** The job issuer that says it: `iss`. */
  readonly issuer: string;
  /**
   * Name of the client it is told to: `aud`. A plain name; it never looks like the audience of an ID token's relying
   * party.
   */
  readonly audience: string;
  /** The event's own id: `jti`, and the key in the poll's answer. */
  readonly id: string;
  readonly issuedAt: EpochSeconds;
}

/** A job is over: whatever was granted to it is void. */
export interface JobEnded extends EventFrame {
  readonly kind: 'job_ended';
  readonly jobId: string;
  readonly endedAt: EpochSeconds;
  /** For people: `finished`, `deadline`, `heartbeat_missed` or `store_restored`. */
  readonly cause: string;
}

/**
 * The feed is alive: of jobs that had a token for one of `audiences`, the receiver had been told of everything that
 * happened before `issuedAt`, or finds it beside this event; while the answer says `moreAvailable`, only in the answers
 * that follow.
 */
interface FeedAlive extends EventFrame {
  readonly kind: 'verification';
  /** The poll's nonce; null when the poll gave none. */
  readonly state: string | null;
  /** Whose ends the client is told, by the audiences of their tokens. Our extension: empty vouches for nothing. */
  readonly audiences: readonly string[];
  /**
   * When the issuer's store last began anew, because it may have lost what it had acknowledged: of jobs and ends before, it may know
   * nothing. Null: never. Our extension.
   */
  readonly knownSince: EpochSeconds | null;
}

export type SecurityEvent = JobEnded | FeedAlive;

/**
 * The claims of a SET. SSF 1.0 §4.1: the subject is a top-level `sub_id` (RFC 9493), there is no `sub` and no `exp`.
 */
export function encodeSecurityEvent(event: SecurityEvent): Claims {
  const frame = { iss: event.issuer, aud: event.audience, jti: event.id, iat: event.issuedAt };
  if (event.kind === 'verification') {
    const payload = {
      ...(event.state === null ? {} : { state: event.state }),
      audiences: event.audiences,
      ...(event.knownSince === null ? {} : { known_since: event.knownSince }),
    };
    return { ...frame, sub_id: { format: 'opaque', id: event.audience }, events: { [VERIFICATION]: payload } };
  }
  return {
    ...frame,
    sub_id: { format: 'iss_sub', iss: event.issuer, sub: event.jobId },
    events: {
      [SESSION_REVOKED]: {
        event_timestamp: event.endedAt,
        initiating_entity: event.cause === 'finished' ? 'system' : 'policy',
        reason_admin: { en: event.cause },
      },
    },
  };
}

/**
 * The event in the claims of a SET. Preconditions: the signature was verified with the issuer's keys and the header's
 * `typ` is SECURITY_EVENT_TYPE; the caller then compares `issuer`, `audience` and, for a verification, `state` and
 * `issuedAt`. Fails with `claim_malformed`: exactly one event, of a kind told here, whose subject belongs to the
 * issuer that speaks.
 */
export function decodeSecurityEvent(claims: Claims): Result<SecurityEvent, Failure> {
  const issuer = stringMember(claims, 'iss');
  const audience = stringMember(claims, 'aud');
  const id = stringMember(claims, 'jti');
  const { iat: issuedAt, sub_id: subject, events } = claims;
  if (!issuer || !audience || !id || typeof issuedAt !== 'number') return malformed('iss, aud, jti or iat');
  if (!isJsonObject(subject) || !isJsonObject(events)) return malformed('sub_id or events');
  const [entry, ...more] = Object.entries(events);
  if (entry === undefined || more.length > 0 || !isJsonObject(entry[1])) return malformed('events: not exactly one');
  const [type, payload] = entry;
  const frame = { issuer, audience, id, issuedAt };
  if (type === VERIFICATION) return decodeVerification(frame, payload);
  const jobId = stringMember(subject, 'sub');
  const endedAt = payload.event_timestamp;
  const cause = isJsonObject(payload.reason_admin) ? stringMember(payload.reason_admin, 'en') : undefined;
  if (type !== SESSION_REVOKED || stringMember(subject, 'format') !== 'iss_sub')
    return malformed('events: another kind');
  // An issuer speaks only of its own jobs; otherwise one trusted issuer could end the sessions of another.
  if (stringMember(subject, 'iss') !== issuer || !jobId) return malformed('sub_id: not a job of this issuer');
  if (typeof endedAt !== 'number') return malformed('event_timestamp');
  return ok({ ...frame, kind: 'job_ended', jobId, endedAt, cause: cause ?? 'unknown' });
}

function decodeVerification(frame: EventFrame, payload: JsonObject): Result<SecurityEvent, Failure> {
  const audiences = Object.hasOwn(payload, 'audiences') ? payload.audiences : [];
  if (!isTextList(audiences)) return malformed('audiences');
  const knownSince = Object.hasOwn(payload, 'known_since') ? payload.known_since : null;
  if (knownSince !== null && !Number.isSafeInteger(knownSince)) return malformed('known_since');
  const state = stringMember(payload, 'state') ?? null;
  return ok({
    ...frame,
    kind: 'verification',
    state,
    audiences,
    knownSince: knownSince === null ? null : Number(knownSince),
  });
}

const isTextList = (value: JsonValue | undefined): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const malformed = (detail: string): Result<never, Failure> =>
  err(failure('claim_malformed', `security event: ${detail}`));
