// Whose token generateAccessToken takes: a good one of a session in force that was made for it, while the job behind it runs.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assumedCredentials } from '../../../test/fakes/aws-calls.ts';
import { DEPLOY_ARN } from '../../../test/fakes/aws-role.ts';
import {
  ACCOUNT,
  gcpAccessToken,
  gcpIntrospect,
  gcpPolicies,
  gcpReason,
  gcpToken,
  OTHER_ACCOUNT,
  takeOn,
} from '../../../test/fakes/gcp-calls.ts';
import { roleText } from '../../../test/fakes/roles.ts';
import { STS_URL, type StsAnswer, StsWorld, type StsWorldOptions } from '../../../test/fakes/sts-world.ts';
import type { Reason } from '../../base/core/reasons.ts';
import { federatedTokenClaims } from '../../base/credential/federated-token.ts';
import { assembleJws } from '../../base/jwt/assemble.ts';

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
const bury = () => {
  const now = world.clock.nowSeconds();
  return world.store.buryJobs([{ issuer: world.issuer.issuer, jobId: 'J1', endedAt: now, expiresAt: now + 3600 }]);
};

describe('a token is refused', () => {
  test('when its job is over, durably', async () => {
    const parent = await gcpAccessToken(world);
    await bury();
    expect(await outcomeOf(await takeOn(world, parent))).toEqual([403, 'PERMISSION_DENIED', 'session_ended']);
    expect(world.store.decisions.at(-1)).toMatchObject({ outcome: 'refused', jobId: 'J1', reason: 'session_ended' });
  });

  test('when its job ends between the look and the grant', async () => {
    const parent = await gcpAccessToken(world);
    world.store.hooks.beforeGrant = () => bury().then(() => undefined);
    expect(await outcomeOf(await takeOn(world, parent))).toEqual([403, 'PERMISSION_DENIED', 'job_ended']);
  });

  test('when its session is revoked, and what came of it before is over too', async () => {
    await restart({ policies: gcpPolicies({ direct: {}, publish: { account: ACCOUNT } }) });
    const used = await gcpAccessToken(world);
    const { json } = await takeOn(world, used);
    const mine = String(json.accessToken);
    expect((await gcpIntrospect(world, mine)).json.active).toBe(true);
    expect(await world.call('POST /revoke', { form: { token: used } })).toMatchObject({ status: 200 });
    expect((await gcpIntrospect(world, mine)).json.active).toBe(false);
    expect(await outcomeOf(await takeOn(world, used))).toEqual([403, 'PERMISSION_DENIED', 'session_ended']);
  });

  test('when its session is revoked between the look and the grant', async () => {
    const parent = await gcpAccessToken(world);
    const [session] = [...world.store.sessions.keys()];
    world.store.hooks.beforeGrant = () => world.store.endSession(session ?? '').then(() => undefined);
    expect(await outcomeOf(await takeOn(world, parent))).toEqual([403, 'PERMISSION_DENIED', 'session_ended']);
  });

  test('when it has expired, to the second', async () => {
    await restart({ registration: { jobStatus: { kind: 'none' } } });
    const parent = await gcpAccessToken(world);
    world.clock.advance(1199);
    expect(await takeOn(world, parent, { account: OTHER_ACCOUNT })).toMatchObject({ status: 403 });
    world.clock.advance(1);
    expect(await outcomeOf(await takeOn(world, parent))).toEqual([401, 'UNAUTHENTICATED', 'session_expired']);
  });

  test.each<[string, (parent: string) => string]>([
    ['its signature', (parent) => `${parent.slice(0, -6)}AAAAAA`],
    ['its header', (parent) => `A${parent.slice(1)}`],
    ['its claims', (parent) => parent.replace(/\.(.)/, (_all, first) => `.${first === 'e' ? 'f' : 'e'}`)],
    ['its end', (parent) => parent.slice(0, -1)],
    ['everything', () => 'a.b.c'],
  ])('when %s is bent', async (_what, bend) => {
    const answer = await takeOn(world, bend(await gcpAccessToken(world)));
    expect([answer.status, (answer.json.error as { status?: unknown }).status]).toEqual([401, 'UNAUTHENTICATED']);
  });

  test.each<[string, Readonly<Record<string, unknown>>, string | undefined, Reason]>([
    ['another type', {}, 'JWT', 'token_type_refused'],
    ['a gateway for its audience', { aud: 'urn:jobpass:gateway:artifacts' }, undefined, 'audience_mismatch'],
    ['another STS for its issuer', { iss: 'https://sts.other.example' }, undefined, 'issuer_unknown'],
    ['a member more', { cnf: {} }, undefined, 'claim_malformed'],
    ['no job that it could end with', { job: { iss: 'a', id: null } }, undefined, 'claim_malformed'],
    ['a time that is none', { exp: '1900000000' }, undefined, 'claim_malformed'],
    ['an id that nobody knows', { jti: 'SNOBODY' }, undefined, 'session_ended'],
  ])('when it has %s, though the STS’s own key signed it', async (_what, bent, typ, reason) => {
    await gcpAccessToken(world);
    const [session] = [...world.store.sessions.values()];
    if (session === undefined) throw new Error('no session');
    const { expiresAt, id: sessionId, issuedAt, issuer: jobIssuer, jobBound, jobId, subject } = session;
    const identity = { issuer: STS_URL, sessionId, subject, jobIssuer, jobId, jobBound, issuedAt, expiresAt };
    const claims = { ...federatedTokenClaims(identity), ...bent } as ReturnType<typeof federatedTokenClaims>;
    const token = await assembleJws({ typ: typ ?? 'jobpass-federated+jwt' }, claims, world.key.signer);
    expect(await gcpReason(world, await takeOn(world, token))).toBe(reason);
    expect(world.store.roleSessions).toEqual([]);
  });

  test('when it is none of these: an ID token, an AWS session, a session of another wire, nothing', async () => {
    const policies = gcpPolicies({ publish: { account: ACCOUNT } });
    const trust = '[{ issuer: "https://ci.example.com", claims: { owner_id: "42" } }]';
    policies.files.set('main/deploy.yaml', roleText({ name: 'deploy', trust, roleArn: DEPLOY_ARN }));
    await restart({ policies });
    const aws = (await assumedCredentials(world)).sessionToken;
    const rfc8693 = String((await world.exchange(await world.issuer.idToken())).json.access_token);
    const reasons = [];
    for (const bearer of [await world.issuer.idToken(), aws, rfc8693, null]) {
      reasons.push(await gcpReason(world, await takeOn(world, bearer)));
    }
    expect(reasons).toEqual(['token_type_refused', 'token_type_refused', 'chaining_refused', 'credential_missing']);
  });

  test('when it was narrowed to storage: no account is taken on with that', async () => {
    await restart({ policies: gcpPolicies({ direct: {}, publish: { account: ACCOUNT } }) });
    const scope = 'https://www.googleapis.com/auth/devstorage.full_control';
    const { json } = await gcpToken(world, await world.issuer.idToken(), { scope });
    expect(await gcpReason(world, await takeOn(world, String(json.access_token)))).toBe('chaining_refused');
  });
});

describe('the job behind a token', () => {
  const later = async (seconds: number): Promise<StsAnswer> => {
    const parent = await gcpAccessToken(world);
    world.clock.advance(seconds);
    return takeOn(world, parent);
  };

  test('is known to run for ten seconds, and then only by a fresh feed', async () => {
    expect(await later(10)).toMatchObject({ status: 200 });
    await restart();
    expect(await outcomeOf(await later(11))).toEqual([503, 'UNAVAILABLE', 'job_status_unknown']);
  });

  test('is known to run as long as the feed is fresh', async () => {
    world.clock.advance(100);
    const parent = await gcpAccessToken(world);
    world.clock.advance(100);
    // The poll that waits left long ago; the next one leaves now.
    const ask = async (): Promise<number> => {
      world.letPollThrough();
      return (await takeOn(world, parent)).status;
    };
    await expect.poll(ask).toBe(200);
  });

  test('of an issuer that only answers questions is known for ten seconds', async () => {
    const { jobStatus } = world.issuer.registration();
    if (jobStatus.kind === 'none') throw new Error('no client');
    await restart({ registration: { jobStatus: { ...jobStatus, kind: 'introspect' } } });
    expect(await later(11)).toMatchObject({ status: 503 });
  });

  test('is nobody’s business with an issuer that tells of no jobs', async () => {
    await restart({ registration: { jobStatus: { kind: 'none' } } });
    expect(await later(600)).toMatchObject({ status: 200 });
  });
});
