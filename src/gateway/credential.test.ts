// Credentials of a gateway's group, opened: what they carry decides, and a session policy only ever narrows.
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { FeedSts } from '../../test/fakes/feed-sts.ts';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { propertyRuns } from '../../test/fakes/property-runs.ts';
import { keysOf } from '../../test/fakes/sts-world.ts';
import type { Statement } from '../base/core/permissions.ts';
import { AWS_SESSION_TOKEN_TYPE, awsSessionTokenClaims } from '../base/credential/aws-session.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';
import { assembleJws } from '../base/jwt/assemble.ts';
import { authorize } from '../policy/iam/authorize.ts';
import type { RequestFacts } from '../policy/iam/permission-conditions.ts';
import { type CompiledPermissions, compilePermissions } from '../policy/iam/statements.ts';
import { type Ask, type Authority, type Knowledge, permit, withdrawalOf } from './authorize.ts';
import { openAwsCredential, openBearer } from './credential.ts';

const statement = (effect: Statement['effect'], action: string, resource: string): Statement => ({
  effect,
  actions: [action],
  resources: [resource],
  line: 1,
});
const ALL = statement('allow', 's3:*', 'arn:aws:s3:::*');
const GET: Ask = { action: 's3:GetObject', resource: 'arn:aws:s3:::web/a', facts: {} };

let clock: FrozenClock;
let sts: FeedSts;
let permissions: CompiledPermissions;
let authority: Authority;
beforeEach(() => {
  clock = new FrozenClock();
  sts = new FeedSts(clock);
  permissions = compilePermissions([ALL]);
  const keys = keysOf(sts.key.publicJwk);
  const knowledge: Knowledge = {
    nowSeconds: () => clock.nowSeconds(),
    keys: () => keys,
    isEnded: () => false,
    epochOf: () => undefined,
    stalenessMs: () => 0,
    permissionsOf: () => permissions,
  };
  const { issuer: stsUrl, group } = sts.session();
  authority = { gateway: 'store', group, stsUrl, clockSkewSeconds: 30, knowledge };
});

const sessionToken = (over: Partial<CarriedSession> = {}): Promise<string> => {
  const aws = {
    session: sts.session(over),
    roleArn: 'arn:aws:iam::000000000042:role/publish-web',
    sessionName: 'job-1',
    groupKeyId: null,
  };
  return assembleJws({ typ: AWS_SESSION_TOKEN_TYPE }, awsSessionTokenClaims(aws), sts.key.signer);
};

/** What a session may, by its two credentials: both must answer the same. */
async function outcomes(over: Partial<CarriedSession>, ask: Ask = GET): Promise<string> {
  const bearer = await openBearer(await sts.token(over), authority);
  const aws = await openAwsCredential(await sessionToken(over), authority);
  const credentials = [bearer, aws.ok ? { ok: true as const, value: aws.value.credential } : aws];
  const answers = credentials.map((opened) => {
    const decided = opened.ok ? permit(opened.value, [ask], authority.knowledge) : opened;
    return decided.ok ? 'allowed' : decided.error.reason;
  });
  expect(answers[1]).toBe(answers[0]);
  return String(answers[0]);
}

describe('a session policy', () => {
  test('narrows its role in either form of credential', async () => {
    expect(await outcomes({})).toBe('allowed');
    expect(await outcomes({ policy: [statement('allow', 's3:GetObject', 'arn:aws:s3:::web/*')] })).toBe('allowed');
    expect(await outcomes({ policy: [statement('allow', 's3:PutObject', 'arn:aws:s3:::web/*')] })).toBe(
      'permission_denied',
    );
    expect(await outcomes({ policy: [ALL, statement('deny', 's3:Get*', 'arn:aws:s3:::web/a')] })).toBe(
      'permission_denied',
    );
  });

  test('that is empty allows nothing, and one that allows all gives nothing that the role has not', async () => {
    expect(await outcomes({ policy: [] })).toBe('permission_denied');
    permissions = compilePermissions([statement('allow', 's3:PutObject', 'arn:aws:s3:::*')]);
    expect(await outcomes({ policy: [ALL] })).toBe('permission_denied');
  });

  test('that does not compile refuses the credential', async () => {
    const policy = [{ ...ALL, conditions: { StringEquals: { 'aws:NotKnownHere': 'x' } } }];
    expect(await outcomes({ policy })).toBe('session_policy_malformed');
  });

  test('ends a request when its condition on the time comes to an end', async () => {
    const until = new Date((clock.nowSeconds() + 60) * 1000).toISOString().replace('.000', '');
    const policy = [{ ...ALL, conditions: { DateLessThan: { 'aws:CurrentTime': until } } }];
    const opened = await openAwsCredential(await sessionToken({ policy }), authority);
    if (!opened.ok) throw new Error(opened.error.detail);
    const letIn = permit(opened.value.credential, [GET], authority.knowledge);
    if (!letIn.ok) throw new Error(letIn.error.detail);
    expect(withdrawalOf(letIn.value, authority.knowledge)).toBeUndefined();
    clock.advance(61);
    expect(withdrawalOf(letIn.value, authority.knowledge)?.reason).toBe('permission_denied');
  });
});

test('tags and source identity of the session decide, and no gateway can say otherwise', async () => {
  permissions = compilePermissions([
    {
      ...statement('allow', 's3:*', `arn:aws:s3:::web/\${aws:PrincipalTag/pipeline}/*`),
      conditions: { StringEquals: { 'aws:SourceIdentity': 'you' } },
    },
  ]);
  const ask = { ...GET, resource: 'arn:aws:s3:::web/shop/a' };
  expect(await outcomes({ tags: { pipeline: 'shop' }, sourceIdentity: 'you' }, ask)).toBe('allowed');
  expect(await outcomes({ tags: { pipeline: 'shop' } }, ask)).toBe('permission_denied');
  expect(await outcomes({ tags: {}, sourceIdentity: 'you' }, ask)).toBe('permission_denied');
  const facts: RequestFacts = { tags: { pipeline: 'shop' }, sourceIdentity: 'you' };
  expect(await outcomes({}, { ...ask, facts })).toBe('permission_denied');
});

test.each<[string, Partial<CarriedSession>]>([
  ['group_mismatch', { group: 'other' }],
  ['issuer_unknown', { issuer: 'https://other.example.com' }],
])('another group’s or STS’s credential is refused: %s', async (reason, over) => {
  expect(await outcomes(over)).toBe(reason);
});

test('one form of credential never passes for the other', async () => {
  expect(await openBearer(await sessionToken(), authority)).toMatchObject({ error: { reason: 'token_type_refused' } });
  expect(await openAwsCredential(await sts.token(), authority)).toMatchObject({
    error: { reason: 'token_type_refused' },
  });
});

test('before the STS was heard from nothing is opened', async () => {
  const silent = { ...authority, knowledge: { ...authority.knowledge, keys: () => [] } };
  expect(await openAwsCredential(await sessionToken(), silent)).toMatchObject({ error: { reason: 'feed_stale' } });
});

test('whatever the policies, a session may only what its role and its session policy each allow', async () => {
  const opened = await openAwsCredential(await sessionToken(), authority);
  if (!opened.ok) throw new Error(opened.error.detail);
  const { credential } = opened.value;
  const one = fc
    .tuple(
      fc.constantFrom<Statement['effect']>('allow', 'allow', 'deny'),
      fc.constantFrom('s3:GetObject', 's3:PutObject', 's3:*'),
      fc.constantFrom(
        'arn:aws:s3:::*',
        'arn:aws:s3:::web/*',
        'arn:aws:s3:::web/?',
        `arn:aws:s3:::web/\${aws:PrincipalTag/x}`,
      ),
    )
    .map((parts) => statement(...parts));
  const statements = fc.array(one, { maxLength: 4 });
  const asked = fc.record({
    action: fc.constantFrom('s3:GetObject', 's3:PutObject'),
    resource: fc.constantFrom('arn:aws:s3:::web/a', 'arn:aws:s3:::web/ab', 'arn:aws:s3:::ops/a'),
    facts: fc.constant({}),
  });
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      statements,
      fc.option(statements),
      asked,
      fc.constantFrom({}, { x: 'a' }),
      (role, policy, ask, tags) => {
        permissions = compilePermissions(role);
        const session = { ...credential.session, tags };
        const narrowed = policy === null ? null : compilePermissions(policy);
        const { ok } = permit({ ...credential, session, policy: narrowed }, [ask], authority.knowledge);
        const allows = (by: CompiledPermissions): boolean =>
          authorize(by, { ...ask, claims: {}, facts: { tags } }).allow;
        expect(ok).toBe(allows(permissions) && (narrowed === null || allows(narrowed)));
        seen.add(`${ok} ${narrowed === null}`);
      },
    ),
    { numRuns: propertyRuns() },
  );
  expect(seen.size).toBe(4);
});
