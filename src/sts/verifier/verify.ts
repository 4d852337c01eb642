// From a string to a VerifiedToken, check by check, each with its trace. Only this file can make a VerifiedToken.
import type { CheckTrace } from '../../base/core/decision.ts';
import type { Claims } from '../../base/core/json.ts';
import type { Failure } from '../../base/core/reasons.ts';
import { ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { checkTimes } from '../../base/jwt/claims.ts';
import { parseJws } from '../../base/jwt/jws.ts';
import { checkPlainType } from '../../base/jwt/token-type.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { TrustedIssuer } from '../settings.ts';
import {
  checkAlgorithm,
  checkDeadline,
  checkJobId,
  checkParties,
  checkSubject,
  checkTokenId,
  MAX_TOKEN_LIFETIME_SECONDS,
} from './checks.ts';
import { type IssuerKeys, verifyIssuerSignature } from './issuer-signature.ts';
import { checkJobStatus, type JobStatusDeps } from './job-status.ts';
import { findIssuer, type TrustedIssuers } from './trusted-issuers.ts';

/** Held by this module alone, so that no other code can call the constructor, not even through `token.constructor`. */
const MINT = Symbol('verified');

interface Facts {
  readonly issuer: TrustedIssuer;
  readonly claims: Claims;
  readonly subject: string;
  readonly tokenId: string | null;
  readonly expiresAt: EpochSeconds;
  readonly jobId: string | null;
  readonly jobBound: boolean;
  readonly deadline: EpochSeconds | null;
}

/** An identity that passed every check. Having one is the proof; there is no other way to get one than verifyToken. */
class VerifiedToken {
  readonly #facts: Facts;

  constructor(mint: typeof MINT, facts: Facts) {
    if (mint !== MINT) throw new TypeError('only the verifier makes a VerifiedToken');
    this.#facts = facts;
    Object.freeze(this);
  }

  /** Throws for anything but a token that this module made; a brand cannot be forged by shape. */
  static factsOf(token: VerifiedToken): Facts {
    return token.#facts;
  }
}

export type { Facts as VerifiedFacts, VerifiedToken };

/** What was verified. Throws a TypeError for an object that only looks like a VerifiedToken. */
export const verifiedFacts = (token: VerifiedToken): Facts => VerifiedToken.factsOf(token);

/** What an authentic token says of itself, for the record of a refusal that came after its signature was verified. */
interface AuthenticToken {
  readonly issuer: string;
  readonly claims: Claims;
  /** The job as the token names it; null for an issuer that does not tell of its jobs. */
  readonly jobId: string | null;
  /** Whether the STS hears of the ends of this issuer's jobs. */
  readonly jobBound: boolean;
}

export type Verification =
  | { readonly ok: true; readonly token: VerifiedToken; readonly checks: readonly CheckTrace[] }
  | {
      readonly ok: false;
      readonly failure: Failure;
      readonly checks: readonly CheckTrace[];
      /** Null when the signature was not verified: then nothing that the token says is known to be true. */
      readonly authentic: AuthenticToken | null;
      /**
       * The signature holds, and the token is made for this STS and for now. Of a public issuer anyone has any number of
       * authentic tokens of other audiences and past times, so those are worth no more than garbage.
       */
      readonly isMeantForUs: boolean;
    };

export interface VerifierDeps extends JobStatusDeps {
  readonly issuers: TrustedIssuers;
  readonly keys: IssuerKeys;
  readonly clock: Clock;
  readonly clockSkewSeconds: number;
}

/** The checks so far, in the order in which they ran. */
class CheckList {
  readonly traces: CheckTrace[] = [];

  /** Notes the outcome of one named check and passes it on. */
  note<T>(check: string, result: Result<T, Failure>, detail: (value: T) => string): Result<T, Failure> {
    this.traces.push(
      result.ok
        ? { check, outcome: 'held', detail: detail(result.value) }
        : { check, outcome: 'failed', detail: result.error.detail },
    );
    return result;
  }
}

/**
 * Verifies one identity token: form, type, issuer, algorithm, key and signature, audience, times, subject and ids, job
 * status. `moreAudiences` are taken besides those of the issuer's registration. Stops at the first check that fails. Fetches
 * nothing unless the issuer is registered. Never throws for any token.
 */
export async function verifyToken(
  deps: VerifierDeps,
  token: string,
  moreAudiences: readonly string[] = [],
): Promise<Verification> {
  const list = new CheckList();
  const refuse = (failure: Failure, about: Pick<Rejection, 'authentic' | 'isMeantForUs'>): Rejection => ({
    ok: false,
    failure,
    checks: list.traces,
    ...about,
  });
  const signed = await checkSignature(deps, token, list);
  if (!signed.ok) return refuse(signed.error, { authentic: null, isMeantForUs: false });
  const authentic = authenticToken(signed.value);
  const addressed = checkAddressed(deps, { signed: signed.value, moreAudiences }, list);
  if (!addressed.ok) return refuse(addressed.error, { authentic, isMeantForUs: false });
  const facts = await checkAddressee(deps, { addressed: addressed.value, token }, list);
  if (!facts.ok) return refuse(facts.error, { authentic, isMeantForUs: true });
  return { ok: true, token: new VerifiedToken(MINT, facts.value), checks: list.traces };
}

/** Precondition: signature, audience and times hold. */
async function checkAddressee(
  deps: VerifierDeps,
  o: { readonly addressed: Addressed; readonly token: string },
  list: CheckList,
): Promise<Result<Facts, Failure>> {
  const facts = checkClaims(o.addressed, list);
  if (!facts.ok) return facts;
  const { issuer, jobId } = facts.value;
  const { audience, issuedAt } = o.addressed;
  const status = await checkJobStatus(deps, { issuer, jobId, token: o.token, audience, issuedAt });
  const standing = list.note('job status', status, (known) => known.detail);
  if (!standing.ok) return standing;
  return ok({ ...facts.value, jobId: standing.value.jobId, jobBound: standing.value.jobBound });
}

type Rejection = Extract<Verification, { ok: false }>;

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

type ClaimFacts = Omit<Facts, 'jobBound'>;

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

/** Everything else that the claims must say by themselves. */
function checkClaims(addressed: Addressed, list: CheckList): Result<ClaimFacts, Failure> {
  const { issuer, claims, expiresAt, nowSeconds } = addressed;
  const subject = list.note('subject', checkSubject(claims), (sub) => sub);
  if (!subject.ok) return subject;
  const tokenId = list.note('token id', checkTokenId(claims), (jti) => jti ?? 'none');
  if (!tokenId.ok) return tokenId;
  const job = list.note('job', checkJobId(claims, issuer), (id) => id ?? 'none told');
  if (!job.ok) return job;
  const deadline = list.note('deadline', checkDeadline(claims, issuer), (at) =>
    at === null ? 'none told' : `in ${at - nowSeconds} s`,
  );
  if (!deadline.ok) return deadline;
  return ok({
    issuer,
    claims,
    subject: subject.value,
    tokenId: tokenId.value,
    expiresAt,
    jobId: job.value,
    deadline: deadline.value,
  });
}
