// Reads and checks everything about a signature that needs no key. Whether it is the right one is verify.ts's business.
import { ok, type Result } from '../core/result.ts';
import type { EpochSeconds } from '../core/time.ts';
import { quote } from '../json/quote.ts';
import { parseAmzDate } from './amz-date.ts';
import { readHeaderForm } from './authorization.ts';
import type { PresentedSignature } from './presented.ts';
import { findAuthParameters, readQueryForm } from './presigned.ts';
import { refused, type SigV4Failure } from './problem.ts';
import type { SignableRequest } from './request.ts';
import { type CredentialScope, readCredential } from './scope.ts';
import { isSignature } from './signature.ts';
import { checkSignedHeaders, parseSignedHeaders } from './signed-headers.ts';

/** AWS: a request must arrive within 15 minutes of its time stamp. */
const MAX_SKEW_SECONDS = 15 * 60;
/** S3: a presigned request lives a week at most. */
const MAX_PRESIGN_SECONDS = 604_800;

/** A signature that is well-formed, within its time and for this service. It is NOT verified. */
export interface SignatureClaim extends CredentialScope {
  readonly form: 'header' | 'query';
  readonly accessKeyId: string;
  readonly signedAt: EpochSeconds;
  /** `signedAt` as it was sent. */
  readonly amzDate: string;
  /** How long a presigned request is good from `signedAt`; null in the header form. */
  readonly expiresSeconds: number | null;
  /** Sorted, distinct, lower case; all of them are in the request. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string;
  /** The session token, covered by the signature. It is a secret as long as the signature is not verified for it. */
  readonly securityToken: string | null;
  /** `x-amz-content-sha256`, of the header or of a presigned query, if it is covered by the signature; as sent. */
  readonly payloadHash: string | null;
}

export interface ReadSignatureOptions {
  /** As in the scope: `s3` or `sts`. */
  readonly service: string;
  /** Null: any region. */
  readonly region: string | null;
  readonly nowSeconds: EpochSeconds;
}

/**
 * Reads the one signature of a request, in its header or in its query. Refused: none, both, Version 2, SigV4A, a
 * part that is malformed or there twice, another scope, a time more than 15 minutes away or past its expiry, and
 * an unsigned host or header that must be signed (signed-headers.ts). Failures: every problem but `signature_mismatch`
 * and `header_malformed`; `path_malformed` comes with the verification.
 */
export function readSignature(
  request: SignableRequest,
  options: ReadSignatureOptions,
): Result<SignatureClaim, SigV4Failure> {
  const presented = readPresented(request);
  return presented.ok ? check(presented.value, request.headers, options) : presented;
}

function readPresented(request: SignableRequest): Result<PresentedSignature, SigV4Failure> {
  const parameters = findAuthParameters(request.query);
  if (!parameters.ok) return parameters;
  const authorization = request.headers.get('authorization');
  if (authorization === undefined) {
    if (parameters.value.size === 0) return refused('auth_missing', 'the request is not signed');
    return readQueryForm(parameters.value, request.headers);
  }
  const [name] = parameters.value.keys();
  if (name !== undefined) {
    return refused('query_auth_mixed', `an Authorization header, and the parameter ${name} in the query`, name);
  }
  const [value = '', ...more] = authorization;
  if (more.length > 0) return refused('duplicated', 'the Authorization header is there twice', 'authorization');
  return readHeaderForm(value, request.headers);
}

function check(
  presented: PresentedSignature,
  headers: SignableRequest['headers'],
  options: ReadSignatureOptions,
): Result<SignatureClaim, SigV4Failure> {
  const credential = readCredential(presented.credential, options);
  if (!credential.ok) return credential;
  const signedAt = readDate(presented.amzDate, credential.value);
  if (!signedAt.ok) return signedAt;
  const names = parseSignedHeaders(presented.signedHeaders);
  if (!names.ok) return names;
  const covered = checkSignedHeaders(names.value, headers, options.service);
  if (!covered.ok) return covered;
  const payloadHash = readPayloadHash(presented, names.value, headers);
  if (!payloadHash.ok) return payloadHash;
  if (!isSignature(presented.signature)) {
    return refused('signature_malformed', 'the signature is not 64 lower-case hexadecimal digits');
  }
  const lifetime = readLifetime(presented.expires);
  if (!lifetime.ok) return lifetime;
  const claim: SignatureClaim = {
    ...credential.value,
    form: presented.form,
    signedAt: signedAt.value,
    amzDate: presented.amzDate,
    expiresSeconds: lifetime.value,
    signedHeaders: names.value,
    signature: presented.signature,
    securityToken: presented.securityToken,
    payloadHash: payloadHash.value,
  };
  return checkTime(claim, options.nowSeconds);
}

function readDate(amzDate: string, scope: CredentialScope): Result<EpochSeconds, SigV4Failure> {
  const signedAt = parseAmzDate(amzDate);
  if (signedAt === undefined) {
    return refused('date_malformed', `X-Amz-Date is ${quote(amzDate)}, not YYYYMMDDTHHMMSSZ`, amzDate);
  }
  return scope.date === amzDate.slice(0, 8)
    ? ok(signedAt)
    : refused('scope_date', `the scope is for the day ${quote(scope.date)}, the request of ${amzDate}`, scope.date);
}

/** A hash that the signature does not cover says nothing and counts as absent. */
function readPayloadHash(
  presented: PresentedSignature,
  signedHeaders: readonly string[],
  headers: SignableRequest['headers'],
): Result<string | null, SigV4Failure> {
  const name = 'x-amz-content-sha256';
  const ofHeader = signedHeaders.includes(name) ? (headers.get(name)?.[0] ?? null) : null;
  if (presented.payloadHash !== null && ofHeader !== null && ofHeader !== presented.payloadHash) {
    return refused('duplicated', `${name} says one thing as a header and another in the query`, name);
  }
  return ok(presented.payloadHash ?? ofHeader);
}

/** Null in the header form. */
function readLifetime(expires: string | null): Result<number | null, SigV4Failure> {
  if (expires === null) return ok(null);
  const seconds = /^[1-9]\d{0,5}$/.test(expires) ? Number(expires) : Number.POSITIVE_INFINITY;
  return seconds <= MAX_PRESIGN_SECONDS
    ? ok(seconds)
    : refused('presign_lifetime', `X-Amz-Expires is ${quote(expires)}, not 1 to ${MAX_PRESIGN_SECONDS}`, expires);
}

function checkTime(claim: SignatureClaim, nowSeconds: EpochSeconds): Result<SignatureClaim, SigV4Failure> {
  const { amzDate, expiresSeconds } = claim;
  const age = nowSeconds - claim.signedAt;
  if (age < -MAX_SKEW_SECONDS || (expiresSeconds === null && age > MAX_SKEW_SECONDS)) {
    return refused('clock_skewed', `X-Amz-Date ${amzDate} is ${age} s old by the clock here`, amzDate);
  }
  if (expiresSeconds !== null && age >= expiresSeconds) {
    return refused('presign_expired', `the request of ${amzDate} expired ${age - expiresSeconds} s ago`, amzDate);
  }
  return ok(claim);
}
