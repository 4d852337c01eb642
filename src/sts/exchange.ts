// The one pipeline from a request to a credential, whatever the wire: verify, decide, record, issue. Nothing is answered
// before it is durable, and nothing is granted anywhere else.
import { createHash } from 'node:crypto';
import type { DecisionRecord, Wire } from '../base/audit/record.ts';
import type { CheckTrace, RoleRef, Trace } from '../base/core/decision.ts';
import { ID_RANDOM_BYTES, type IdKind, newId } from '../base/core/ids.ts';
import { type Failure, failure, type Reason } from '../base/core/reasons.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Log } from '../base/ports/log.ts';
import type { Random } from '../base/ports/random.ts';
import type { KeyRing } from '../keys/ring.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { type Identity, type JudgeDeps, type Judgement, judge } from './judge.ts';
import { type Case, grantRecord, type RecordedToken, refusalRecord } from './records.ts';
import type { RefusalRing } from './refusal-ring.ts';
import { MAX_DURABLE_REPEATS, REPEAT_WINDOW_MS, type RepeatedRefusals } from './repeated-refusals.ts';
import { issueAccessToken, openSession } from './sessions.ts';
import type { GrantOutcome, Session, StsStore } from './store.ts';
import {
  type VerifiedFacts,
  type VerifiedToken,
  type VerifierDeps,
  verifiedFacts,
  verifyToken,
} from './verifier/verify.ts';

/** What every wire asks for. */
export interface ExchangeRequest {
  readonly wire: Wire;
  readonly token: string;
  readonly role: RoleRef;
  /** Undefined: as long as the role allows. */
  readonly askedSeconds: number | undefined;
  readonly remoteAddress: string;
}

/** A grant that is durable, with the credential that carries it. */
export interface Granted {
  readonly ok: true;
  readonly decisionId: string;
  readonly session: Session;
  readonly accessToken: string;
}

/** A refusal. The caller learns `safeReason(reason)` and the id. */
export interface Refused {
  readonly ok: false;
  readonly decisionId: string;
  readonly reason: Reason;
}

export interface ExchangeDeps extends JudgeDeps {
  readonly verifier: VerifierDeps;
  readonly policies: { current(): PolicySet };
  readonly store: Pick<StsStore, 'grant' | 'recordRefusal'>;
  readonly keys: Pick<KeyRing, 'signer'>;
  readonly ring: RefusalRing;
  readonly repeated: RepeatedRefusals;
  /** `iss` of the credentials. */
  readonly stsUrl: string;
  readonly clockSkewSeconds: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const newCase = (deps: ExchangeDeps, request: Omit<Case, 'id' | 'at'>): Case => ({
  id: freshId(deps, 'D'),
  at: deps.clock.nowMs(),
  wire: request.wire,
  role: request.role,
  remoteAddress: request.remoteAddress,
});

const freshId = (deps: ExchangeDeps, kind: IdKind): string => newId(kind, deps.random.bytes(ID_RANDOM_BYTES));

/** Refuses a request that did not even become an exchange: it gets an id and a place in the ring. */
export const refuseUnread = (deps: ExchangeDeps, request: Omit<Case, 'id' | 'at'>, refusal: Failure): Refused =>
  refuseUnverified(deps, newCase(deps, request), { failure: refusal, checks: [] });

/** Runs the pipeline. Never rejects: whatever fails unexpectedly is a refusal, and nothing was answered. */
export async function exchange(deps: ExchangeDeps, request: ExchangeRequest): Promise<Granted | Refused> {
  const opened = newCase(deps, request);
  try {
    return await run(deps, request, opened);
  } catch (error) {
    deps.log.error({ decision: opened.id, err: error }, 'an exchange failed unexpectedly');
    return refuseUnverified(deps, opened, { failure: failure('internal_failure', String(error)), checks: [] });
  }
}

async function run(deps: ExchangeDeps, request: ExchangeRequest, opened: Case): Promise<Granted | Refused> {
  const verification = await verifyToken(deps.verifier, request.token);
  if (!verification.ok) {
    const { authentic, checks } = verification;
    if (authentic === null || !verification.isMeantForUs) return refuseUnverified(deps, opened, verification);
    const trace = { checks, jobBound: authentic.jobBound };
    const record = refusalRecord(opened, authentic, { failure: verification.failure, trace });
    return refuseDurably(deps, record, request.token);
  }
  const { token, checks } = verification;
  const facts = verifiedFacts(token);
  const now = deps.clock.nowSeconds();
  const { askedSeconds, remoteAddress: sourceAddress, role } = request;
  const question = { role, askedSeconds, now, sourceAddress };
  const judgement = judge(deps, deps.policies.current(), { identity: identityOf(facts), question });
  const trace = { checks, ...judgement.trace, jobBound: facts.jobBound };
  if (!judgement.allow) {
    const record = refusalRecord(opened, recorded(facts), { failure: judgement.failure, trace });
    return refuseDurably(deps, record, request.token);
  }
  return grant(deps, opened, { token, text: request.token, judgement, trace, now });
}

const recorded = (facts: VerifiedFacts): RecordedToken => ({
  issuer: facts.issuer.issuer,
  claims: facts.claims,
  jobId: facts.jobId,
});

/** What the policy decides on. */
export const identityOf = (facts: VerifiedFacts): Identity => ({
  issuer: facts.issuer.issuer,
  claims: facts.claims,
  tokenId: facts.tokenId,
  jobBound: facts.jobBound,
  deadline: facts.deadline,
  issuerSeconds: facts.issuer.maxSessionSeconds,
});

interface Allowed {
  readonly token: VerifiedToken;
  /** The token as it came. */
  readonly text: string;
  readonly judgement: Extract<Judgement, { allow: true }>;
  readonly trace: Trace;
  readonly now: number;
}

/** Makes session and record durable in one transaction, and only then a credential. */
async function grant(deps: ExchangeDeps, opened: Case, allowed: Allowed): Promise<Granted | Refused> {
  const { judgement, now, token, trace } = allowed;
  const facts = verifiedFacts(token);
  const session = openSession(token, {
    decisionId: opened.id,
    sessionId: freshId(deps, 'S'),
    role: judgement.role.ref,
    group: judgement.role.session.gateway,
    now,
    lifetimeSeconds: judgement.trace.lifetime.givenSeconds,
    claims: judgement.claims,
  });
  const record = grantRecord(opened, recorded(facts), { session, trace });
  const isSingleUse = judgement.role.session.singleUse && facts.tokenId !== null;
  // The token's own expiry and no setting: a use must be met again after the skew was changed. The store remembers it for
  // longer than any skew lets the token be accepted.
  const use = isSingleUse ? { exp: facts.expiresAt, iss: facts.issuer.issuer, jti: facts.tokenId } : null;
  const outcome = await tryGrant(deps, { session, record, use, now, skewSeconds: deps.clockSkewSeconds });
  if (outcome === 'granted') {
    const accessToken = await issueAccessToken(session, { stsUrl: deps.stsUrl, signer: deps.keys.signer() });
    return { ok: true, decisionId: opened.id, session, accessToken };
  }
  const refusal = failureOf(outcome);
  if (outcome === 'store_unavailable')
    return refuseUnverified(deps, opened, { failure: refusal, checks: trace.checks });
  const checks = [...trace.checks, { check: 'grant', outcome: 'failed', detail: refusal.detail } as const];
  const refused = refusalRecord(opened, recorded(facts), { failure: refusal, trace: { ...trace, checks } });
  return refuseDurably(deps, refused, allowed.text);
}

async function tryGrant(
  deps: ExchangeDeps,
  wanted: Parameters<StsStore['grant']>[0],
): Promise<GrantOutcome | 'store_unavailable'> {
  try {
    return await deps.store.grant(wanted);
  } catch (error) {
    deps.log.error({ decision: wanted.record.id, err: error }, 'a grant could not be made durable');
    return 'store_unavailable';
  }
}

function failureOf(outcome: Exclude<GrantOutcome, 'granted'> | 'store_unavailable'): Failure {
  switch (outcome) {
    case 'job_ended':
      return failure('job_ended', 'the job ended before the grant was durable');
    case 'token_replayed':
      return failure('token_replayed', 'this token was used for a single-use role before');
    case 'clock_behind':
      return failure('clock_behind', 'the clock is behind the latest time already acted on, by more than the skew');
    case 'store_unavailable':
      return failure('store_unavailable', 'the store did not take session and record');
  }
}

/**
 * A refusal about an authentic token that is meant for us is durable before it is answered; without the store not even that
 * is answered. What the same token was refused for many times already goes to the ring: whoever holds one token could
 * otherwise fill the audit store with it.
 */
async function refuseDurably(deps: ExchangeDeps, record: DecisionRecord, token: string): Promise<Refused> {
  const { at, id, reason, remoteAddress, role, trace, wire } = record;
  const repeats = deps.repeated.count(repeatKey(record, token));
  if (repeats > MAX_DURABLE_REPEATS) {
    const note = `refusal ${repeats} of this token for this reason within ${REPEAT_WINDOW_MS / 60_000} min, in memory only`;
    return refuseUnverified(
      deps,
      { id, at, wire, role, remoteAddress },
      { failure: failure(reason ?? 'internal_failure', `${record.detail} (${note})`), checks: trace.checks },
    );
  }
  try {
    await deps.store.recordRefusal(record);
    return { ok: false, decisionId: id, reason: reason ?? 'internal_failure' };
  } catch (error) {
    deps.log.error({ decision: id, err: error }, 'a refusal could not be made durable');
    const detail = `the store did not take the refusal for ${reason}: ${record.detail}`;
    return refuseUnverified(
      deps,
      { id, at, wire, role, remoteAddress },
      { failure: failure('store_unavailable', detail), checks: trace.checks },
    );
  }
}

/** One token and one reason. The hash stands for a token without a usable `jti`. */
function repeatKey({ issuer, reason, tokenId }: DecisionRecord, token: string): string {
  const name = tokenId ?? createHash('sha256').update(token).digest('base64url');
  return JSON.stringify([issuer, tokenId === null ? 'hash' : 'jti', name, reason]);
}

function refuseUnverified(
  deps: ExchangeDeps,
  opened: Case,
  refused: { readonly failure: Failure; readonly checks: readonly CheckTrace[] },
): Refused {
  const { reason, detail } = refused.failure;
  deps.ring.add({ ...opened, reason, detail, checks: refused.checks });
  return { ok: false, decisionId: opened.id, reason };
}
