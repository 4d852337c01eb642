// An AWS-style session: a signed token that names it, and a key pair derived from its id. The token holds no secret, and nothing
// of the pair is kept anywhere. Signing is the STS's business.
import { createHmac, createSecretKey } from 'node:crypto';
import type { Claims, JsonValue } from '../core/json.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import type { VerificationKey } from '../jwt/jwk.ts';
import { derivedId, isAwsSessionName, parseAwsRoleArn } from './aws-arn.ts';
import {
  type CarriedSession,
  COMMON_MEMBERS,
  type OpenOptions,
  openMembers,
  ownClaims,
  registeredClaims,
  sizeProblem,
} from './carried-session.ts';
import { type CredentialForm, isText } from './credential-form.ts';
import { type Packed, pack, unpack } from './packed.ts';

/** No other token of the STS can pass for a session token, nor this for another. */
export const AWS_SESSION_TOKEN_TYPE = 'jobpass-aws+jwt';

/** Headers of most servers end at 8 KB in all, and presigned URLs carry the token too. */
const MAX_SESSION_TOKEN_CHARS = 7 * 1024;

/** A session as AWS clients hold it. */
export interface AwsSession {
  readonly session: CarriedSession;
  readonly accessKeyId: string;
  /** The role as it was asked for. */
  readonly roleArn: string;
  readonly sessionName: string;
  /** The key of the group that the secret follows from; null in tokens of before they named it. */
  readonly groupKeyId: string | null;
}

/** `ASIA` and 16 characters that follow from the session's id: SigV4 requests name the session by it. */
export const awsAccessKeyId = (sessionId: string): string => `ASIA${derivedId('aws access key id', sessionId, 16)}`;

/** The secret access key: 40 characters that only who has the group's key can work out (design, section 2). */
export function awsSecretKey(groupKey: Uint8Array, sessionId: string): Secret {
  // As a key object: given bytes, Node takes five times as long.
  const mac = createHmac('sha256', createSecretKey(groupKey))
    .update(`jobpass aws secret access key\0${sessionId}`)
    .digest();
  return new Secret(mac.subarray(0, 30).toString('base64'));
}

/** The session token's claims; `packed` is the session's. Precondition: `awsSessionTokenProblem` has nothing against them. */
export function awsSessionTokenClaims(
  { groupKeyId, session, roleArn, sessionName }: Omit<AwsSession, 'accessKeyId'>,
  { text }: Packed = pack(session),
): Claims {
  return {
    ...registeredClaims(session),
    ...ownClaims(session),
    role_arn: roleArn,
    session_name: sessionName,
    ...(groupKeyId === null ? {} : { gk: groupKeyId }),
    ...(session.sourceIdentity === null ? {} : { source_identity: session.sourceIdentity }),
    ...(text === null ? {} : { packed: text }),
  };
}

/**
 * Why no token can carry the session, or undefined. `session_policy_too_large` when tags and session policy take more than 100 %
 * of their room (`percent`); `request_too_large` when the whole token would be too long for a header.
 */
export function awsSessionTokenProblem(
  aws: Omit<AwsSession, 'accessKeyId'>,
): (Failure & { readonly percent?: number }) | undefined {
  const packed = pack(aws.session);
  const { percent } = packed;
  if (percent > 100) {
    const detail = `session tags and session policy take ${percent} % of the room for them`;
    return { ...failure('session_policy_too_large', detail), percent };
  }
  return sizeProblem(awsSessionTokenClaims(aws, packed), MAX_SESSION_TOKEN_CHARS);
}

const isRoleArn = (value: JsonValue): boolean => typeof value === 'string' && parseAwsRoleArn(value) !== undefined;
const isSessionName = (value: JsonValue): boolean => typeof value === 'string' && isAwsSessionName(value);

const FORM: CredentialForm = {
  name: 'the session token',
  type: AWS_SESSION_TOKEN_TYPE,
  required: { ...COMMON_MEMBERS, role_arn: isRoleArn, session_name: isSessionName },
  optional: { source_identity: isText, packed: isText, gk: isText },
};

/** Precondition: checked by the form. */
interface AwsMembers {
  readonly role_arn: string;
  readonly session_name: string;
  readonly source_identity?: string;
  readonly packed?: string;
  readonly gk?: string;
}

/** A verified session token and the key that its signature was checked with. */
export interface OpenedAwsSession {
  readonly aws: AwsSession;
  readonly key: VerificationKey;
}

/**
 * Verifies a session token wholly, as `openMembers` says; `claim_malformed` too when what is packed does not come out whole and
 * within its bounds. Whoever presents it has still to prove that they know the secret.
 */
export async function openAwsSessionToken(
  token: string,
  options: OpenOptions,
): Promise<Result<OpenedAwsSession, Failure>> {
  const opened = await openMembers(token, FORM, options);
  if (!opened.ok) return opened;
  const { claims, key, sessionWith } = opened.value;
  const members = claims as unknown as AwsMembers;
  const { gk: groupKeyId = null, packed, role_arn: roleArn, session_name: sessionName, source_identity } = members;
  const unpacked = packed === undefined ? { tags: {}, policy: null } : unpack(packed);
  if (unpacked === undefined) return err(failure('claim_malformed', 'tags and policy of the session token are broken'));
  const session = sessionWith({ ...unpacked, sourceIdentity: source_identity ?? null });
  const accessKeyId = awsAccessKeyId(session.sessionId);
  return ok({ aws: { session, accessKeyId, roleArn, sessionName, groupKeyId }, key });
}
