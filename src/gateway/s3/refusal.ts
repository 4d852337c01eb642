// A refusal of the S3 front: the reason for the log, and the S3 error that the caller gets.
import { failure, type Reason } from '../../base/core/reasons.ts';
import type { SigV4Failure, SigV4Problem } from '../../base/sigv4/problem.ts';
import { type S3Error, s3Error } from '../../wire/s3/errors.ts';
import { refuseReason } from '../../wire/s3/refusals.ts';
import { refuseSignature, type SignatureContext } from '../../wire/s3/signature-refusals.ts';
import { type FrontRefusal, refusalsBy } from '../store-front/refusal.ts';

/** A refusal with its answer. */
export type S3Refusal = FrontRefusal<S3Error>;

/** `failure` as the refusal of `session`; `error` unless the reason's own answer will do. */
export const refusalOf = refusalsBy<S3Error>(refuseReason);

/** `signature_malformed` unless listed. */
const SIGNATURE_REASONS: Partial<Record<SigV4Problem, Reason>> = {
  auth_missing: 'credential_missing',
  scheme_unknown: 'credential_missing',
  unsupported_version: 'algorithm_refused',
  unsupported_algorithm: 'algorithm_refused',
  clock_skewed: 'clock_skewed',
  presign_expired: 'token_expired',
  signed_header_absent: 'signature_invalid',
  signature_malformed: 'signature_invalid',
  signature_mismatch: 'signature_invalid',
  path_malformed: 'request_malformed',
  query_malformed: 'request_malformed',
  header_malformed: 'request_malformed',
};

/** Version 2 is what boto3 presigns with unless told otherwise, so its users are told. */
const SET_V4 = 'Signature Version 2 is not supported. Please use AWS4-HMAC-SHA256: set signature_version=s3v4.';

/** A signature problem as a refusal. */
export function signatureRefusal(problem: SigV4Failure, context: SignatureContext): S3Refusal {
  const reason = SIGNATURE_REASONS[problem.problem] ?? 'signature_malformed';
  const error =
    problem.problem === 'unsupported_version' ? s3Error('InvalidRequest', SET_V4) : refuseSignature(problem, context);
  return refusalOf(failure(reason, problem.detail), { error });
}
