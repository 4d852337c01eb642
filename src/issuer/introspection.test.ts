// Introspection: active means now, for this client, of a running job; everything else is one and the same answer.
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  askIdToken,
  CLOUD_AUDIENCE,
  claimsOf,
  ISSUER_URL,
  type IssuerWorld,
  issuerWorld,
  NOW,
  STS_AUDIENCE,
  startJob,
  testKeys,
  text,
} from '../../test/fakes/issuer-world.ts';
import { assembleJws } from '../base/jwt/assemble.ts';

const ask = (world: IssuerWorld, token: string, as = 'sts'): Promise<Answer> =>
  world.call('POST /v1/introspect', { as, form: { token, token_type_hint: 'access_token' } });

async function worldWithToken(changes: Readonly<Record<string, unknown>> = {}, audience = STS_AUDIENCE) {
  const world = issuerWorld();
  const job = await startJob(world, changes);
  return { world, job, token: text(await askIdToken(world, job, audience), 'value') };
}

const INACTIVE = '{"active":false}';

describe('a token of a running job', () => {
  test('is active for the relying party it was made for', async () => {
    const { world, job, token } = await worldWithToken();
    const answer = await ask(world, token);
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(answer.json).toEqual({
      active: true,
      iss: ISSUER_URL,
      sub: 'owner:acme@42:pipeline:web@7:ref:refs/heads/main',
      aud: STS_AUDIENCE,
      exp: NOW + 600,
      iat: NOW,
      jti: claimsOf(token).jti,
      job_id: job.id,
    });
  });

  test('is active until its expiry, to the second', async () => {
    const { world, token } = await worldWithToken();
    world.clock.advance(599);
    expect((await ask(world, token)).json.active).toBe(true);
    world.clock.advance(1);
    expect((await ask(world, token)).text).toBe(INACTIVE);
  });
});

describe('a token is not active, and nothing else is said,', () => {
  test('for another relying party', async () => {
    const { world, token } = await worldWithToken({}, CLOUD_AUDIENCE);
    expect((await ask(world, token, 'cloud')).json.active).toBe(true);
    expect((await ask(world, token, 'sts')).text).toBe(INACTIVE);
  });

  test('once the job is finished', async () => {
    const { world, job, token } = await worldWithToken();
    await world.call(`POST /v1/jobs/${job.id}/finish`, { as: 'woodpecker' });
    expect((await ask(world, token)).text).toBe(INACTIVE);
  });

  test('once the job was silent for too long, though no sweeper ran', async () => {
    const { world, token } = await worldWithToken({ heartbeat_seconds: 10 });
    world.clock.advance(10);
    expect((await ask(world, token)).text).toBe(INACTIVE);
  });

  test('when the store does not know it', async () => {
    const { world, token } = await worldWithToken();
    world.store.tokens.clear();
    expect((await ask(world, token)).text).toBe(INACTIVE);
  });

  test('when it is signed by another key', async () => {
    const { world, token } = await worldWithToken();
    const forged = await assembleJws({ typ: 'JWT' }, claimsOf(token), testKeys().signer());
    expect((await ask(world, forged)).text).toBe(INACTIVE);
  });

  test.each([
    ['an event of the same key', { typ: 'secevent+jwt' }, {}],
    ['another issuer', { typ: 'JWT' }, { iss: `${ISSUER_URL}/other` }],
    ['another audience than the recorded one', { typ: 'JWT' }, { aud: CLOUD_AUDIENCE }],
    ['a later expiry than the recorded one', { typ: 'JWT' }, { exp: NOW + 601 }],
    ['a list of audiences', { typ: 'JWT' }, { aud: [STS_AUDIENCE] }],
    ['no expiry', { typ: 'JWT' }, { exp: 'never' }],
  ])('when it is %s', async (_what, header, changes) => {
    const { world, token } = await worldWithToken();
    const made = await assembleJws(header, { ...claimsOf(token), ...changes }, world.keys.signer());
    expect((await ask(world, made)).text).toBe(INACTIVE);
    // The same way of making it, unchanged, is active: so it was the change that counted.
    const same = await assembleJws({ typ: 'JWT' }, claimsOf(token), world.keys.signer());
    expect((await ask(world, same)).json.active).toBe(true);
  });

  test.each(['x', 'a.b.c', 'x'.repeat(20_000)])('when it is garbage', async (garbage) => {
    expect((await ask(issuerWorld(), garbage)).text).toBe(INACTIVE);
  });
});

describe('introspection is refused, in OAuth’s words,', () => {
  test.each([
    ['to strangers', 'stranger', 401, 'invalid_client', 'client_unknown'],
    ['to clients that may not introspect', 'woodpecker', 403, 'unauthorized_client', 'client_not_permitted'],
    ['to clients without any right', 'nobody', 403, 'unauthorized_client', 'client_not_permitted'],
  ])('%s', async (_what, as, status, error, reason) => {
    const { world, token } = await worldWithToken();
    const answer = await ask(world, token, as);
    const line = world.log.at(-1);
    expect([answer.status, answer.json.error, line?.fields.reason]).toEqual([status, error, reason]);
    expect(answer.json.decision_id).toBe(line?.fields.decision);
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Basic realm="jobpass"');
  });

  test('without a token', async () => {
    const answer = await world400({});
    expect([answer.status, answer.json.error]).toEqual([400, 'invalid_request']);
  });

  test('with a token twice', async () => {
    const world = issuerWorld();
    const route = world.issuer.routes.find(({ path }) => path === '/v1/introspect');
    const answer = await route?.handle({
      ...{ method: 'POST', params: {}, query: '', remoteAddress: '', signal: new AbortController().signal },
      ...{ headers: { authorization: 'Client sts' }, body: new TextEncoder().encode('token=a&token=b') },
    });
    expect(answer?.status).toBe(400);
  });

  test('when the store fails: unknown is not inactive', async () => {
    const { world, token } = await worldWithToken();
    world.store.before = () => {
      throw new Error('disk gone');
    };
    const answer = await ask(world, token);
    expect([answer.status, answer.json.error]).toEqual([503, 'temporarily_unavailable']);
  });
});

const world400 = (form: Readonly<Record<string, string>>): Promise<Answer> =>
  issuerWorld().call('POST /v1/introspect', { as: 'sts', form });
