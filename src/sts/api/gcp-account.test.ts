// generateAccessToken as Google Cloud's clients see it: one session of the account's role, never more and never longer than what it
// comes of, and nothing that tells strangers which accounts there are.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
  takeOn,
} from '../../../test/fakes/gcp-calls.ts';
import { keysOf, STS_URL, type StsAnswer, StsWorld, type StsWorldOptions } from '../../../test/fakes/sts-world.ts';
import { openAccessToken } from '../../base/credential/access-token.ts';

let world: StsWorld;

const restart = async (options: StsWorldOptions = {}): Promise<void> => {
  await world?.close();
  world = await StsWorld.start({ policies: gcpPolicies({ publish: { account: ACCOUNT } }), ...options });
};

beforeEach(() => restart());
afterEach(() => world.close());

const outcomeOf = async (answer: StsAnswer): Promise<unknown> => [
  answer.status,
  (answer.json.error as { status?: unknown } | undefined)?.status,
  await gcpReason(world, answer),
];
const secondsLeft = ({ json }: StsAnswer): number =>
  Date.parse(String(json.expireTime)) / 1000 - world.clock.nowSeconds();
describe('taking on a service account', () => {
  test('gives a session of its role, with a decision of its own', async () => {
    const parent = await gcpAccessToken(world);
    const response = await takeOn(world, parent);
    expect(response.status, response.text).toBe(200);
    expect(Object.keys(response.json)).toEqual(['accessToken', 'expireTime']);
    const opened = await openAccessToken(String(response.json.accessToken), {
      issuer: STS_URL,
      groups: ['artifacts'],
      keys: keysOf(world.key.publicJwk),
      nowSeconds: world.clock.nowSeconds(),
      skewSeconds: 30,
    });
    expect(opened.ok && opened.value.session).toMatchObject({ role: 'main/publish', jobId: 'J1', jobBound: true });
    const [first, second] = world.store.decisions;
    expect(first).toMatchObject({ wire: 'gcp', role: null });
    expect(second).toMatchObject({ wire: 'gcp', role: { tenant: 'main', name: 'publish' }, outcome: 'granted' });
    expect(second?.claims).toEqual(first?.claims);
    expect(second?.trace.checks[0]).toEqual({
      check: 'credential',
      outcome: 'held',
      detail: `session ${first?.sessionId}`,
    });
  });

  test.each([
    ['what was asked for', '600s', 600],
    ['the role, when more was asked for', '43200s', 1800],
  ])('lasts as long as %s', async (_bound, lifetime, seconds) => {
    const response = await takeOn(world, await gcpAccessToken(world), { body: { scope: [PLATFORM], lifetime } });
    expect(secondsLeft(response)).toBe(seconds);
  });

  test('never outlives what it comes of', async () => {
    await restart({ registration: { jobStatus: { kind: 'none' } } });
    const parent = await gcpAccessToken(world);
    world.clock.advance(1000);
    expect(secondsLeft(await takeOn(world, parent))).toBe(200);
    const [, decision] = world.store.decisions;
    expect(decision?.trace.lifetime).toMatchObject({ untilParentSeconds: 200, boundBy: 'parent' });
  });

  test('is narrowed by its own scopes', async () => {
    const body = { scope: ['https://www.googleapis.com/auth/devstorage.read_only'] };
    await takeOn(world, await gcpAccessToken(world), { body });
    expect(world.store.roleSessions[0]?.policy).toMatchObject([{ actions: ['s3:Get*', 's3:List*'] }]);
  });

  test('is done by the token of a provider’s own role too, once', async () => {
    await restart({ policies: gcpPolicies({ direct: {}, publish: { account: ACCOUNT } }) });
    const parent = await gcpAccessToken(world);
    expect(await takeOn(world, parent)).toMatchObject({ status: 200 });
    expect(world.store.roleSessions.map(({ role }) => role.name)).toEqual(['direct', 'publish']);
    expect(await outcomeOf(await takeOn(world, parent))).toEqual([401, 'UNAUTHENTICATED', 'token_replayed']);
  });
});

describe('the token of a provider’s own role', () => {
  test('takes on no account of another group: gateways of its own saw it', async () => {
    const policies = gcpPolicies({ direct: {}, publish: { account: ACCOUNT, gateway: 'packages' } });
    await restart({ policies });
    const parent = await gcpAccessToken(world);
    const outcome = [403, 'PERMISSION_DENIED', 'chaining_refused'];
    expect(await outcomeOf(await takeOn(world, parent))).toEqual(outcome);
    expect(world.store.roleSessions.map(({ role }) => role.name)).toEqual(['direct']);
    expect(world.store.decisions.at(-1)).toMatchObject({ outcome: 'refused', role: { name: 'publish' } });
  });

  test('is refused for it as an account that nobody has', async () => {
    const policies = gcpPolicies({ direct: {}, publish: { account: ACCOUNT, gateway: 'packages' } });
    await restart({ policies });
    const parent = await gcpAccessToken(world);
    const other = await takeOn(world, parent, { account: OTHER_ACCOUNT });
    expect(gcpWithoutId(await takeOn(world, parent))).toBe(gcpWithoutId(other));
  });
});

describe('one token', () => {
  test('takes on one account once', async () => {
    const policies = gcpPolicies({ publish: { account: ACCOUNT }, deploy: { account: OTHER_ACCOUNT } });
    await restart({ policies });
    const parent = await gcpAccessToken(world);
    expect(await takeOn(world, parent)).toMatchObject({ status: 200 });
    for (const account of [ACCOUNT, OTHER_ACCOUNT]) {
      expect(await outcomeOf(await takeOn(world, parent, { account }))).toEqual([
        401,
        'UNAUTHENTICATED',
        'token_replayed',
      ]);
    }
    expect(world.store.roleSessions).toHaveLength(1);
  });

  test('takes on one account once, however many ask at once', async () => {
    const parent = await gcpAccessToken(world);
    const answers = await Promise.all(Array.from({ length: 20 }, () => takeOn(world, parent)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('is not used up by a refusal', async () => {
    const parent = await gcpAccessToken(world);
    expect(await takeOn(world, parent, { account: OTHER_ACCOUNT })).toMatchObject({ status: 403 });
    expect(await takeOn(world, parent)).toMatchObject({ status: 200 });
  });

  test('of a session that came of another gives no further one', async () => {
    const { json } = await takeOn(world, await gcpAccessToken(world));
    expect(await outcomeOf(await takeOn(world, String(json.accessToken)))).toEqual([
      403,
      'PERMISSION_DENIED',
      'chaining_refused',
    ]);
  });

  test('of a role that takes each ID token once counts for the ID token, whichever federated token it is in', async () => {
    const session = 'max_duration: 30m, single_use: true';
    await restart({ policies: gcpPolicies({ publish: { account: ACCOUNT, session } }) });
    const idToken = await world.issuer.idToken();
    const [first, second] = [await gcpToken(world, idToken), await gcpToken(world, idToken)];
    expect(await takeOn(world, String(first?.json.access_token))).toMatchObject({ status: 200 });
    expect(await outcomeOf(await takeOn(world, String(second?.json.access_token)))).toEqual([
      401,
      'UNAUTHENTICATED',
      'token_replayed',
    ]);
  });

  test('is refused by such a role once the ID token is past its expiry, because its use may be forgotten', async () => {
    const session = 'max_duration: 30m, single_use: true';
    const policies = gcpPolicies({ publish: { account: ACCOUNT, session } });
    await restart({ policies, registration: { jobStatus: { kind: 'none' } } });
    const parent = await gcpAccessToken(world);
    world.clock.advance(629);
    expect(await takeOn(world, parent, { account: OTHER_ACCOUNT })).toMatchObject({ status: 403 });
    world.clock.advance(1);
    expect(await outcomeOf(await takeOn(world, parent))).toEqual([401, 'UNAUTHENTICATED', 'token_expired']);
  });
});

describe('an account', () => {
  test('that is unknown, another provider’s, another tenant’s or refused is one and the same', async () => {
    const elsewhere = 'elsewhere@acme.iam.gserviceaccount.com';
    const strict = 'strict@acme.iam.gserviceaccount.com';
    const policies = gcpPolicies({
      publish: { account: ACCOUNT },
      elsewhere: { account: elsewhere, provider: OTHER_PROVIDER },
      strict: { account: strict, trust: '[{ issuer: "https://ci.example.com", claims: { owner_id: "43" } }]' },
    });
    await restart({ policies });
    const answers = [];
    for (const account of ['nobody@acme.iam.gserviceaccount.com', elsewhere, strict]) {
      answers.push(await takeOn(world, await gcpAccessToken(world), { account }));
    }
    expect(new Set(answers.map(gcpWithoutId)).size).toBe(1);
    expect(await Promise.all(answers.map(outcomeOf))).toEqual([
      [403, 'PERMISSION_DENIED', 'role_unknown'],
      [403, 'PERMISSION_DENIED', 'role_unknown'],
      [403, 'PERMISSION_DENIED', 'no_rule_matched'],
    ]);
    expect(world.store.roleSessions).toEqual([]);
  });

  test('whose role is gone or trusts the job no more is not taken on', async () => {
    const parent = await gcpAccessToken(world);
    world.policies.files.delete('main/publish.yaml');
    world.policies.changed();
    await expect.poll(async () => (await takeOn(world, parent)).status).toBe(403);
  });
});

test.each<[string, (bent: StsWorld) => void]>([
  [
    'the session cannot be looked up',
    (bent) => {
      bent.store.findSession = () => Promise.reject(new Error('io'));
    },
  ],
  [
    'the token cannot be signed',
    (bent) => {
      Object.assign(bent.key.signer, { sign: () => Promise.reject(new Error('hsm')) });
    },
  ],
])('when %s clients may try again', async (_what, bend) => {
  const parent = await gcpAccessToken(world);
  bend(world);
  const answer = await takeOn(world, parent);
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  expect(answer.text).not.toMatch(/hsm|\bio\b/);
});

test('what is no call is refused openly, and nothing is looked up', async () => {
  world.store.findSession = () => Promise.reject(new Error('io'));
  const body = { scope: [PLATFORM], delegates: [`projects/-/serviceAccounts/${ACCOUNT}`] };
  const answer = await takeOn(world, 'a.b.c', { body });
  expect(answer.json.error).toMatchObject({
    code: 400,
    status: 'INVALID_ARGUMENT',
    message: 'delegates are not served: no chain of accounts is walked',
  });
});
