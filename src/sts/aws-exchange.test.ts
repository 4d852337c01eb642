// What the pipeline does for AWS clients: roles by their ARN, session names, tags, source identity, session policies, key pairs.
import { beforeEach, describe, expect, test } from 'vitest';
import { ExchangeWorld } from '../../test/fakes/exchange-world.ts';
import { groupKeysOf } from '../../test/fakes/group-keys.ts';
import { makeRole } from '../../test/fakes/roles.ts';
import { keysOf, STS_URL } from '../../test/fakes/sts-world.ts';
import type { Statement } from '../base/core/permissions.ts';
import { ACCESS_TOKEN_TYPE } from '../base/credential/access-token.ts';
import { openAwsSessionToken } from '../base/credential/aws-session.ts';
import { assembleJws } from '../base/jwt/assemble.ts';
import { issueAccessToken } from './credentials.ts';
import type { ExchangeRequest } from './exchange-request.ts';

const ARN = 'arn:aws:iam::000000000042:role/ci/publish-web';
const TAGS = 'https://aws.amazon.com/tags';
const JOBPASS_TRUST = '[{ issuer: "https://ci.example.com", claims: { owner_id: "42" } }]';
const awsTrust = (actions: string, condition = ''): string =>
  `[{ aws: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { Federated: "arn:aws:iam::000000000042:oidc-provider/ci.example.com" }, ` +
  `Action: ${actions}, Condition: { StringEquals: { "ci.example.com:owner_id": "42" } ${condition} } } } }]`;
const ALLOW: Statement = { effect: 'allow', actions: ['s3:GetObject'], resources: ['arn:aws:s3:::web/*'], line: 1 };

const AWS = { wire: 'aws', role: { awsRoleArn: ARN }, sessionName: 'job-1' } as const;
let world: ExchangeWorld;
const start = (trust = JOBPASS_TRUST): void => {
  world = new ExchangeWorld([makeRole({ trust, roleArn: ARN })]);
};
beforeEach(() => start());

const tagged = (overrides: Parameters<typeof world.issuer.idToken>[0] = {}) =>
  world.issuer.idToken({ [TAGS]: { principal_tags: { pipeline: ['web'] } }, ...overrides });
async function reasonOf(request: Partial<ExchangeRequest>): Promise<string> {
  const outcome = await world.exchange({ ...AWS, ...request });
  return outcome.ok ? 'granted' : outcome.reason;
}

describe('a role is found', () => {
  test('by its ARN, and nothing but its ARN', async () => {
    expect(await reasonOf({})).toBe('granted');
    for (const awsRoleArn of [
      'arn:aws:iam::000000000042:role/publish-web',
      'arn:aws:iam::000000000042:role/ci/Publish-Web',
      'arn:aws:iam::000000000043:role/ci/publish-web',
      'arn:aws:sts::000000000042:assumed-role/publish-web/job-1',
      'publish-web',
      '',
    ]) {
      expect(await reasonOf({ role: { awsRoleArn } })).toBe('role_unknown');
    }
  });

  test('only after its token was verified, and its record says what was asked', async () => {
    const outcome = await world.exchange({
      ...AWS,
      role: { awsRoleArn: 'arn:aws:iam::000000000042:role/no' },
      token: 'x',
    });
    expect(outcome).toMatchObject({ ok: false, reason: 'token_malformed' });
    await reasonOf({ role: { awsRoleArn: 'arn:aws:iam::000000000042:role/no' } });
    expect(world.store.decisions.at(-1)).toMatchObject({ role: null, reason: 'role_unknown', wire: 'aws' });
    expect(world.store.decisions.at(-1)?.detail).toContain('arn:aws:iam::000000000042:role/no');
  });

  test('by the policies that decide, when they change while its token is verified', async () => {
    const { policies } = world.deps;
    const both = policies.current();
    let asked = 0;
    const later = () => (asked++ === 0 ? both : new ExchangeWorld([]).deps.policies.current());
    Object.assign(world.deps, { policies: { current: later, isFresh: () => true } });
    expect(await reasonOf({})).toBe('role_unknown');
  });

  test('and without an ARN of its own it is none for AWS clients', async () => {
    world.roles = [makeRole({ trust: JOBPASS_TRUST })];
    expect(await reasonOf({ role: { tenant: 'main', name: 'publish-web' } })).toBe('role_unknown');
    expect(world.store.sessions.size).toBe(0);
  });
});

describe('a session takes', () => {
  test('its name, and the policy may ask for it', async () => {
    start(awsTrust('"sts:AssumeRoleWithWebIdentity"', ', StringLike: { "sts:RoleSessionName": "job-*" }'));
    expect(await reasonOf({})).toBe('granted');
    expect(await reasonOf({ sessionName: 'other' })).toBe('no_rule_matched');
    expect(world.store.roleSessions[0]?.name).toBe('job-1');
  });

  test('tags and source identity of the token, which an AWS document must allow', async () => {
    const source_identity = { 'https://aws.amazon.com/source_identity': 'you' };
    const token = await tagged(source_identity);
    start(awsTrust('["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]'));
    const { session } = await world.granted({ ...AWS, token: await tagged(source_identity) });
    expect(session).toMatchObject({ tags: { pipeline: 'web' }, sourceIdentity: 'you' });
    start(awsTrust('["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]'));
    expect(await reasonOf({ token: await tagged(source_identity) })).toBe('no_rule_matched');
    start();
    expect((await world.granted({ ...AWS, token: await tagged(source_identity) })).session).toMatchObject({
      tags: { pipeline: 'web' },
      sourceIdentity: 'you',
    });
    expect(token).not.toBe('');
  });

  test.each([
    [{ principal_tags: { pipeline: ['web', 'other'] } }],
    [{ principal_tags: { pipeline: ['web'], Pipeline: ['other'] } }],
    [[{ pipeline: 'web' }]],
    ['web'],
  ])('never part of tags that are broken: %j', async (tags) => {
    expect(await reasonOf({ token: await tagged({ [TAGS]: tags }) })).toBe('no_rule_matched');
  });

  test('on the wire of RFC 8693 the same, and its record tells', async () => {
    const role = { tenant: 'main', name: 'publish-web' };
    const { session } = await world.granted({ wire: 'rfc8693', role, token: await tagged() });
    expect(session).toMatchObject({ tags: { pipeline: 'web' }, name: null, policy: null });
    const told = { tags: { pipeline: 'web' }, sourceIdentity: null, narrowed: false };
    expect(world.store.decisions[0]?.trace.session).toEqual(told);
    await world.granted({ wire: 'rfc8693', role });
    expect(world.store.decisions[1]?.trace.session).toBeUndefined();
  });

  test('a life that boto3 would not be calm with, and says so', async () => {
    await world.granted({ ...AWS, askedSeconds: 900 });
    await world.granted({ ...AWS, askedSeconds: 1200 });
    await world.granted({ wire: 'rfc8693', role: { tenant: 'main', name: 'publish-web' }, askedSeconds: 900 });
    const notes = world.store.decisions.map(({ trace }) => trace.lifetime?.note);
    expect(notes).toEqual([expect.stringContaining('boto3'), undefined, undefined]);
  });
});

describe('a session policy', () => {
  const NAMED = 'arn:aws:iam::000000000042:policy/read';

  test('is kept and told, also one that allows nothing', async () => {
    expect((await world.granted({ ...AWS, sessionPolicy: [] })).session.policy).toEqual([]);
    expect(world.store.decisions[0]?.trace.session).toEqual({
      name: 'job-1',
      tags: {},
      sourceIdentity: null,
      narrowed: true,
    });
    expect((await world.granted(AWS)).session.policy).toBeNull();
  });

  test('is the union of the inline and the named ones of the role’s tenant', async () => {
    world.awsPolicies.set('main', new Map([[NAMED, [ALLOW]]]));
    world.awsPolicies.set('other', new Map([['arn:aws:iam::000000000042:policy/all', [ALLOW]]]));
    const inline = [{ ...ALLOW, actions: ['s3:PutObject'] }];
    const { session } = await world.granted({ ...AWS, sessionPolicy: inline, policyArns: [NAMED] });
    expect(session.policy).toEqual([...inline, ALLOW]);
    expect((await world.granted({ ...AWS, policyArns: [NAMED] })).session.policy).toEqual([ALLOW]);
    for (const arn of ['arn:aws:iam::000000000042:policy/all', NAMED.toUpperCase()]) {
      expect(await reasonOf({ policyArns: [NAMED, arn] })).toBe('session_policy_malformed');
    }
    expect(world.store.sessions.size).toBe(2);
  });

  test('of a name that nobody knows says nothing of it to who may not have the role', async () => {
    const token = await world.issuer.idToken({ owner_id: '43' });
    expect(await reasonOf({ token, policyArns: [NAMED] })).toBe('no_rule_matched');
  });

  test('that does not fit is refused before anything is granted, with its size', async () => {
    const large = Array.from({ length: 900 }, (_, index) => ({
      ...ALLOW,
      resources: [`arn:aws:s3:::${((index + 7) ** 9).toString(36)}/*`],
    }));
    const outcome = await world.exchange({ ...AWS, sessionPolicy: large });
    expect(outcome).toMatchObject({ ok: false, reason: 'session_policy_too_large' });
    expect(!outcome.ok && outcome.packedPolicyPercent).toBeGreaterThan(100);
    expect(world.store.sessions.size).toBe(0);
    expect(world.store.decisions[0]).toMatchObject({ outcome: 'refused', reason: 'session_policy_too_large' });
  });
});

describe('nothing is granted that no credential could carry', () => {
  test('a name that AWS would not take', async () => {
    for (const sessionName of ['', 'a b', 'x'.repeat(65)]) {
      expect(await reasonOf({ sessionName })).toBe('request_malformed');
    }
    expect(world.store.sessions.size).toBe(0);
  });

  test('more claims or tags than a token holds', async () => {
    const resource = `arn:aws:s3:::web/\${claims.long}/*`;
    const permissions = `[{ effect: allow, actions: ["s3:GetObject"], resources: ["${resource}"] }]`;
    world.roles = [makeRole({ trust: JOBPASS_TRUST, roleArn: ARN, permissions })];
    const token = await world.issuer.idToken({ long: 'x'.repeat(6000) });
    expect(await reasonOf({ token })).toBe('request_too_large');
    const role = { tenant: 'main', name: 'publish-web' };
    expect((await world.exchange({ wire: 'rfc8693', role, token })).ok).toBe(true);
    const full = await world.issuer.idToken({ long: 'x'.repeat(11_760) });
    const outcome = await world.exchange({ wire: 'rfc8693', role, token: full });
    expect(outcome).toMatchObject({ ok: false, reason: 'request_too_large' });
  });
});

describe('the credentials of a session', () => {
  test('carry it whole to the gateways of its group', async () => {
    const granted = await world.granted({ ...AWS, token: await tagged(), sessionPolicy: [ALLOW] });
    const credentials = await world.issueAws(granted);
    expect(credentials.expiresAt).toBe(granted.session.expiresAt);
    expect(credentials.packedPolicyPercent).toBeGreaterThan(0);
    expect(JSON.stringify(credentials)).not.toContain(credentials.secretAccessKey.reveal());
    const opened = await openAwsSessionToken(credentials.sessionToken, {
      issuer: STS_URL,
      groups: ['artifacts'],
      keys: keysOf(world.key.publicJwk),
      nowSeconds: world.clock.nowSeconds(),
      skewSeconds: 0,
    });
    expect(opened.ok && opened.value.aws).toMatchObject({
      accessKeyId: credentials.accessKeyId,
      roleArn: ARN,
      sessionName: 'job-1',
      session: { sessionId: granted.session.id, role: 'main/publish-web', tags: { pipeline: 'web' }, policy: [ALLOW] },
    });
    expect((await world.issueAws(await world.granted(AWS))).packedPolicyPercent).toBeNull();
  });

  test('are known at the STS while the session is in force', async () => {
    const granted = await world.granted({ ...AWS, askedSeconds: 900 });
    const { accessKeyId, secretAccessKey, sessionToken } = await world.issueAws(granted);
    const caller = await world.openCaller(sessionToken);
    expect(caller.ok && caller.value.aws.accessKeyId).toBe(accessKeyId);
    expect(caller.ok && caller.value.secretAccessKey.reveal()).toBe(secretAccessKey.reveal());
    world.clock.advance(900);
    expect(await world.openCaller(sessionToken)).toMatchObject({ ok: false, error: { reason: 'session_expired' } });
  });

  test('are not known there once it ended, or never was', async () => {
    const granted = await world.granted(AWS);
    const { sessionToken } = await world.issueAws(granted);
    world.store.sessions.delete(granted.session.id);
    expect(await world.openCaller(sessionToken)).toMatchObject({ ok: false, error: { reason: 'session_ended' } });
  });

  test('of another form, group or STS are not known there', async () => {
    const granted = await world.granted(AWS);
    const accessToken = await issueAccessToken(granted.session, { stsUrl: STS_URL, signer: world.key.signer });
    const { sessionToken } = await world.issueAws(granted);
    const reason = async (token: string) => {
      const opened = await world.openCaller(token);
      return opened.ok ? 'ok' : opened.error.reason;
    };
    expect(await reason(accessToken)).toBe('token_type_refused');
    expect(await reason(await assembleJws({ typ: ACCESS_TOKEN_TYPE }, {}, world.key.signer))).toBe(
      'token_type_refused',
    );
    const { groupKeys } = world;
    groupKeys.delete('artifacts');
    expect(await reason(sessionToken)).toBe('group_mismatch');
  });

  test('of AWS keep their secret while the group changes its key, until their own is gone', async () => {
    const granted = await world.granted(AWS);
    const { secretAccessKey, sessionToken } = await world.issueAws(granted);
    const secretAfter = async (...fills: readonly number[]) => {
      world.groupKeys.set('artifacts', { view: groupKeysOf(...fills) });
      const opened = await world.openCaller(sessionToken);
      return opened.ok ? opened.value.secretAccessKey.reveal() : opened.error.reason;
    };
    expect(await secretAfter(7, 8)).toBe(secretAccessKey.reveal());
    expect(await secretAfter(8)).toBe('key_unknown');
  });
});
