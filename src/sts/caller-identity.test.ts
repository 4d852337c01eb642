// GetCallerIdentity: whoever holds the whole of a session's credentials is its caller, and nobody else is.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  assumedCredentials,
  type Bent,
  type Credentials,
  callerIdentity,
  codeOf,
  memberOf,
} from '../../test/fakes/aws-calls.ts';
import { deployPolicies } from '../../test/fakes/aws-role.ts';
import { StsWorld } from '../../test/fakes/sts-world.ts';

let world: StsWorld;
let own: Credentials;

beforeEach(async () => {
  world = await StsWorld.start({ policies: deployPolicies() });
  own = await assumedCredentials(world);
});
afterEach(() => world.close());

const refused = async (credentials: Credentials, bent: Bent = {}): Promise<unknown> => {
  const response = await callerIdentity(world, credentials, bent);
  expect(response.headers['x-amzn-requestid']).toBe(memberOf(response, 'RequestId'));
  const { json } = await world.call(`GET /admin/v1/decisions/${memberOf(response, 'RequestId')}`, { as: 'root' });
  return [...codeOf(response), (json.decision as { reason?: unknown }).reason];
};

test('a caller is told its role, its session and its account', async () => {
  const response = await callerIdentity(world, own);
  expect(response.status, response.text).toBe(200);
  expect(memberOf(response, 'Arn')).toBe('arn:aws:sts::000000000042:assumed-role/deploy/job-1');
  expect(memberOf(response, 'UserId')).toMatch(/^AROA[A-Z2-7]{17}:job-1$/);
  expect(memberOf(response, 'Account')).toBe('000000000042');
  expect(response.headers['cache-control']).toBe('no-store');
});

test('a header that STS does not read need not be signed, and the hash that a client claims is not believed', async () => {
  const bent = { headers: { 'x-amz-user-agent': 'x', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } };
  expect((await callerIdentity(world, own, bent)).status).toBe(200);
  const body = 'Version=2011-06-15&Action=GetCallerIdentity';
  expect(await refused(own, { ...bent, body })).toEqual([403, 'SignatureDoesNotMatch', 'signature_invalid']);
});

describe('nobody is a caller', () => {
  test('without a signature', async () => {
    const response = await world.call('POST /', { form: { Action: 'GetCallerIdentity', Version: '2011-06-15' } });
    expect(codeOf(response)).toEqual([403, 'MissingAuthenticationToken']);
  });

  test('with another secret, or with the one of another session', async () => {
    const expected = [403, 'SignatureDoesNotMatch', 'signature_invalid'];
    const { secretAccessKey } = await assumedCredentials(world, { jti: 'token-2' });
    for (const secret of [`${own.secretAccessKey}x`, secretAccessKey, '']) {
      expect(await refused({ ...own, secretAccessKey: secret })).toEqual(expected);
    }
  });

  test('with the session token of another session', async () => {
    const other = await assumedCredentials(world, { jti: 'token-2' });
    expect(await refused({ ...own, sessionToken: other.sessionToken })).toEqual([
      403,
      'InvalidClientTokenId',
      'signature_invalid',
    ]);
    expect(await refused({ ...own, accessKeyId: other.accessKeyId })).toEqual([
      403,
      'InvalidClientTokenId',
      'signature_invalid',
    ]);
  });

  test.each<[string, (credentials: Credentials) => Credentials, string]>([
    ['without a session token', (c) => ({ ...c, sessionToken: null }), 'credential_missing'],
    ['with a session token that is none', (c) => ({ ...c, sessionToken: 'a.b.c' }), 'token_malformed'],
    ['with a tampered session token', tampered, 'signature_invalid'],
    [
      'with a shortened session token',
      (c) => ({ ...c, sessionToken: c.sessionToken?.slice(0, -1) ?? '' }),
      'token_malformed',
    ],
    [
      'with an access key in lower case',
      (c) => ({ ...c, accessKeyId: c.accessKeyId.toLowerCase() }),
      'signature_invalid',
    ],
  ])('%s', async (_what, bend, reason) => {
    expect(await refused(bend(own))).toEqual([403, 'InvalidClientTokenId', reason]);
  });

  test('with an identity token or an access token instead', async () => {
    const { json } = await world.exchange(await world.issuer.idToken({ jti: 'token-2' }));
    const tokens = [await world.issuer.idToken(), String(json.access_token)];
    for (const sessionToken of tokens) {
      const [status, code] = (await refused({ ...own, sessionToken })) as unknown[];
      expect([status, code]).toEqual([403, 'InvalidClientTokenId']);
    }
  });

  test('with the session token of another STS', async () => {
    const other = await StsWorld.start({ policies: deployPolicies() });
    const theirs = await assumedCredentials(other);
    await other.close();
    const [status, code] = (await refused(theirs)) as unknown[];
    expect([status, code]).toEqual([403, 'InvalidClientTokenId']);
  });

  test.each([16 * 60, -16 * 60])('%d s away from the clock', async (away) => {
    const atSeconds = world.clock.nowSeconds() + away;
    expect(await refused(own, { atSeconds })).toEqual([403, 'SignatureDoesNotMatch', 'clock_skewed']);
    const near = await callerIdentity(world, own, { atSeconds: world.clock.nowSeconds() + Math.sign(away) * 14 * 60 });
    expect(near.status).toBe(200);
  });

  test.each<[string, Bent]>([
    ['in another host', { headers: { host: 'evil.example' } }],
    ['in another media type', { headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' } }],
    ['in another body', { body: 'Version=2011-06-15&Action=GetCallerIdentity' }],
  ])('with a signature that covers another request: %s', async (_what, bent) => {
    expect(await refused(own, bent)).toEqual([403, 'SignatureDoesNotMatch', 'signature_invalid']);
  });

  test('with a session that is past its expiry', async () => {
    world.clock.advance(1800 + 31);
    expect(await refused(own)).toEqual([403, 'ExpiredToken', 'session_expired']);
  });

  test('with a session that ended with its job', async () => {
    const now = world.clock.nowSeconds();
    await world.store.buryJobs([{ issuer: world.issuer.issuer, jobId: 'J1', endedAt: now, expiresAt: now + 3600 }]);
    expect(await refused(own)).toEqual([403, 'ExpiredToken', 'session_ended']);
  });

  test('while the store cannot tell whether the session stands', async () => {
    world.store.findSession = () => Promise.reject(new Error('io'));
    expect(await refused(own)).toEqual([503, 'ServiceUnavailable', 'store_unavailable']);
  });
});

test('a refusal repeats nothing of the credentials, and neither does the log', async () => {
  const response = await callerIdentity(world, { ...own, secretAccessKey: 'wrong' });
  const written = response.text + JSON.stringify(world.log.lines);
  for (const part of [own.secretAccessKey, own.sessionToken ?? '']) expect(written).not.toContain(part);
});

function tampered(credentials: Credentials): Credentials {
  const [header = '', claims = '', signature = ''] = (credentials.sessionToken ?? '').split('.');
  const changed = Buffer.from(Buffer.from(claims, 'base64url').toString().replace('deploy', 'deplo_')).toString(
    'base64url',
  );
  return { ...credentials, sessionToken: `${header}.${changed}.${signature}` };
}
