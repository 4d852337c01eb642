// From an identity token to a VerifiedToken, check by check, each with its trace.
import { type Claims, stringMember } from '../../base/core/json.ts';
import { MAX_SUBJECT_CHARS, MAX_TOKEN_LIFETIME_SECONDS } from '../../base/core/limits.ts';
import type { Failure } from '../../base/core/reasons.ts';
import { ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { checkTimes } from '../../base/jwt/claims.ts';
import { parseJws } from '../../base/jwt/jws.ts';
import { checkPlainType } from '../../base/jwt/token-type.ts';
import { type Limits, NO_LIMITS } from '../../base/limit/rate-limits.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { TrustedIssuer } from '../settings.ts';
import { checkAlgorithm, checkJobId, checkParties } from './checks.ts';
import { type IssuerKeys, verifyIssuerSignature } from './issuer-signature.ts';
import { checkJobStatus, type JobStatusDeps } from './job-status.ts';
import { findIssuer, type TrustedIssuers } from './trusted-issuers.ts';
import { type AuthenticToken, CheckList, checkIdentity, type Verification } from './verification.ts';
import { mintVerified, type VerifiedFacts } from './verified-token.ts';

export type { Verification, Verified } from './verification.ts';
export { type VerifiedFacts, type VerifiedToken, verifiedFacts } from './verified-token.ts';

export interface VerifierDeps extends JobStatusDeps {
  readonly issuers: TrustedIssuers;
  readonly keys: IssuerKeys;
  /** How many tokens each issuer and each job may present; absent: any number. */
  readonly limits?: Limits;
  /** Told of every token that passed. */
  readonly onVerified?: (issuer: TrustedIssuer, claims: Claims) => void;
  readonly clock: Clock;
  readonly clockSkewSeconds: number;
}

/**
 * Verifies one identity token: form, type, issuer, algorithm, key and signature, audience, times, limits, subject and ids, job
 * status. `moreAudiences` are taken besides those of the issuer's registration. Stops at the first check that fails. Fetches
 * nothing unless the issuer is registered. Never throws for any token.
 */
export async function verifyToken(
  deps: VerifierDeps,
  token: string,
  moreAudiences: readonly string[] = [],
): Promise<Verification> {
  const list = new CheckList();
  const signed = await checkSignature(deps, token, list);
  if (!signed.ok) return list.refuse(signed.error, { authentic: null, isMeantForUs: false });
  const authentic = authenticToken(signed.value);
  const addressed = checkAddressed(deps, { signed: signed.value, moreAudiences }, list);
  if (!addressed.ok) return list.refuse(addressed.error, { authentic, isMeantForUs: false });
  const limited = limitOf(deps.limits ?? NO_LIMITS, authentic);
  // In memory alone: a limit whose refusals are written would be none for the audit store.
  if (limited !== undefined) return list.refuse(limited, { authentic: null, isMeantForUs: false });
  const facts = await checkAddressee(deps, { addressed: addressed.value, token }, list);
  if (!facts.ok) return list.refuse(facts.error, { authentic, isMeantForUs: true });
  deps.onVerified?.(facts.value.issuer, facts.value.claims);
  return { ok: true, token: mintVerified(facts.value), checks: list.traces };
}

/** The job before its issuer: one job that asks too often must not use up what all others have. */
export function limitOf(limits: Limits, { claims, issuer, jobId }: AuthenticToken): Failure | undefined {
  const name = JSON.stringify([issuer, jobId ?? stringMember(claims, 'sub')?.slice(0, MAX_SUBJECT_CHARS) ?? '']);
  return limits.check('job', name) ?? limits.check('issuer', issuer);
}

/** Precondition: signature, audience and times hold. */
async function checkAddressee(
  deps: VerifierDeps,
  o: { readonly addressed: Addressed; readonly token: string },
  list: CheckList,
): Promise<Result<VerifiedFacts, Failure>> {
  const facts = checkIdentity(o.addressed, list);
  if (!facts.ok) return facts;
  const { issuer, jobId } = facts.value;
  const { audience, issuedAt } = o.addressed;
  const status = await checkJobStatus(deps, { issuer, jobId, token: o.token, audience, issuedAt });
  const standing = list.note('job status', status, (known) => known.detail);
  if (!standing.ok) return standing;
  return ok({ ...facts.value, jobId: standing.value.jobId, jobBound: standing.value.jobBound });
}

interface Signed {
  readonly issuer: TrustedIssuer;
  readonly claims: Claims;
}

/** A signed token that is made for this STS and for now. */
interface Addressed extends Signed {
  readonly audience: string;
  readonly issuedAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
  readonly nowSeconds: EpochSeconds;
}

function authenticToken({ issuer, claims }: Signed): AuthenticToken {
  const jobId = checkJobId(claims, issuer);
  return {
    issuer: issuer.issuer,
    claims,
    jobId: jobId.ok ? jobId.value : null,
    jobBound: issuer.jobStatus.kind === 'feed',
  };
}

async function checkSignature(deps: VerifierDeps, token: string, list: CheckList): Promise<Result<Signed, Failure>> {
  const parsed = list.note('form', parseJws(token), () => `${token.length} bytes, strict compact JWS`);
  if (!parsed.ok) return parsed;
  const type = list.note('type', checkPlainType(parsed.value.header), () => parsed.value.header.typ ?? 'none');
  if (!type.ok) return type;
  const claims = parsed.value.claims;
  const iss = Object.hasOwn(claims, 'iss') ? claims.iss : undefined;
  const issuer = list.note('issuer', findIssuer(deps.issuers, iss), (known) => `${known.issuer} is registered`);
  if (!issuer.ok) return issuer;
  const algorithm = list.note('algorithm', checkAlgorithm(parsed.value, issuer.value), (alg) => alg);
  if (!algorithm.ok) return algorithm;
  const verified = await verifyIssuerSignature(deps.keys, parsed.value, issuer.value);
  const signature = list.note(
    verified.ok || verified.error.reason === 'signature_invalid' ? 'signature' : 'key',
    verified,
    (key) => `${algorithm.value} by key ${key.kid ?? 'without id'}`,
  );
  return signature.ok ? ok({ issuer: issuer.value, claims }) : signature;
}

/** Whether the token is made for this STS and for now. Precondition: the signature holds. */
function checkAddressed(
  deps: VerifierDeps,
  { signed, moreAudiences }: { readonly signed: Signed; readonly moreAudiences: readonly string[] },
  list: CheckList,
): Result<Addressed, Failure> {
  const { issuer, claims } = signed;
  const allowed = [...issuer.audiences, ...moreAudiences];
  const audience = list.note('audience', checkParties(claims, allowed), (aud) => aud);
  if (!audience.ok) return audience;
  const nowSeconds = deps.clock.nowSeconds();
  const bounds = { nowSeconds, skewSeconds: deps.clockSkewSeconds, maxLifetimeSeconds: MAX_TOKEN_LIFETIME_SECONDS };
  const times = list.note('times', checkTimes(claims, bounds), (t) => {
    return `issued ${nowSeconds - t.issuedAt} s ago, expires in ${t.expiresAt - nowSeconds} s`;
  });
  return times.ok ? ok({ ...signed, ...times.value, audience: audience.value, nowSeconds }) : times;
}
