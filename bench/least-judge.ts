// What a grant is besides http, rows and chain: our own pure functions one after the other, for the floor that judges. No framework,
// limits, metrics, look-ups or refusals: whatever does not hold ends the measurement.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { systemRandom } from '../src/app/adapters.ts';
import { decisionEntry, type EncodedRecord } from '../src/base/audit/record.ts';
import { ID_RANDOM_BYTES, newIdAt } from '../src/base/core/ids.ts';
import type { JsonValue } from '../src/base/core/json.ts';
import { MAX_TOKEN_LIFETIME_SECONDS } from '../src/base/core/limits.ts';
import type { Result } from '../src/base/core/result.ts';
import { Secret } from '../src/base/core/secret.ts';
import { assumedRoleArn, assumedRoleId } from '../src/base/credential/aws-arn.ts';
import { checkTimes } from '../src/base/jwt/claims.ts';
import { importKeySet, type VerificationKey } from '../src/base/jwt/jwk.ts';
import { parseJws } from '../src/base/jwt/jws.ts';
import { verifyJws } from '../src/base/jwt/verify.ts';
import { localSigner } from '../src/keys/signer.ts';
import { buildPolicySet, type PolicySet, readPolicy } from '../src/policy/index.ts';
import type { Ceiling } from '../src/policy/role.ts';
import { issueAwsCredentials } from '../src/sts/credentials.ts';
import { ceilingsOf, type Judgement, judge } from '../src/sts/judge.ts';
import { grantRecord } from '../src/sts/records.ts';
import type { TrustedIssuer } from '../src/sts/settings.ts';
import type { Session } from '../src/sts/store.ts';
import { checkParties } from '../src/sts/verifier/checks.ts';
import { CheckList, checkIdentity } from '../src/sts/verifier/verification.ts';
import type { VerifiedFacts } from '../src/sts/verifier/verify.ts';
import { encodeAssumedRole } from '../src/wire/aws-sts/answer.ts';
import type { AssumeRoleCall } from '../src/wire/aws-sts/assume-role.ts';
import { decodeAwsCall } from '../src/wire/aws-sts/call.ts';
import { wideCeiling } from '../test/fakes/roles.ts';
import { DEPLOY_ROLE } from '../test/sdk/aws-s3/job.ts';
import { clock } from './parts.ts';

/** A grant that is to be written down, and its answer. */
export interface Judged {
  readonly session: Session;
  readonly record: EncodedRecord;
  answer(): Promise<string>;
}

const ROLE = { tenant: 'main', name: 'deploy' };
const HEADERS = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
const ADDRESS = '127.0.0.1';

const signer = localSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'k'.repeat(43), 'ES256');
const groupKey = { id: 'g'.repeat(22), key: new Secret(new Uint8Array(randomBytes(32))) };
const idOf = (kind: 'D' | 'S', now: number): string => newIdAt(kind, now, systemRandom.bytes(ID_RANDOM_BYTES));

function held<T>(result: Result<T, unknown>): T {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}

/** What everything is judged by. */
interface Known {
  readonly issuer: TrustedIssuer;
  readonly stsUrl: string;
  readonly keys: readonly VerificationKey[];
  readonly policies: PolicySet;
  readonly ceilings: ReadonlyMap<string, Ceiling>;
}

/** Judges AssumeRoleWithWebIdentity by the role of the bench, with the keys that the issuer publishes. */
export async function leastJudge(issuerUrl: string, stsUrl: string): Promise<(body: Uint8Array) => Promise<Judged>> {
  const published = (await (await fetch(`${issuerUrl}/.well-known/jwks`)).json()) as JsonValue;
  const text = DEPLOY_ROLE.replaceAll('ISSUER', issuerUrl);
  const known: Known = {
    issuer: {
      issuer: issuerUrl,
      audiences: [stsUrl],
      algorithms: ['RS256'],
      network: 'loopback',
      jobStatus: { kind: 'feed', client: 'sts', secret: new Secret('unused') },
      maxSessionSeconds: null,
    },
    stsUrl,
    keys: held(importKeySet(published)).keys,
    policies: buildPolicySet([held(readPolicy({ tenant: ROLE.tenant, file: 'deploy.yaml', text }))]),
    ceilings: ceilingsOf([{ ...wideCeiling(), issuers: [issuerUrl], awsAccounts: 'all' }]),
  };
  return (body) => judgeCall(known, held(decodeAwsCall({ query: '', headers: HEADERS, body })) as AssumeRoleCall);
}

async function judgeCall(known: Known, call: AssumeRoleCall): Promise<Judged> {
  const { ceilings, issuer, policies, stsUrl } = known;
  const list = new CheckList();
  const facts = await verified(known, call.token, list);
  const { askedSeconds, sessionName } = call;
  const now = clock.nowSeconds();
  const identity = { ...facts, issuer: issuer.issuer, jobBound: true, issuerSeconds: null };
  const question = { role: ROLE, askedSeconds, now, sessionName, sourceAddress: ADDRESS };
  const judgement = judge({ ceilings }, policies, { identity, question });
  if (!judgement.allow) throw new Error(judgement.failure.detail);
  const session = sessionOf(judgement, { facts, name: sessionName, now });
  const opened = { id: session.decisionId, at: now * 1000, wire: 'aws', role: ROLE, remoteAddress: ADDRESS } as const;
  const token = { issuer: issuer.issuer, claims: facts.claims, jobId: facts.jobId };
  const trace = { checks: list.traces, ...judgement.trace, jobBound: true };
  const record = decisionEntry(grantRecord(opened, token, { session, trace }));
  return { session, record, answer: () => answerOf(call, session, stsUrl) };
}

type Facts = Omit<VerifiedFacts, 'jobBound'>;

/** The checks of the verifier, but for those that ask somebody. */
async function verified({ issuer, keys }: Known, token: string, list: CheckList): Promise<Facts> {
  const parsed = held(list.note('form', parseJws(token), () => `${token.length} bytes, strict compact JWS`));
  const { algorithms, audiences } = issuer;
  held(list.note('signature', await verifyJws(parsed, keys, { algorithms }), (key) => `RS256 by key ${key.kid}`));
  const { claims } = parsed;
  held(list.note('audience', checkParties(claims, audiences), (audience) => audience));
  const nowSeconds = clock.nowSeconds();
  const times = checkTimes(claims, { nowSeconds, skewSeconds: 30, maxLifetimeSeconds: MAX_TOKEN_LIFETIME_SECONDS });
  const { expiresAt, issuedAt } = held(list.note('times', times, (t) => `expires in ${t.expiresAt - nowSeconds} s`));
  return held(checkIdentity({ issuer, claims, issuedAt, expiresAt, nowSeconds }, list));
}

function sessionOf(
  { attributes, claims, role, trace }: Extract<Judgement, { allow: true }>,
  { facts, name, now }: { readonly facts: Facts; readonly name: string; readonly now: number },
): Session {
  return {
    id: idOf('S', now),
    decisionId: idOf('D', now),
    role: ROLE,
    group: role.session.gateway,
    issuer: facts.issuer.issuer,
    subject: facts.subject,
    jobId: facts.jobId,
    jobBound: true,
    issuedAt: now,
    expiresAt: now + trace.lifetime.givenSeconds,
    claims,
    tags: attributes.tags,
    sourceIdentity: attributes.sourceIdentity,
    name,
    policy: null,
    federation: null,
    parentId: null,
  };
}

async function answerOf({ roleArn, sessionName }: AssumeRoleCall, session: Session, stsUrl: string): Promise<string> {
  const credentials = await issueAwsCredentials(session, { stsUrl, signer, roleArn, groupKey });
  const role = {
    audience: stsUrl,
    assumedRoleId: assumedRoleId(roleArn, sessionName),
    assumedRoleArn: assumedRoleArn(roleArn, sessionName),
    provider: session.issuer,
    credentials,
    subject: session.subject,
    packedPolicyPercent: credentials.packedPolicyPercent,
    sourceIdentity: session.sourceIdentity,
  };
  return String(encodeAssumedRole(role, session.decisionId).body);
}
