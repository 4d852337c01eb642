// Which answer each wire has for each kind of outcome, written down from the standards and the clouds' own errors (cloud-wire §1 to §4),
// not from the code.
import type { Wire } from '../../../src/base/audit/record.ts';
import type { Reason } from '../../../src/base/core/reasons.ts';

type Expected = Readonly<Record<Wire, readonly [status: number, code: string | null]>>;

const GRANTED: Expected = {
  rfc8693: [200, null],
  aws: [200, null],
  gcp: [200, null],
  azure: [200, null],
};

const BAD_TOKEN: Expected = {
  rfc8693: [400, 'invalid_request'],
  aws: [400, 'InvalidIdentityToken'],
  gcp: [400, 'invalid_grant'],
  azure: [401, '700027'],
};

const EXPIRED: Expected = {
  rfc8693: [400, 'invalid_request'],
  aws: [400, 'ExpiredTokenException'],
  gcp: [400, 'invalid_grant'],
  azure: [401, '700024'],
};

/** Unknown role, failed condition, a job that is over: one answer. */
const DENIED: Expected = {
  rfc8693: [400, 'invalid_target'],
  aws: [403, 'AccessDenied'],
  gcp: [400, 'unauthorized_client'],
  azure: [400, '70021'],
};

const LIMITED: Expected = {
  rfc8693: [429, 'temporarily_unavailable'],
  aws: [400, 'Throttling'],
  gcp: [429, 'temporarily_unavailable'],
  azure: [429, '90055'],
};

const UNAVAILABLE: Expected = {
  rfc8693: [503, 'temporarily_unavailable'],
  aws: [503, 'ServiceUnavailable'],
  gcp: [503, 'temporarily_unavailable'],
  azure: [503, '90033'],
};

const BY_REASON: Readonly<Partial<Record<Reason, Expected>>> = {
  rate_limited: LIMITED,
  token_expired: EXPIRED,
  role_unknown: DENIED,
  no_rule_matched: DENIED,
  permission_denied: DENIED,
  job_ended: DENIED,
  epoch_raised: DENIED,
  // AWS has a code of its own for an issuer that does not answer, and clients ask again for it.
  issuer_unreachable: { ...UNAVAILABLE, aws: [400, 'IDPCommunicationError'] },
  issuer_unusable: { ...UNAVAILABLE, aws: [400, 'InvalidIdentityToken'], azure: [401, '700027'] },
  job_status_unknown: UNAVAILABLE,
  store_unavailable: UNAVAILABLE,
  clock_behind: UNAVAILABLE,
  granting_frozen: UNAVAILABLE,
  ...Object.fromEntries(
    (
      [
        'token_malformed',
        'token_too_large',
        'token_type_refused',
        'algorithm_refused',
        'signature_invalid',
        'key_unknown',
        'issuer_unknown',
        'audience_mismatch',
        'claim_missing',
        'claim_malformed',
        'token_not_yet_valid',
        'token_lifetime_too_long',
        'token_replayed',
      ] satisfies Reason[]
    ).map((reason) => [reason, BAD_TOKEN]),
  ),
};

/** The answers to a case whose outcome is this. Throws for a reason that nobody wrote down. */
export function expectedAnswers(outcome: 'allow' | Reason): Expected {
  const expected = outcome === 'allow' ? GRANTED : BY_REASON[outcome];
  if (expected === undefined) throw new Error(`no answers are written down for ${outcome}`);
  return expected;
}
