// The routes of Azure's clients: grants, refusals with their numbers, and nothing that tells strangers more than that.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type AzureCall,
  askToken,
  assertionOf,
  azurePolicies,
  SUBJECT,
  withoutIds,
} from '../../../test/fakes/azure-calls.ts';
import { answer, noAnswer } from '../../../test/fakes/fake-job-issuer.ts';
import { AZURE_TENANT } from '../../../test/fakes/roles.ts';
import { keysOf, type StsAnswer, StsWorld, type StsWorldOptions } from '../../../test/fakes/sts-world.ts';
import type { JsonValue } from '../../base/core/json.ts';
import type { Reason } from '../../base/core/reasons.ts';
import { openAccessToken } from '../../base/credential/access-token.ts';

const WITHOUT_FEED = { jobStatus: { kind: 'none' } } as const;
const CORRELATION = '0f0f0f0f-0000-4000-8000-0f0f0f0f0f0f';

let world: StsWorld;

const restart = async (options: StsWorldOptions = {}): Promise<void> => {
  await world?.close();
  world = await StsWorld.start({ policies: azurePolicies(), registration: WITHOUT_FEED, ...options });
};

beforeEach(() => restart());
afterEach(() => world.close());

type ClaimChanges = Readonly<Record<string, JsonValue>>;

const ask = async (claims: ClaimChanges = {}, call: AzureCall = {}): Promise<StsAnswer> =>
  askToken(world, await assertionOf(world, claims), call);

const granted = async (claims: ClaimChanges = {}, call: AzureCall = {}): Promise<StsAnswer> => {
  const response = await ask(claims, call);
  expect(response.status, response.text).toBe(200);
  return response;
};

/** Why, as the operator finds it under the trace id of a refusal. */
const decisionOf = async ({ json }: StsAnswer): Promise<Readonly<Record<string, JsonValue>>> => {
  const found = await world.call(`GET /admin/v1/decisions/${String(json.trace_id).toUpperCase()}`, { as: 'root' });
  return found.json.decision as Readonly<Record<string, JsonValue>>;
};

const codeOf = ({ json, status }: StsAnswer): readonly unknown[] => [status, json.error, json.error_codes];

describe('a client assertion', () => {
  test('that a credential holds for is exchanged for an access token of ours, which nothing keeps', async () => {
    const response = await granted({}, { query: `client-request-id=${CORRELATION}` });
    const [session] = [...world.store.sessions.values()];
    const [decision] = world.store.decisions;
    expect(session).toMatchObject({ role: { tenant: 'main', name: 'deploy' }, subject: SUBJECT, name: null });
    expect(decision).toMatchObject({ wire: 'azure', outcome: 'granted' });
    expect(response.headers).toMatchObject({
      'cache-control': 'no-store',
      pragma: 'no-cache',
      'client-request-id': CORRELATION,
    });
    const { access_token: token, ...rest } = response.json;
    const seconds = (session?.expiresAt ?? 0) - world.clock.nowSeconds();
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds });
    const opened = await openAccessToken(String(token), {
      issuer: 'https://sts.example.com',
      groups: ['artifacts'],
      keys: keysOf(world.key.publicJwk),
      nowSeconds: world.clock.nowSeconds(),
      skewSeconds: 30,
    });
    expect(opened).toMatchObject({ ok: true, value: { session: { role: 'main/deploy', sessionId: session?.id } } });
    expect(JSON.stringify([world.store.decisions, [...world.store.sessions], world.log.lines])).not.toContain(token);
  });

  test('may be made for an audience of the issuer’s registration, if the credential names it', async () => {
    const own = 'https://sts.example.com';
    await restart({ policies: azurePolicies((text) => text.replace('api://AzureADTokenExchange', own)) });
    await granted({ aud: own });
    expect(codeOf(await ask())).toEqual([400, 'invalid_request', [70021]]);
  });

  test('may end in a line break, as files do, and be presented again, as clients that refresh do', async () => {
    const assertion = await assertionOf(world);
    for (const sent of [`${assertion}\n`, assertion]) expect((await askToken(world, sent)).status).toBe(200);
    expect(world.store.sessions.size).toBe(2);
  });

  test('is taken at the path that a Go client makes of an authority with a slash at its end', async () => {
    await granted({}, { tenant: `/${AZURE_TENANT}` });
  });

  test('lives no longer than its job’s deadline, and says so', async () => {
    await restart({ registration: {}, before: coverAzure });
    await heardFeed();
    const { json } = await granted({ job_deadline: String(world.clock.nowSeconds() + 60) });
    expect([json.expires_in, json.ext_expires_in]).toEqual([60, 60]);
  });
});

/** Lets the issuer tell of jobs under Azure's audience too. */
const coverAzure = (started: StsWorld): void => {
  const audiences = ['https://sts.example.com', 'api://AzureADTokenExchange'];
  started.issuer.verification = (event) => ({ ...event, audiences }) as typeof event;
};

const heardFeed = async (): Promise<void> => {
  world.letPollThrough();
  await world.sts.issuersAsked();
};

describe('of an issuer with a feed', () => {
  test('a job under Azure’s audience gets nothing unless the feed tells of such jobs', async () => {
    await restart({ registration: {} });
    await heardFeed();
    const refused = await ask();
    expect(codeOf(refused)).toEqual([503, 'temporarily_unavailable', [90033]]);
    expect(await decisionOf(refused)).toMatchObject({
      reason: 'job_status_unknown',
      detail: expect.stringContaining('api://AzureADTokenExchange'),
    });
    expect(world.store.sessions.size).toBe(0);
  });

  test('a job’s end is the end of its assertion', async () => {
    await restart({ registration: {}, before: coverAzure });
    await heardFeed();
    await granted();
    const now = world.clock.nowSeconds();
    await world.store.buryJobs([{ issuer: world.issuer.issuer, jobId: 'J1', endedAt: now, expiresAt: now + 3600 }]);
    const refused = await ask();
    expect(codeOf(refused)).toEqual([400, 'invalid_request', [70021]]);
    expect(await decisionOf(refused)).toMatchObject({ reason: 'job_ended' });
  });
});

describe('a refusal', () => {
  const OTHER_TENANT = '99999999-2222-4333-8444-555555555555';
  const OTHER_CLIENT = '99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee';

  test('is one for unknown tenant, unknown application, and every clause of a credential', async () => {
    const refused = [
      await ask({}, { tenant: OTHER_TENANT }),
      await ask({}, { tenant: 'acme.example.com' }),
      await ask({}, { form: { client_id: OTHER_CLIENT } }),
      await ask({}, { form: { client_id: AZURE_TENANT } }),
      await ask({ sub: `${SUBJECT}-2` }),
      await ask({ sub: SUBJECT.toUpperCase() }),
      await ask({ aud: 'https://sts.example.com' }),
    ];
    expect(refused.map((response) => response.status)).toEqual(refused.map(() => 400));
    expect(new Set(refused.map(({ text }) => withoutIds(text))).size).toBe(1);
    expect(new Set(refused.map(({ headers }) => withoutIds(JSON.stringify(headers)))).size).toBe(1);
    expect(codeOf(refused[0] as StsAnswer)).toEqual([400, 'invalid_request', [70021]]);
    const reasons = await Promise.all(refused.map(async (response) => (await decisionOf(response)).reason));
    expect(new Set(reasons)).toEqual(new Set(['role_unknown', 'no_rule_matched']));
    expect(world.store.decisions).toHaveLength(refused.length);
    expect(world.store.sessions.size).toBe(0);
  });

  test.each<[string, ClaimChanges, AzureCall]>([
    ['AADSTS90002', {}, { tenant: OTHER_TENANT }],
    ['AADSTS700016', {}, { form: { client_id: OTHER_CLIENT } }],
    ['AADSTS700212', { aud: 'https://sts.example.com' }, {}],
    ['AADSTS700213', { sub: `${SUBJECT}-2` }, {}],
    ['AADSTS7002138', { sub: SUBJECT.toUpperCase() }, {}],
  ])('has Entra’s own number %s in the operator’s trace alone', async (number, claims, call) => {
    const refused = await ask(claims, call);
    expect(JSON.stringify(await decisionOf(refused))).toContain(`${number}:`);
    expect(refused.text).not.toContain(number);
  });

  test('tells its ids and its time', async () => {
    const { headers, json } = await ask({ sub: 'x' }, { headers: { 'client-request-id': CORRELATION } });
    expect(json).toMatchObject({ correlation_id: CORRELATION, timestamp: '2027-01-15 08:00:00Z' });
    expect(headers).toMatchObject({ 'x-ms-request-id': json.trace_id, 'client-request-id': CORRELATION });
    const [decision] = world.store.decisions;
    expect(json.error_description).toContain(`jobpass decisions show ${decision?.id}. Trace ID: ${json.trace_id}`);
  });

  test.each<[string, (assertion: string) => string, Reason]>([
    ['a forged signature', (token) => `${token.slice(0, -8)}AAAAAAAA`, 'signature_invalid'],
    ['no token', () => 'a.b.c', 'token_malformed'],
    ['a long one', () => `a.${'b'.repeat(17_000)}.c`, 'token_too_large'],
  ])('of %s has one number whatever the names are', async (_what, bend, reason) => {
    const assertion = bend(await assertionOf(world));
    const refused = await askToken(world, assertion);
    expect(codeOf(refused)).toEqual([401, 'invalid_client', [700027]]);
    expect(await decisionOf(refused)).toMatchObject({ reason, wire: 'azure' });
    const elsewhere = await askToken(world, assertion, { tenant: OTHER_TENANT });
    expect(withoutIds(elsewhere.text)).toBe(withoutIds(refused.text));
  });

  test.each<[string, ClaimChanges, Reason]>([
    ['a foreign audience', { aud: 'https://elsewhere.example' }, 'audience_mismatch'],
    ['two audiences', { aud: ['api://AzureADTokenExchange', 'https://sts.example.com'] }, 'audience_mismatch'],
    ['a foreign issuer', { iss: 'https://elsewhere.example' }, 'issuer_unknown'],
    ['a token of tomorrow', { iat: 1_800_086_400, nbf: 1_800_086_400, exp: 1_800_087_000 }, 'token_not_yet_valid'],
    ['a token without end', { exp: 1_900_000_000 }, 'token_lifetime_too_long'],
    ['a token of nobody', { sub: '' }, 'claim_malformed'],
  ])('of %s', async (_what, claims, reason) => {
    const refused = await ask(claims);
    expect(codeOf(refused)).toEqual([401, 'invalid_client', [700027]]);
    expect(await decisionOf(refused)).toMatchObject({ reason });
  });

  test('of an expired assertion says so', async () => {
    const refused = await ask({ iat: 1_799_999_000, nbf: 1_799_999_000, exp: 1_799_999_600 });
    expect(codeOf(refused)).toEqual([401, 'invalid_client', [700024]]);
  });

  test('of what nobody verified makes nothing durable', async () => {
    await askToken(world, 'a.b.c');
    await ask({}, { form: { scope: null } });
    expect(world.store.decisions).toEqual([]);
  });

  test.each<[string, AzureCall, number]>([
    ['a missing scope', { form: { scope: null } }, 900144],
    ['a scope by name', { form: { scope: 'User.Read' } }, 1002012],
    ['a reserved tenant', { tenant: 'common' }, 900023],
    ['an encoded slash', { tenant: 'a%2Fb' }, 900023],
    ['a secret in the URL', { query: 'client_secret=s' }, 9002313],
  ])('of %s is open, found by its id, and costs no look at the token', async (_what, call, code) => {
    const refused = await ask({}, call);
    expect([refused.status, refused.json.error_codes]).toEqual([400, [code]]);
    expect(refused.json.error_description).not.toContain('decisions show');
    expect(await decisionOf(refused)).toMatchObject({ wire: 'azure', role: null, trace: { checks: [] } });
  });

  test('makes a client ask again only when that may help', async () => {
    const lost = (handler: () => ReturnType<typeof noAnswer>): StsWorldOptions => ({
      before: (started) => started.issuer.handlers.set('/.well-known/openid-configuration', handler),
    });
    await restart(lost(() => noAnswer()));
    const unreachable = await ask();
    expect([...codeOf(unreachable), unreachable.headers['retry-after']]).toEqual([
      ...[503, 'temporarily_unavailable', [90033]],
      '1',
    ]);
    await restart(lost(() => answer({})));
    expect(codeOf(await ask())).toEqual([401, 'invalid_client', [700027]]);
    await restart();
    world.store.grant = () => Promise.reject(new Error('the disk is full'));
    expect(codeOf(await ask())).toEqual([503, 'temporarily_unavailable', [90033]]);
  });

  test('that never reached a handler has Entra’s form, too', () => {
    const route = world.sts.routes.find(({ path }) => path === '/:tenant/oauth2/v2.0/token');
    const refused = route?.refuse?.(413, 'the request could not be read');
    expect(refused).toMatchObject({ status: 413, headers: { 'cache-control': 'no-store' } });
    expect(String(refused?.body)).toMatch(
      /"error_description":"AADSTS9002313: the request could not be read\. Trace ID/,
    );
  });
});

describe('other wires', () => {
  test('take no token that was made for Azure', async () => {
    const refused = await world.exchange(await assertionOf(world), { audience: 'urn:jobpass:role:main/deploy' });
    expect(refused.json).toMatchObject({ reason: 'token_invalid' });
  });
});
