// What the verifier's ways in have in common: their answer, its trace, and what the claims must say by themselves.
import type { CheckTrace } from '../../base/core/decision.ts';
import type { Claims } from '../../base/core/json.ts';
import type { Failure } from '../../base/core/reasons.ts';
import { ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { checkDeadline, checkJobId, checkSubject, checkTokenId } from './checks.ts';
import type { VerifiedFacts, VerifiedToken } from './verified-token.ts';

/** What an authentic token says of itself, for the record of a refusal that came after its signature was verified. */
export interface AuthenticToken {
  readonly issuer: string;
  readonly claims: Claims;
  /** The job as the token names it; null for an issuer that does not tell of its jobs. */
  readonly jobId: string | null;
  /** Whether the STS hears of the ends of this issuer's jobs. */
  readonly jobBound: boolean;
}

/** An identity that passed every check. */
export interface Verified {
  readonly ok: true;
  readonly token: VerifiedToken;
  readonly checks: readonly CheckTrace[];
}

export interface Unverified {
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
}

export type Verification = Verified | Unverified;

/** The checks so far, in the order in which they ran. */
export class CheckList {
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

  /** The refusal that ends here. */
  refuse(failure: Failure, about: Pick<Unverified, 'authentic' | 'isMeantForUs'>): Unverified {
    return { ok: false, failure, checks: this.traces, ...about };
  }
}

/** Claims that somebody vouched for, with what was read of them. */
export interface VouchedClaims extends Pick<VerifiedFacts, 'issuer' | 'claims' | 'issuedAt' | 'expiresAt'> {
  readonly nowSeconds: EpochSeconds;
}

/** What the claims must say by themselves: whose they are, of which token, job and deadline. */
export function checkIdentity(
  vouched: VouchedClaims,
  list: CheckList,
): Result<Omit<VerifiedFacts, 'jobBound'>, Failure> {
  const { issuer, claims, issuedAt, expiresAt, nowSeconds } = vouched;
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
    issuedAt,
    expiresAt,
    jobId: job.value,
    deadline: deadline.value,
  });
}

/** The token's one audience. Precondition: verified, so it is a string or a list of one. */
export const audienceOf = ({ aud }: Claims): string => String(Array.isArray(aud) ? aud[0] : aud);
