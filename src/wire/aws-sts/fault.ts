// The errors of AWS STS as its clients parse them: code, status, message. Which code a client gets decides whether it asks again.
import { type Failure, failure, type Reason, safeReason } from '../../base/core/reasons.ts';
import type { HttpResponse } from '../../base/ports/http.ts';
import { retryHeaders, withWayToReason } from '../../base/refusal/telling.ts';
import { textElement } from '../xml/write.ts';
import { STS_NAMESPACE, xmlResponse } from './answer.ts';

/**
 * The statuses of the codes, as the model of AWS's own clients has them. Only `IDPCommunicationError`, `InternalFailure`,
 * `ServiceUnavailable` and `Throttling` make a client ask again; every other stops it at once.
 */
const STATUS = {
  AccessDenied: 403,
  ExpiredToken: 403,
  ExpiredTokenException: 400,
  IDPCommunicationError: 400,
  IncompleteSignature: 400,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidIdentityToken: 400,
  MalformedInput: 400,
  MalformedPolicyDocument: 400,
  MissingAction: 400,
  MissingAuthenticationToken: 403,
  PackedPolicyTooLarge: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  ValidationError: 400,
} as const;

export type AwsCode = keyof typeof STATUS;

/** One error answer. The message is for the caller: it holds nothing but the protocol's own words. */
export interface AwsFault {
  readonly code: AwsCode;
  readonly status: number;
  readonly message: string;
}

/** What a caller is told, and what the operator finds under the decision's id. */
export interface AwsRefusal {
  readonly fault: AwsFault;
  readonly failure: Failure;
  /** Whether the caller was told everything: then there is nothing more to look up. */
  readonly isOpen: boolean;
}

/** A fault; `status` only where AWS itself gives one code two statuses. */
export const awsFault = (code: AwsCode, message: string, status: number = STATUS[code]): AwsFault => ({
  code,
  status,
  message,
});

/** A refusal whose reason may be read by everybody, because it speaks of the caller's own request only. */
export const openRefusal = (reason: Reason, code: AwsCode, message: string): AwsRefusal => ({
  fault: awsFault(code, message),
  failure: failure(reason, message),
  isOpen: true,
});

/**
 * The fault of a refused exchange. Unknown role, other tenant and failed condition are one. A client is made to ask again only
 * when the same token may be good a moment later: `IDPCommunicationError` says so of the issuer's keys, the rest of ourselves.
 * An issuer that answers with unusable keys will do so the next time.
 * `packedPolicyPercent` belongs to `session_policy_too_large`.
 */
export function faultOf(reason: Reason, packedPolicyPercent?: number): AwsFault {
  switch (reason) {
    case 'issuer_unreachable':
      return awsFault('IDPCommunicationError', 'The keys of the identity provider could not be fetched; try again');
    case 'issuer_unusable':
      return awsFault('InvalidIdentityToken', 'The identity provider publishes no keys that can be used');
    case 'session_policy_malformed':
      return awsFault('MalformedPolicyDocument', 'A session policy is not a policy document that is taken here');
    case 'session_policy_too_large':
    case 'request_too_large':
      return awsFault('PackedPolicyTooLarge', tooLarge(packedPolicyPercent));
    case 'internal_failure':
      return awsFault('InternalFailure', 'The request could not be processed; nothing was granted');
    default:
      return bySafeReason(reason);
  }
}

/** AWS names the share, so that people see how far they have to go down. */
const tooLarge = (percent: number | undefined): string =>
  `Packed size of session policies and session tags consumes ${percent ?? 'more than 100'}% of allotted space`;

function bySafeReason(reason: Reason): AwsFault {
  const safe = safeReason(reason);
  switch (safe) {
    case 'token_invalid':
      return awsFault('InvalidIdentityToken', 'The web identity token that was passed is not acceptable here');
    case 'token_expired':
      return awsFault('ExpiredTokenException', 'The web identity token that was passed is past its expiry');
    case 'access_denied':
    case 'not_found':
    case 'client_invalid':
      return awsFault('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
    case 'request_invalid':
    case 'conflict':
      return awsFault('ValidationError', 'The request is not what AssumeRoleWithWebIdentity asks for');
    case 'limited':
      return awsFault('Throttling', 'Rate exceeded');
    case 'unavailable':
      return awsFault('ServiceUnavailable', 'The request cannot be answered at the moment; try again');
  }
}

/** The fault of a request that was refused before anybody read its parameters; `message` is for the caller. */
export function faultOfStatus(status: number, message: string): AwsFault {
  if (status === 429) return faultOf('rate_limited');
  return status >= 500 ? faultOf('store_unavailable') : awsFault('MalformedInput', message, status);
}

/** The fault with the way to its reason, where the reason is kept from the caller. */
export const leadingOn = (fault: AwsFault, decisionId: string): AwsFault => ({
  ...fault,
  message: withWayToReason(fault.message, decisionId),
});

/** The answer; `requestId` is the decision's id. */
export function encodeAwsFault(fault: AwsFault, requestId: string): HttpResponse {
  // AWS's word for whose fault it is: the server's own faults are the Receiver's.
  const type = textElement('Type', fault.status >= 500 ? 'Receiver' : 'Sender');
  const error = `<Error>${type}${textElement('Code', fault.code)}${textElement('Message', fault.message)}</Error>`;
  const body = `<ErrorResponse xmlns="${STS_NAMESPACE}">${error}${textElement('RequestId', requestId)}</ErrorResponse>`;
  const answer = xmlResponse(fault.status, body, requestId);
  return { ...answer, headers: { ...answer.headers, ...RETRIED[fault.code] } };
}

/** AWS's own clients go by the code; others that stand in front of them read the header. */
const RETRIED: Partial<Record<AwsCode, Readonly<Record<string, string>>>> = {
  ServiceUnavailable: retryHeaders('unavailable'),
  Throttling: retryHeaders('limited'),
};
