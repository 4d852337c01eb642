// The answers of AWS STS that grant something, and the frame that every answer has. It decides nothing.
import type { Secret } from '../../base/core/secret.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { type HttpResponse, NEVER_KEPT } from '../../base/ports/http.ts';
import { textElement } from '../xml/write.ts';

/** Of API version 2011-06-15, the only one there is. */
export const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** An XML answer. Clients read the request's id from the header when the body cannot be parsed. */
export const xmlResponse = (status: number, body: string, requestId: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId, ...NEVER_KEPT },
  body,
});

/** What AssumeRoleWithWebIdentity hands out. */
export interface AssumedRole {
  /** The token's `aud`. */
  readonly audience: string;
  /** `AROA…:session`. */
  readonly assumedRoleId: string;
  readonly assumedRoleArn: string;
  /** The ARN of the issuer as a provider in the role's account. */
  readonly provider: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: Secret;
    readonly sessionToken: string;
    readonly expiresAt: EpochSeconds;
  };
  /** The token's `sub`, as it is: AWS's model says 6 to 255 characters, its clients do not check. */
  readonly subject: string;
  /** Percent of the room for session policies and tags; null when the session has neither. */
  readonly packedPolicyPercent: number | null;
  readonly sourceIdentity: string | null;
}

/** The answer that every measured client takes, byte for byte. */
export function encodeAssumedRole(role: AssumedRole, requestId: string): HttpResponse {
  const { accessKeyId, expiresAt, secretAccessKey, sessionToken } = role.credentials;
  const user = textElement('AssumedRoleId', role.assumedRoleId) + textElement('Arn', role.assumedRoleArn);
  const credentials = [
    textElement('AccessKeyId', accessKeyId),
    textElement('SecretAccessKey', secretAccessKey.reveal()),
    textElement('SessionToken', sessionToken),
    textElement('Expiration', formatTime(expiresAt)),
  ];
  const members = [
    `${textElement('Audience', role.audience)}<AssumedRoleUser>${user}</AssumedRoleUser>`,
    textElement('Provider', role.provider),
    `<Credentials>${credentials.join('')}</Credentials>`,
    ...(role.packedPolicyPercent === null ? [] : [textElement('PackedPolicySize', String(role.packedPolicyPercent))]),
    ...(role.sourceIdentity === null ? [] : [textElement('SourceIdentity', role.sourceIdentity)]),
    textElement('SubjectFromWebIdentityToken', role.subject),
  ];
  return encodeResult('AssumeRoleWithWebIdentity', members.join('\n'), requestId);
}

/** Who a session's credentials belong to. */
export interface CallerIdentity {
  readonly arn: string;
  readonly userId: string;
  readonly account: string;
}

/** The answer of GetCallerIdentity. */
export function encodeCallerIdentity(caller: CallerIdentity, requestId: string): HttpResponse {
  const members = [
    textElement('Arn', caller.arn),
    textElement('UserId', caller.userId),
    textElement('Account', caller.account),
  ];
  return encodeResult('GetCallerIdentity', members.join(''), requestId);
}

function encodeResult(action: string, members: string, requestId: string): HttpResponse {
  const result = `<${action}Result>\n${members}</${action}Result>`;
  const metadata = `<ResponseMetadata>${textElement('RequestId', requestId)}</ResponseMetadata>`;
  const body = `<${action}Response xmlns="${STS_NAMESPACE}">${result}\n${metadata}</${action}Response>`;
  return xmlResponse(200, body, requestId);
}

/** ISO 8601 without fractions: some clients read no other form. */
const formatTime = (at: EpochSeconds): string => new Date(at * 1000).toISOString().replace('.000Z', 'Z');
