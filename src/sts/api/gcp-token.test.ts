// POST /v1/token as Google Cloud's clients see it: what a provider's roles give, what is refused, and nothing that tells strangers
// more than that.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answer, noAnswer } from '../../../test/fakes/fake-job-issuer.ts';
import {
  ACCOUNT,
  gcpAccessToken,
  gcpPolicies,
  gcpReason,
  gcpToken,
  gcpWithoutId,
  OTHER_ACCOUNT,
  OTHER_PROVIDER,
  PLATFORM,
  PROVIDER,
} from '../../../test/fakes/gcp-calls.ts';
import { keysOf, STS_URL, StsWorld, type StsWorldOptions } from '../../../test/fakes/sts-world.ts';
import type { JsonValue } from '../../base/core/json.ts';
import type { Reason } from '../../base/core/reasons.ts';
import { openAccessToken } from '../../base/credential/access-token.ts';
import { openAwsSessionToken } from '../../base/credential/aws-session.ts';
import { parseJws } from '../../base/jwt/jws.ts';

let world: StsWorld;

const restart = async (options: StsWorldOptions = {}): Promise<void> => {
  await world?.close();
  world = await StsWorld.start({ policies: gcpPolicies({ direct: {} }), ...options });
};
const FEDERATED = { policies: gcpPolicies({ publish: { account: ACCOUNT } }) };

beforeEach(() => restart());
afterEach(() => world.close());

const idToken = (claims: Readonly<Record<string, JsonValue>> = {}) => world.issuer.idToken(claims);
const DEV = { ref: 'refs/heads/dev' };

const atGateway = (token: string) => ({
  issuer: STS_URL,
  groups: ['artifacts'],
  keys: keysOf(world.key.publicJwk),
  nowSeconds: world.clock.nowSeconds(),
  skewSeconds: 30,
  token,
});

describe('a provider with a role of its own', () => {
  test('gives that role’s session, which gateways take', async () => {
    const response = await gcpToken(world, await idToken());
    expect(response.status, response.text).toBe(200);
    expect(response.json).toMatchObject({ token_type: 'Bearer', expires_in: 1800 });
    expect(response.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' });
    const { token, ...options } = atGateway(String(response.json.access_token));
    const opened = await openAccessToken(token, options);
    expect(opened.ok && opened.value.session).toMatchObject({ role: 'main/direct', policy: null, jobId: 'J1' });
    const [session] = world.store.roleSessions;
    const [decision] = world.store.decisions;
    expect(session).toMatchObject({ role: { name: 'direct' }, issuer: world.issuer.issuer });
    expect(decision).toMatchObject({ wire: 'gcp', outcome: 'granted', id: response.json.decision_id });
  });

  test('takes the JSON of google-github-actions/auth', async () => {
    const json = {
      audience: PROVIDER,
      grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
      scope: PLATFORM,
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      subjectToken: await idToken(),
    };
    const headers = { 'content-type': 'application/json' };
    expect(await world.call('POST /v1/token', { json, headers })).toMatchObject({ status: 200 });
  });

  test('gives no longer a life than the job has left', async () => {
    const response = await gcpToken(world, await idToken({ job_deadline: String(world.clock.nowSeconds() + 60) }));
    expect(response.json.expires_in).toBe(60);
  });

  test.each([
    ['https://www.googleapis.com/auth/devstorage.read_only', ['s3:Get*', 's3:List*']],
    ['https://www.googleapis.com/auth/iam', []],
    ['openid', []],
  ])('gives to the scope %s no more than it says', async (scope, actions) => {
    const response = await gcpToken(world, await idToken(), { scope });
    const { token, ...options } = atGateway(String(response.json.access_token));
    const opened = await openAccessToken(token, options);
    expect(opened.ok && opened.value.session.policy?.flatMap((statement) => statement.actions)).toEqual(actions);
  });

  test('takes the same token again, as clients that refresh do', async () => {
    const token = await idToken();
    const ids = [await gcpToken(world, `${token}\n`), await gcpToken(world, token)].map(({ json }) => json.decision_id);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('a token’s audience', () => {
  beforeEach(() => restart({ registration: { jobStatus: { kind: 'none' } } }));

  test.each([PROVIDER, `https:${PROVIDER}`])('may be the provider it is presented to: %s', async (aud) => {
    expect(await gcpToken(world, await idToken({ aud }))).toMatchObject({ status: 200 });
  });

  test.each([OTHER_PROVIDER, `http:${PROVIDER}`, `${PROVIDER}/`, 'https://sts.googleapis.com'])(
    'may not be %s',
    async (aud) => {
      const response = await gcpToken(world, await idToken({ aud }));
      expect([response.status, response.json.error, await gcpReason(world, response)]).toEqual([
        400,
        'invalid_grant',
        'audience_mismatch',
      ]);
    },
  );

  test('may not be a provider on any other wire', async () => {
    const response = await world.exchange(await idToken({ aud: PROVIDER }));
    expect([response.status, response.json.reason]).toEqual([400, 'token_invalid']);
  });

  test('may be a provider only where the issuer tells of the jobs behind it', async () => {
    await restart();
    const response = await gcpToken(world, await idToken({ aud: PROVIDER }));
    expect([response.status, await gcpReason(world, response)]).toEqual([503, 'job_status_unknown']);
  });
});

describe('a provider whose roles all have service accounts', () => {
  beforeEach(() => restart(FEDERATED));

  test('gives a token that says who it is, to the STS alone', async () => {
    const response = await gcpToken(world, await idToken());
    expect([response.status, response.json.expires_in]).toEqual([200, 1800]);
    const parsed = parseJws(String(response.json.access_token));
    expect(parsed.ok && parsed.value.header.typ).toBe('jobpass-federated+jwt');
    expect(parsed.ok && parsed.value.claims).toMatchObject({
      iss: STS_URL,
      aud: 'urn:jobpass:sts',
      job: { iss: world.issuer.issuer, id: 'J1' },
      job_bound: true,
    });
    const [decision] = world.store.decisions;
    expect(decision).toMatchObject({ wire: 'gcp', outcome: 'granted', role: null });
    expect(decision?.trace.checks).toContainEqual({
      check: 'role main/publish',
      outcome: 'held',
      detail: 'would be granted for 1800 s',
    });
    expect([...world.store.sessions.values()]).toMatchObject([{ role: null, federation: { provider: PROVIDER } }]);
  });

  test('whose token no gateway takes', async () => {
    const { token, ...options } = atGateway(await gcpAccessToken(world));
    for (const open of [openAccessToken, openAwsSessionToken]) {
      expect(await open(token, options)).toMatchObject({ ok: false, error: { reason: 'token_type_refused' } });
    }
  });

  test('whose token is no ID token on any wire', async () => {
    const token = await gcpAccessToken(world);
    const aws = {
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::000000000042:role/deploy',
      RoleSessionName: 'job-1',
      WebIdentityToken: token,
    };
    expect(await gcpToken(world, token)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(await world.exchange(token)).toMatchObject({ status: 400, json: { reason: 'token_invalid' } });
    expect((await world.call('POST /', { form: aws })).text).toContain('<Code>InvalidIdentityToken</Code>');
  });

  test('lasts as long as the shortest of the roles that would be granted', async () => {
    await restart({
      policies: gcpPolicies({
        long: { account: ACCOUNT, session: 'max_duration: 50m' },
        short: { account: OTHER_ACCOUNT, session: 'max_duration: 10m' },
        shortest: {
          account: 'other@acme.iam.gserviceaccount.com',
          session: 'max_duration: 1m',
          trust: '[{ issuer: "https://ci.example.com", claims: { owner_id: "43" } }]',
        },
      }),
    });
    expect((await gcpToken(world, await idToken())).json.expires_in).toBe(600);
  });

  test('gives nothing to a scope that takes on no account', async () => {
    const response = await gcpToken(world, await idToken(), {
      scope: 'https://www.googleapis.com/auth/devstorage.read_only',
    });
    expect([response.status, response.json.error, await gcpReason(world, response)]).toEqual([
      400,
      'unauthorized_client',
      'role_unknown',
    ]);
    expect(world.store.sessions.size).toBe(0);
  });
});

describe('a refusal', () => {
  test('is one and the same for an unknown provider, another tenant’s, and a failed condition, in either form', async () => {
    const theirs = PROVIDER.replace('/42/', '/43/');
    const policies = gcpPolicies({ direct: {}, publish: { account: ACCOUNT, provider: OTHER_PROVIDER } });
    const own = String(policies.files.get('main/direct.yaml'));
    policies.files.set('other/direct.yaml', own.replace(PROVIDER, theirs).replace('"42"', '"44"'));
    await restart({ policies });
    const nobody = PROVIDER.replace('jobpass', 'nobody');
    const responses = [
      await gcpToken(world, await idToken(), { audience: nobody }),
      await gcpToken(world, await idToken(), { audience: theirs }),
      await gcpToken(world, await idToken(DEV)),
      await gcpToken(world, await idToken(DEV), { audience: OTHER_PROVIDER }),
    ];
    expect(new Set(responses.map(gcpWithoutId)).size).toBe(1);
    expect(responses[0]).toMatchObject({ status: 400, json: { error: 'unauthorized_client' } });
    const reasons = await Promise.all(responses.map((response) => gcpReason(world, response)));
    expect(reasons).toEqual(['role_unknown', 'no_rule_matched', 'no_rule_matched', 'no_rule_matched']);
    expect(world.store.sessions.size).toBe(0);
  });

  test('is one for a token that is for the provider, whether the provider is known or not', async () => {
    await restart({ registration: { jobStatus: { kind: 'none' } } });
    const nobody = PROVIDER.replace('jobpass', 'nobody');
    const responses = [
      await gcpToken(world, await idToken({ aud: nobody }), { audience: nobody }),
      await gcpToken(world, await idToken({ aud: PROVIDER, ...DEV })),
    ];
    expect(new Set(responses.map(gcpWithoutId)).size).toBe(1);
  });

  test('of a federated token shows the clauses of the role to the operator', async () => {
    await restart(FEDERATED);
    await gcpToken(world, await idToken(DEV));
    const [decision] = world.store.decisions;
    expect(decision).toMatchObject({ outcome: 'refused', role: null, wire: 'gcp' });
    expect(decision?.trace.role).toMatchObject({ file: 'main/publish.yaml' });
  });

  test.each<[string, () => Promise<string> | string, number, string, Reason]>([
    ['garbage', () => 'garbage', 400, 'invalid_grant', 'token_malformed'],
    ['an unknown issuer', () => idToken({ iss: 'https://evil.example' }), 400, 'invalid_grant', 'issuer_unknown'],
    ['another audience', () => idToken({ aud: 'https://other.example' }), 400, 'invalid_grant', 'audience_mismatch'],
    ['no subject', () => idToken({ sub: 7 }), 400, 'invalid_grant', 'claim_malformed'],
    ['an expired token', () => idToken({ exp: 1_799_999_000 }), 400, 'invalid_grant', 'token_expired'],
    ['no time left', () => idToken({ job_deadline: '1799999999' }), 400, 'unauthorized_client', 'lifetime_exhausted'],
  ])('of %s has its code, and its reason under its id', async (_what, token, status, error, reason) => {
    const response = await gcpToken(world, await token());
    expect([response.status, response.json.error, await gcpReason(world, response)]).toEqual([status, error, reason]);
    expect(response.json.error_description).toContain('jobpass decisions show ');
    expect(world.store.sessions.size).toBe(0);
  });

  test('of the request itself says what is wrong with it, and asks nobody', async () => {
    const response = await gcpToken(world, await idToken(), { scope: null });
    expect(response.json).toMatchObject({ error: 'invalid_request', error_description: 'scope is missing' });
    expect(await gcpReason(world, response)).toBe('request_malformed');
    expect(world.issuer.requests).not.toContain('POST /v1/introspect');
  });

  test.each<[string, (bent: StsWorld) => void]>([
    [
      'the issuer’s keys cannot be fetched',
      (bent) => bent.issuer.handlers.set('/.well-known/openid-configuration', () => noAnswer()),
    ],
    [
      'whether the job runs cannot be learnt',
      (bent) => bent.issuer.handlers.set('/v1/introspect', () => answer('', 500)),
    ],
    [
      'the store does not take the grant',
      (bent) => {
        bent.store.grant = () => Promise.reject(new Error('io'));
      },
    ],
    [
      'the token cannot be signed',
      (bent) => {
        Object.assign(bent.key.signer, { sign: () => Promise.reject(new Error('hsm')) });
      },
    ],
  ])('when %s lets clients try again', async (_what, before) => {
    for (const options of [{}, FEDERATED]) {
      await restart({ ...options, before });
      const response = await gcpToken(world, await idToken());
      expect([response.status, response.headers['retry-after']]).toEqual([503, '1']);
      expect(response.text).not.toMatch(/hsm|\bio\b/);
    }
  });
});
