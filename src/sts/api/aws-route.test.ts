// POST / as AWS's clients see it: grants, refusals with their codes, and nothing that tells strangers more than that.
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assumeRole, codeOf, memberOf, withoutId } from '../../../test/fakes/aws-calls.ts';
import { DEPLOY_ARN, deployPolicies } from '../../../test/fakes/aws-role.ts';
import { answer, noAnswer } from '../../../test/fakes/fake-job-issuer.ts';
import { StsWorld, type StsWorldOptions } from '../../../test/fakes/sts-world.ts';
import type { JsonValue } from '../../base/core/json.ts';
import type { Reason } from '../../base/core/reasons.ts';

let world: StsWorld;

const restart = async (options: StsWorldOptions = {}): Promise<void> => {
  await world?.close();
  world = await StsWorld.start({ policies: deployPolicies(), ...options });
};

beforeEach(() => restart());
afterEach(() => world.close());

const granted = async (
  claims: Readonly<Record<string, JsonValue>> = {},
  changes: Parameters<typeof assumeRole>[2] = {},
) => {
  const response = await assumeRole(world, await world.issuer.idToken(claims), changes);
  expect(response.status, response.text).toBe(200);
  return response;
};

/** Why, as the operator finds it under the id of a refusal. */
const reasonOf = async (response: Awaited<ReturnType<typeof assumeRole>>): Promise<unknown> => {
  const { json } = await world.call(`GET /admin/v1/decisions/${memberOf(response, 'RequestId')}`, { as: 'root' });
  return (json.decision as { reason?: unknown } | undefined)?.reason;
};

const seconds = (response: Awaited<ReturnType<typeof assumeRole>>): number =>
  Date.parse(memberOf(response, 'Expiration') ?? '') / 1000 - world.clock.nowSeconds();

describe('AssumeRoleWithWebIdentity', () => {
  test('grants a session that is durable, with credentials that nothing keeps', async () => {
    const response = await granted();
    const [session] = world.store.roleSessions;
    const [decision] = world.store.decisions;
    expect(session).toMatchObject({
      role: { tenant: 'main', name: 'deploy' },
      name: 'job-1',
      jobId: 'J1',
      policy: null,
    });
    expect(decision).toMatchObject({ wire: 'aws', outcome: 'granted', id: memberOf(response, 'RequestId') });
    expect(response.headers).toMatchObject({
      'content-type': 'text/xml',
      'cache-control': 'no-store',
      'x-amzn-requestid': decision?.id,
    });
    expect(memberOf(response, 'AssumedRoleId')).toMatch(/^AROA[A-Z2-7]{17}:job-1$/);
    expect(response.text).toContain('<Arn>arn:aws:sts::000000000042:assumed-role/deploy/job-1</Arn>');
    expect(memberOf(response, 'Provider')).toBe('arn:aws:iam::000000000042:oidc-provider/ci.example.com');
    expect(memberOf(response, 'Audience')).toBe('https://sts.example.com');
    expect(memberOf(response, 'SubjectFromWebIdentityToken')).toBe(session?.subject);
    const kept = JSON.stringify([world.store.decisions, [...world.store.sessions], world.log.lines]);
    for (const secret of ['SecretAccessKey', 'SessionToken']) {
      expect(kept).not.toContain(memberOf(response, secret));
    }
  });

  test.each<[string, Readonly<Record<string, JsonValue>>, Readonly<Record<string, string>>, number]>([
    ['the role', {}, { DurationSeconds: '43200' }, 1800],
    ['the role, when nothing was asked for', {}, {}, 1800],
    ['what was asked for', {}, { DurationSeconds: '900' }, 900],
    ['the job’s deadline, also below 900 s', { job_deadline: '1800000060' }, { DurationSeconds: '900' }, 60],
  ])('is as long as %s lets it be', async (_bound, claims, changes, expected) => {
    expect(seconds(await granted(claims, changes))).toBe(expected);
  });

  test('is 3,600 s when nothing was asked for and the role allows more', async () => {
    await restart({ policies: deployPolicies((text) => text.replace('max_duration: 30m', 'max_duration: 60m')) });
    expect(seconds(await granted({ job_deadline: '1800043200' }))).toBe(3600);
  });

  test('takes the same token again, as clients that refresh do', async () => {
    const token = await world.issuer.idToken();
    const keys = [];
    for (const response of [await assumeRole(world, `${token}\n`), await assumeRole(world, token)]) {
      keys.push(memberOf(response, 'AccessKeyId'));
    }
    expect(new Set(keys).size).toBe(2);
  });

  test('carries source identity and tags where the trust lets them be, and tells their size', async () => {
    const claims = {
      'https://aws.amazon.com/source_identity': 'octocat',
      'https://aws.amazon.com/tags': { principal_tags: { pipeline: ['7'] }, transitive_tag_keys: [] },
    };
    const response = await granted(claims);
    expect(memberOf(response, 'SourceIdentity')).toBe('octocat');
    expect(Number(memberOf(response, 'PackedPolicySize'))).toBeGreaterThan(0);
    expect(world.store.roleSessions[0]?.tags).toEqual({ pipeline: '7' });
    const plain = await granted({ jti: 'token-2' });
    expect([memberOf(plain, 'SourceIdentity'), memberOf(plain, 'PackedPolicySize')]).toEqual([undefined, undefined]);
  });

  test('answers each of many calls at once with its own session', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `job-${index}`);
    const token = await world.issuer.idToken();
    const responses = await Promise.all(names.map((name) => assumeRole(world, token, { RoleSessionName: name })));
    expect(responses.map((response) => memberOf(response, 'AssumedRoleId')?.split(':')[1])).toEqual(names);
    expect(new Set(responses.map((response) => memberOf(response, 'AccessKeyId'))).size).toBe(names.length);
  });
});

const POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::web/*' }],
};

describe('a session policy', () => {
  test('narrows the session, and its size is told', async () => {
    const response = await granted({}, { Policy: JSON.stringify(POLICY) });
    const [session] = world.store.roleSessions;
    expect(session?.policy).toHaveLength(1);
    expect(Number(memberOf(response, 'PackedPolicySize'))).toBeGreaterThan(0);
  });

  test.each(['{', '[]', '{"Version":"2012-10-17"}', JSON.stringify({ ...POLICY, Version: '1999-01-01' })])(
    'that cannot be judged by is refused: %s',
    async (Policy) => {
      const response = await assumeRole(world, await world.issuer.idToken(), { Policy });
      expect(codeOf(response)).toEqual([400, 'MalformedPolicyDocument']);
      expect(await reasonOf(response)).toBe('session_policy_malformed');
      expect(world.store.sessions.size).toBe(0);
    },
  );

  test('that has no room is refused with its share', async () => {
    const arn = 'arn:aws:iam::000000000042:policy/noise';
    const noise = (index: number): string =>
      `arn:aws:s3:::${createHash('sha256').update(`${index}`).digest('base64url')}`;
    const resources = Array.from({ length: 90 }, (_, index) => noise(index));
    const policy = [{ effect: 'allow', actions: ['s3:GetObject'], resources, line: 1 }] as const;
    await restart({ settings: { awsPolicies: new Map([['main', new Map([[arn, policy]])]]) } });
    const response = await assumeRole(world, await world.issuer.idToken(), { 'PolicyArns.member.1.arn': arn });
    expect([codeOf(response), await reasonOf(response)]).toEqual([
      [400, 'PackedPolicyTooLarge'],
      'session_policy_too_large',
    ]);
    expect(memberOf(response, 'Message')).toMatch(
      /^Packed size .* consumes 1[0-9]{2}% of allotted space\. The operator/,
    );
    expect(world.store.sessions.size).toBe(0);
  });

  test('with a name that the tenant does not have is refused, and only once the token is trusted', async () => {
    const changes = { 'PolicyArns.member.1.arn': 'arn:aws:iam::000000000042:policy/unknown' };
    const response = await assumeRole(world, await world.issuer.idToken(), changes);
    expect([codeOf(response), await reasonOf(response)]).toEqual([
      [400, 'MalformedPolicyDocument'],
      'session_policy_malformed',
    ]);
    const stranger = await assumeRole(world, await world.issuer.idToken({ ref: 'refs/heads/dev' }), changes);
    expect(codeOf(stranger)).toEqual([403, 'AccessDenied']);
    const nobody = await assumeRole(world, 'a.b.c', changes);
    expect(codeOf(nobody)).toEqual([400, 'InvalidIdentityToken']);
  });
});

describe('a refusal', () => {
  test('is one and the same for an unknown role, another tenant’s and a failed condition', async () => {
    const otherTenant = DEPLOY_ARN.replace('000000000042', '000000000043');
    const policies = deployPolicies();
    const own = policies.files.get('main/deploy.yaml');
    policies.files.set('other/deploy.yaml', String(own).replace(DEPLOY_ARN, otherTenant).replace('"42"', '"43"'));
    await restart({ policies });
    const token = await world.issuer.idToken();
    const responses = [
      await assumeRole(world, token, { RoleArn: 'arn:aws:iam::000000000042:role/nobody' }),
      await assumeRole(world, token, { RoleArn: otherTenant }),
      await assumeRole(world, await world.issuer.idToken({ ref: 'refs/heads/dev' })),
    ];
    expect(new Set(responses.map(withoutId)).size).toBe(1);
    expect(new Set(responses.map((response) => JSON.stringify(Object.keys(response.headers)))).size).toBe(1);
    expect(responses.map(codeOf)).toEqual(Array(3).fill([403, 'AccessDenied']));
    expect(await Promise.all(responses.map(reasonOf))).toEqual(['role_unknown', 'no_rule_matched', 'no_rule_matched']);
  });

  test.each<[string, () => Promise<string> | string, number, string, Reason]>([
    ['garbage', () => 'garbage', 400, 'InvalidIdentityToken', 'token_malformed'],
    ['a token above 16 KiB', () => 'a'.repeat(19_000), 400, 'InvalidIdentityToken', 'token_too_large'],
    ['an unknown issuer', () => id({ iss: 'https://evil.example' }), 400, 'InvalidIdentityToken', 'issuer_unknown'],
    ['another audience', () => id({ aud: 'sts.amazonaws.com' }), 400, 'InvalidIdentityToken', 'audience_mismatch'],
    ['no subject', () => id({ sub: 7 }), 400, 'InvalidIdentityToken', 'claim_malformed'],
    ['an expired token', () => id({ exp: 1_799_999_000 }), 400, 'ExpiredTokenException', 'token_expired'],
    ['a job past its deadline', () => id({ job_deadline: '1799999999' }), 403, 'AccessDenied', 'lifetime_exhausted'],
  ])('of %s has its code, and its reason under its id', async (_what, token, status, code, reason) => {
    const response = await assumeRole(world, await token());
    expect(codeOf(response)).toEqual([status, code]);
    expect(await reasonOf(response)).toBe(reason);
    const id = memberOf(response, 'RequestId');
    expect(response.headers['x-amzn-requestid']).toBe(id);
    expect(memberOf(response, 'Message')).toContain(`jobpass decisions show ${id}`);
    expect(world.store.sessions.size).toBe(0);
  });

  test('of a job that is over is an AccessDenied', async () => {
    const now = world.clock.nowSeconds();
    await world.store.buryJobs([{ issuer: world.issuer.issuer, jobId: 'J1', endedAt: now, expiresAt: now + 3600 }]);
    const response = await assumeRole(world, await id());
    expect([codeOf(response), await reasonOf(response)]).toEqual([[403, 'AccessDenied'], 'job_ended']);
  });

  test('of a used token of a single-use role is an InvalidIdentityToken', async () => {
    await restart({ policies: deployPolicies((text) => text.replace('30m', '30m, single_use: true')) });
    const token = await id();
    await assumeRole(world, token);
    const again = await assumeRole(world, token);
    expect([codeOf(again), await reasonOf(again)]).toEqual([[400, 'InvalidIdentityToken'], 'token_replayed']);
  });

  test.each<[string, (bent: StsWorld) => void, number, string]>([
    [
      'the issuer’s keys cannot be fetched',
      (bent) => bent.issuer.handlers.set('/.well-known/openid-configuration', () => noAnswer()),
      400,
      'IDPCommunicationError',
    ],
    [
      'the issuer is in trouble',
      (bent) => bent.issuer.handlers.set('/jwks', () => answer('', 502)),
      400,
      'IDPCommunicationError',
    ],
    [
      'whether the job runs cannot be learnt',
      (bent) => bent.issuer.handlers.set('/v1/introspect', () => answer('', 500)),
      503,
      'ServiceUnavailable',
    ],
    [
      'the store does not take the grant',
      (bent) => {
        bent.store.grant = () => Promise.reject(new Error('io'));
      },
      503,
      'ServiceUnavailable',
    ],
    [
      'the session token cannot be signed',
      (bent) => {
        Object.assign(bent.key.signer, { sign: () => Promise.reject(new Error('hsm')) });
      },
      500,
      'InternalFailure',
    ],
  ])('when %s lets clients try again', async (_what, before, status, code) => {
    await restart({ before });
    const response = await assumeRole(world, await id());
    expect(codeOf(response)).toEqual([status, code]);
    expect(response.text).not.toMatch(/hsm|io\b/);
    expect(memberOf(response, 'Type')).toBe(status >= 500 ? 'Receiver' : 'Sender');
  });

  test.each<[string, () => ReturnType<typeof answer>]>([
    ['no keys', () => answer({ keys: [] })],
    ['a page', () => answer('<html>')],
    ['a status that says no', () => answer('', 404)],
    ['a redirect', () => noAnswer('redirect_refused')],
  ])('when the issuer answers with %s stops clients: it will answer so again', async (_what, jwks) => {
    await restart({ before: (bent) => bent.issuer.handlers.set('/jwks', jwks) });
    const response = await assumeRole(world, await id());
    expect([codeOf(response), await reasonOf(response)]).toEqual([[400, 'InvalidIdentityToken'], 'issuer_unusable']);
  });

  test('meets our own credentials when they are offered as identity', async () => {
    const own = memberOf(await granted(), 'SessionToken') ?? '';
    const response = await assumeRole(world, own);
    expect(codeOf(response)).toEqual([400, 'InvalidIdentityToken']);
  });

  test('of what is no call has an id and its whole text, and asks nobody', async () => {
    const before = world.issuer.requests.length;
    const response = await world.call('POST /', { form: { Action: 'NoSuchAction', Version: '2011-06-15' } });
    expect([codeOf(response), await reasonOf(response)]).toEqual([[400, 'InvalidAction'], 'request_malformed']);
    expect(memberOf(response, 'Message')).not.toContain('jobpass decisions');
    expect(world.issuer.requests).toHaveLength(before);
  });

  test.each(['GET /', 'GET /?Action=GetCallerIdentity&Version=2011-06-15'])(
    '%s says how it is done',
    async (target) => {
      const response = await world.call(target);
      expect(codeOf(response)).toEqual([405, 'InvalidAction']);
      expect(response.headers.allow).toBe('POST');
      expect(memberOf(response, 'Message')).toContain('POST AssumeRoleWithWebIdentity');
    },
  );
});

const id = (claims: Parameters<StsWorld['issuer']['idToken']>[0] = {}) => world.issuer.idToken(claims);
