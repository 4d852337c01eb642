// The moment a grant counts: session, record and uses become durable in one transaction, or a refusal does. It decides nothing.
import { formatRoleRef, type Trace } from '../base/core/decision.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { CredentialRequest } from './exchange-request.ts';
import { type Case, grantRecord, type RecordedToken, refusalRecord } from './records.ts';
import { type RefusalDeps, type Refused, refuseDurably, refuseUnverified } from './refusals.ts';
import { type RepeatDeps, repeated } from './repeat.ts';
import { findStop } from './stopped.ts';
import type { FederatedSession, GrantOutcome, Session, StsStore, TokenUse } from './store.ts';
import type { VerifiedFacts } from './verifier/verify.ts';

export interface SettleDeps extends RefusalDeps, RepeatDeps {
  readonly store: Pick<StsStore, 'grant' | 'recordRefusal' | 'listEpochs' | 'listFreezes'> & RepeatDeps['store'];
}

/** What a grant or its refusal is about. */
export interface Settling {
  readonly request: Pick<CredentialRequest, 'token' | 'client' | 'askedSeconds'>;
  readonly facts: VerifiedFacts;
  /** Of the decision that allowed it. */
  readonly trace: Trace;
}

/** What is to be durable. */
interface Grantable extends Settling {
  readonly session: Session | FederatedSession;
  /** The trace with what only a grant has. */
  readonly grantTrace: Trace;
  readonly uses: readonly TokenUse[];
  readonly now: number;
  /** Since when the token can be. */
  readonly issuedFrom: number;
}

/**
 * The session once it and its record are durable: the wanted one, or the one that the same client was granted for the same token just
 * now. Else the refusal, which is durable itself as far as the store lets it be.
 */
export async function settle<S extends Session | FederatedSession>(
  deps: SettleDeps,
  opened: Case,
  wanted: Grantable & { readonly session: S },
): Promise<Result<S | Session, Refused>> {
  const { facts, grantTrace: trace, issuedFrom, now, request, session, uses } = wanted;
  const record = grantRecord(opened, recorded(facts), { session, trace });
  const { clockSkewSeconds: skewSeconds } = deps;
  const client = request.client ?? null;
  const outcome = await tryGrant(deps, { session, record, uses, issuedFrom, client, now, skewSeconds });
  if (outcome === 'granted') return ok(session);
  const again =
    outcome === 'token_replayed' ? await tryAgain(deps, opened, wanted) : err(await told(deps, outcome, wanted));
  if (again.ok) return again;
  const refusal = again.error;
  if (refusal.reason !== 'store_unavailable') return err(await refuseGrant(deps, opened, { ...wanted, refusal }));
  return err(refuseUnverified(deps, opened, { failure: refusal, checks: trace.checks }));
}

type Refusing = Exclude<GrantOutcome, 'granted' | 'token_replayed'> | 'store_unavailable';

/** Why, for the operator: of an epoch or a freeze also which one, as far as the store says it. */
async function told(deps: SettleDeps, outcome: Refusing, { issuedFrom, session }: Grantable): Promise<Failure> {
  const plain = failureOf(outcome);
  if (outcome !== 'epoch_raised' && outcome !== 'frozen') return plain;
  const role = session.role === null ? null : formatRoleRef(session.role);
  try {
    const stop = await findStop(deps.store, { role, issuer: session.issuer, issuedFrom });
    return stop?.reason === plain.reason ? stop : plain;
  } catch {
    return plain;
  }
}

async function tryAgain(deps: SettleDeps, opened: Case, wanted: Grantable): Promise<Result<Session, Failure>> {
  try {
    return await repeated(deps, opened, wanted);
  } catch (error) {
    deps.log.error(
      { decision: opened.id, err: error },
      'the first use of a token could not be looked up, or its repeat not recorded',
    );
    return err(failure('store_unavailable', 'the store did not tell what the token was used for'));
  }
}

/** Refuses what a decision allowed. */
export function refuseGrant(
  deps: SettleDeps,
  opened: Case,
  { facts, refusal, request, trace }: Settling & { readonly refusal: Failure },
): Promise<Refused> {
  const checks = [...trace.checks, { check: 'grant', outcome: 'failed', detail: refusal.detail } as const];
  const record = refusalRecord(opened, recorded(facts), { failure: refusal, trace: { ...trace, checks } });
  return refuseDurably(deps, record, request.token);
}

/** What records tell of the token. */
export const recorded = (facts: VerifiedFacts): RecordedToken => ({
  issuer: facts.issuer.issuer,
  claims: facts.claims,
  jobId: facts.jobId,
});

async function tryGrant(
  deps: SettleDeps,
  wanted: Parameters<StsStore['grant']>[0],
): Promise<GrantOutcome | 'store_unavailable'> {
  try {
    return await deps.store.grant(wanted);
  } catch (error) {
    deps.log.error({ decision: wanted.record.id, err: error }, 'a grant could not be made durable');
    return 'store_unavailable';
  }
}

function failureOf(outcome: Refusing): Failure {
  switch (outcome) {
    case 'job_ended':
      return failure('job_ended', 'the job ended before the grant was durable');
    case 'session_ended':
      return failure('session_ended', 'the session that this one comes of ended before the grant was durable');
    case 'epoch_raised':
      return failure(
        'epoch_raised',
        'an epoch ended what was issued before it, this token among it: a newer token is needed',
      );
    case 'frozen':
      return failure('granting_frozen', 'granting is frozen for this role: an operator stopped it');
    case 'clock_behind':
      return failure('clock_behind', 'the clock is behind the latest time already acted on, by more than the skew');
    case 'store_unavailable':
      return failure('store_unavailable', 'the store did not take session and record');
  }
}
