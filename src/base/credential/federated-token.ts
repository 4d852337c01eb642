// The token of a session without a role: it says who was verified, to the STS itself and to nobody else. What may come of it is
// policy; whether its session is in force, only the store can tell.
import type { Claims } from '../core/json.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { quote } from '../json/quote.ts';
import type { OpenOptions } from './carried-session.ts';
import { type CredentialForm, checkIssued, isFlag, isJob, isText, isTime, openForm } from './credential-form.ts';

/** No gateway and no other wire takes a token of this type. */
export const FEDERATED_TOKEN_TYPE = 'jobpass-federated+jwt';
/** Nobody but the STS is its audience. */
const AUDIENCE = 'urn:jobpass:sts';

/** A verified identity as its bearer presents it. The claims that roles are judged by stay in the store. */
export interface FederatedIdentity {
  /** The STS. */
  readonly issuer: string;
  readonly sessionId: string;
  readonly subject: string;
  /** The CI's issuer. */
  readonly jobIssuer: string;
  readonly jobId: string | null;
  readonly jobBound: boolean;
  readonly issuedAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
}

/** The payload. */
export const federatedTokenClaims = (identity: FederatedIdentity): Claims => ({
  iss: identity.issuer,
  sub: identity.subject,
  aud: AUDIENCE,
  exp: identity.expiresAt,
  iat: identity.issuedAt,
  jti: identity.sessionId,
  job: { iss: identity.jobIssuer, id: identity.jobId },
  job_bound: identity.jobBound,
});

const FORM: CredentialForm = {
  name: 'the federated token',
  type: FEDERATED_TOKEN_TYPE,
  required: {
    iss: isText,
    sub: isText,
    aud: isText,
    exp: isTime,
    iat: isTime,
    jti: isText,
    job: isJob,
    job_bound: isFlag,
  },
  optional: {},
};

/** Precondition: checked by the form. */
interface Members {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: EpochSeconds;
  readonly iat: EpochSeconds;
  readonly jti: string;
  readonly job: { readonly iss: string; readonly id: string | null };
  readonly job_bound: boolean;
}

/** Verifies a federated token wholly. Failures: those of `openForm` and `checkIssued`, `audience_mismatch`. */
export async function openFederatedToken(
  token: string,
  options: Omit<OpenOptions, 'groups'>,
): Promise<Result<FederatedIdentity, Failure>> {
  const opened = await openForm(token, FORM, options.keys);
  if (!opened.ok) return opened;
  const ours = checkIssued(opened.value.claims, options);
  if (!ours.ok) return ours;
  const members = opened.value.claims as unknown as Members;
  if (members.aud !== AUDIENCE) return err(failure('audience_mismatch', `the token is for ${quote(members.aud)}`));
  return ok({
    issuer: members.iss,
    sessionId: members.jti,
    subject: members.sub,
    jobIssuer: members.job.iss,
    jobId: members.job.id,
    jobBound: members.job_bound,
    issuedAt: members.iat,
    expiresAt: members.exp,
  });
}
