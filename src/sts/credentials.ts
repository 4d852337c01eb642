// The credentials that carry a session, one kind for each wire. Precondition everywhere: the store has taken the session.
import type { Wire } from '../base/audit/record.ts';
import { formatRoleRef } from '../base/core/decision.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import type { Secret } from '../base/core/secret.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { ACCESS_TOKEN_TYPE, accessTokenClaims, accessTokenProblem } from '../base/credential/access-token.ts';
import { isAwsSessionName } from '../base/credential/aws-arn.ts';
import {
  AWS_SESSION_TOKEN_TYPE,
  awsAccessKeyId,
  awsSecretKey,
  awsSessionTokenClaims,
  awsSessionTokenProblem,
} from '../base/credential/aws-session.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';
import { FEDERATED_TOKEN_TYPE, federatedTokenClaims } from '../base/credential/federated-token.ts';
import { pack } from '../base/credential/packed.ts';
import { assembleJws } from '../base/jwt/assemble.ts';
import type { Signer } from '../base/ports/signer.ts';
import type { GroupKey } from '../keys/group-key.ts';
import type { Role } from '../policy/role.ts';
import type { FederatedSession, Session } from './store.ts';

/** What a credential is made with. `stsUrl` is its `iss`. */
export interface Issuing {
  readonly stsUrl: string;
  readonly signer: Signer;
}

/** The access token (RFC 9068) of a session. */
export const issueAccessToken = (session: Session, { stsUrl, signer }: Issuing): Promise<string> =>
  assembleJws({ typ: ACCESS_TOKEN_TYPE }, accessTokenClaims(carried(session, stsUrl)), signer);

/** The token of a session that has no role yet. */
export function issueFederatedToken(session: FederatedSession, { stsUrl, signer }: Issuing): Promise<string> {
  const { expiresAt, id: sessionId, issuedAt, issuer: jobIssuer, jobBound, jobId, subject } = session;
  const identity = { issuer: stsUrl, sessionId, subject, jobIssuer, jobId, jobBound, issuedAt, expiresAt };
  return assembleJws({ typ: FEDERATED_TOKEN_TYPE }, federatedTokenClaims(identity), signer);
}

/** What an AWS client is given. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly sessionToken: string;
  readonly expiresAt: EpochSeconds;
  /** How much of their room session tags and session policy take; null when there are none. */
  readonly packedPolicyPercent: number | null;
}

/** Key pair and session token of a session. Precondition: `carryingProblem` had nothing against it on the wire `aws`. */
export async function issueAwsCredentials(
  session: Session,
  o: Issuing & { readonly roleArn: string; readonly groupKey: GroupKey },
): Promise<AwsCredentials> {
  const aws = { ...awsSessionOf(session, o.roleArn, o.stsUrl), groupKeyId: o.groupKey.id };
  const packed = pack(session);
  return {
    accessKeyId: awsAccessKeyId(session.id),
    secretAccessKey: awsSecretKey(o.groupKey.key.reveal(), session.id),
    sessionToken: await assembleJws({ typ: AWS_SESSION_TOKEN_TYPE }, awsSessionTokenClaims(aws, packed), o.signer),
    expiresAt: session.expiresAt,
    packedPolicyPercent: packed.percent === 0 ? null : packed.percent,
  };
}

/**
 * Why no credential of the wire could carry the session, asked before anything is granted. `request_too_large`: nobody would read so
 * long a token. For AWS clients also `role_unknown`: the role has no ARN; `request_malformed`: the session's name is not one;
 * `session_policy_too_large`, with its share in percent.
 */
export function carryingProblem(
  wire: Wire,
  o: { readonly session: Session; readonly role: Role; readonly stsUrl: string },
): (Failure & { readonly percent?: number }) | undefined {
  const { role, session, stsUrl } = o;
  if (wire !== 'aws') return accessTokenProblem(carried(session, stsUrl));
  if (role.aws === null) return failure('role_unknown', 'no AWS client can assume this role');
  if (session.name === null || !isAwsSessionName(session.name)) {
    return failure('request_malformed', 'the session has no name that AWS would take');
  }
  return awsSessionTokenProblem(awsSessionOf(session, role.aws.roleArn, stsUrl));
}

/** As long as every id of a group's key: what a token is measured with before one is chosen. */
const SOME_GROUP_KEY_ID = '0'.repeat(22);

function awsSessionOf(session: Session, roleArn: string, stsUrl: string) {
  const { name: sessionName } = session;
  if (sessionName === null) throw new TypeError('a session without a name is no AWS client’s');
  return { session: carried(session, stsUrl), roleArn, sessionName, groupKeyId: SOME_GROUP_KEY_ID };
}

const carried = (session: Session, stsUrl: string): CarriedSession => ({
  issuer: stsUrl,
  sessionId: session.id,
  role: formatRoleRef(session.role),
  group: session.group,
  subject: session.subject,
  jobIssuer: session.issuer,
  jobId: session.jobId,
  jobBound: session.jobBound,
  claims: session.claims,
  issuedAt: session.issuedAt,
  expiresAt: session.expiresAt,
  tags: session.tags,
  sourceIdentity: session.sourceIdentity,
  policy: session.policy,
});
