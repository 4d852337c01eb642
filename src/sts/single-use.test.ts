// A token that may be used once: what comes again is refused and explained, but for the client that asks for the same just after.
import { generateKeyPairSync, sign } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  CLIENT_SECRET,
  client,
  MemoryPolicies,
  PUBLISH,
  PUBLISH_TEXT,
  STS_URL,
  type StsAnswer,
  StsWorld,
} from '../../test/fakes/sts-world.ts';
import { ASSERTION_TYPE } from '../base/client-auth/presented.ts';
import type { JsonObject } from '../base/core/json.ts';
import { raiseOf } from '../storage/conformance/fixtures.ts';
import { REPEAT_SECONDS } from './repeat.ts';

const keyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const CI_KEY = { ...keyPair.publicKey.export({ format: 'jwk' }), kid: 'ci', alg: 'ES256' } as JsonObject;

let world: StsWorld;
let token: string;

beforeEach(async () => {
  const policies = new MemoryPolicies();
  const once = PUBLISH_TEXT.replace('max_duration: 30m', 'max_duration: 30m, single_use: true');
  policies.files.set(`${PUBLISH}.yaml`, once);
  policies.files.set('main/also-once.yaml', once.replace('role: publish-web', 'role: also-once'));
  const clients = [
    client('ci', {}),
    client('other-ci', {}),
    { ...client('key-ci', {}), secretHashes: [], jwks: { keys: [CI_KEY] } },
  ];
  world = await StsWorld.start({ policies, clients });
  token = await world.issuer.idToken();
});
afterEach(() => world.close());

type Changes = Readonly<Record<string, string>>;

/** An exchange by a client of the world, or by nobody who authenticates. */
const ask = (by: string | null, changes: Changes = {}, secret: string = CLIENT_SECRET.reveal()): Promise<StsAnswer> =>
  world.exchange(token, { ...(by === null ? {} : { client_id: by, client_secret: secret }), ...changes });

/** What the operator reads of a refusal. */
async function decisionOf(refusal: StsAnswer): Promise<JsonObject> {
  const shown = await world.call(`GET /admin/v1/decisions/${refusal.json.decision_id}`, { as: 'root' });
  return shown.json.decision as JsonObject;
}

const actions = () => world.store.actions;

const expectReplayed = async (answer: StsAnswer, detail: string): Promise<void> => {
  expect([answer.status, answer.json.access_token]).toEqual([400, undefined]);
  const { detail: told, reason } = await decisionOf(answer);
  expect([reason, told]).toEqual(['token_replayed', expect.stringContaining(detail)]);
  expect([world.store.sessions.size, actions()]).toEqual([1, []]);
};

describe('the client that used it gets the same session again', () => {
  test('with a credential of its own for what is left of it, and it counts once', async () => {
    const first = await ask('ci');
    world.clock.advance(REPEAT_SECONDS);
    const again = await ask('ci');
    expect([first.status, again.status]).toEqual([200, 200]);
    const { access_token: _token, expires_in, ...same } = again.json;
    expect(first.json).toMatchObject(same);
    expect([first.json.expires_in, expires_in]).toEqual([1800, 1800 - REPEAT_SECONDS]);
    expect([world.store.sessions.size, world.store.decisions.length]).toEqual([1, 1]);
    const [, claims = ''] = String(again.json.access_token).split('.');
    const carried = { jti: first.json.session_id, iat: 1_800_000_000, exp: 1_800_001_800 };
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject(carried);
  });

  test('recorded before it is answered', async () => {
    const { json } = await ask('ci');
    await ask('ci');
    expect(actions()).toEqual([
      {
        kind: 'action',
        id: expect.stringMatching(/^A/),
        at: world.clock.nowMs(),
        actor: { kind: 'client', name: 'ci' },
        action: 'session.repeat',
        tenant: 'main',
        target: json.session_id,
        detail: { decision: json.decision_id, used_at: world.clock.nowSeconds(), remote_address: '192.0.2.7' },
      },
    ]);
  });

  test('when it proves itself by a key, with another assertion each time', async () => {
    const assertion = (jti: string): Changes => {
      const now = world.clock.nowSeconds();
      const claims = { iss: 'key-ci', sub: 'key-ci', aud: STS_URL, jti, iat: now, exp: now + 60 };
      const text = [{ alg: 'ES256', kid: 'ci' }, claims].map((part) =>
        Buffer.from(JSON.stringify(part)).toString('base64url'),
      );
      const signed = text.join('.');
      const signature = sign('sha256', Buffer.from(signed), { key: keyPair.privateKey, dsaEncoding: 'ieee-p1363' });
      const jws = `${signed}.${signature.toString('base64url')}`;
      return { client_assertion: jws, client_assertion_type: ASSERTION_TYPE };
    };
    const first = await ask(null, assertion('a1'));
    const again = await ask(null, assertion('a2'));
    expect([again.status, again.json.session_id]).toEqual([200, first.json.session_id]);
    expect((await ask(null, assertion('a2'))).json.error).toBe('invalid_client');
  });

  test('many times at once, and one session comes of it', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('ci')));
    expect(new Set(answers.map(({ json }) => json.session_id)).size).toBe(1);
    expect([world.store.sessions.size, actions().length]).toEqual([1, 19]);
  });

  test('with as short a session as was asked for', async () => {
    const first = await ask('ci', { requested_lifetime: '600' });
    const again = await ask('ci', { requested_lifetime: '600' });
    expect([first.status, again.json.session_id]).toEqual([200, first.json.session_id]);
  });
});

describe('the token is refused', () => {
  test('to another client, and the operator learns when, under which decision and by whom it was used', async () => {
    const { json } = await ask('ci');
    world.clock.advance(5);
    const what = `used at 2027-01-15T08:00:00.000Z, 5 s ago, under decision ${json.decision_id}, by client ci; only the client`;
    await expectReplayed(await ask('other-ci'), what);
  });

  test('to nobody in particular, whoever used it', async () => {
    await ask('ci');
    await expectReplayed(await ask(null), 'by client ci; only the client that used it');
  });

  test('to a client when nobody in particular used it', async () => {
    await ask(null);
    await expectReplayed(await ask('ci'), 'by nobody who authenticated; only the client that used it');
    await expectReplayed(await ask(null), 'by nobody who authenticated; only the client that used it');
  });

  test('to the client itself after 60 s', async () => {
    await ask('ci');
    world.clock.advance(REPEAT_SECONDS + 1);
    await expectReplayed(await ask('ci'), '61 s ago');
  });

  test.each<[string, Changes, string]>([
    ['another role', { audience: 'urn:jobpass:role:main/also-once' }, 'something else is asked for'],
    ['less of it', { scope: 'http:PUT' }, 'something else is asked for'],
    ['a shorter session', { requested_lifetime: '60' }, 'a shorter session is asked for'],
  ])('to the client itself when it asks for %s', async (_what, changes, told) => {
    await ask('ci');
    await expectReplayed(await ask('ci', changes), told);
  });

  test('to the client itself when its session was ended', async () => {
    const { json } = await ask('ci');
    await world.store.endSession(String(json.session_id));
    await expectReplayed(await ask('ci'), 'its session is over');
  });

  test('to the client itself by a clock that was set back', async () => {
    await ask('ci');
    await world.store.prune(world.clock.nowSeconds() + 60);
    const answer = await ask('ci');
    expect([answer.status, (await decisionOf(answer)).reason, actions()]).toEqual([503, 'clock_behind', []]);
  });

  test('to a client with a wrong secret, which learns nothing of the token', async () => {
    await ask('ci');
    const wrong = await ask('ci', {}, 'another-secret');
    expect([wrong.status, wrong.json.error]).toEqual([401, 'invalid_client']);
    expect(actions()).toEqual([]);
  });

  test('when the repeat cannot be recorded', async () => {
    await ask('ci');
    world.store.recordAction = () => Promise.reject(new Error('disk full'));
    const answer = await ask('ci');
    expect([answer.status, answer.json.error]).toEqual([503, 'temporarily_unavailable']);
    expect((await decisionOf(answer)).reason).toBe('store_unavailable');
  });

  test('when an operator ended everything of before, or granting is frozen, before it is looked at as a repeat', async () => {
    await ask('ci');
    const now = world.clock.nowSeconds();
    const { record } = raiseOf('F', { scope: 'all' });
    await world.store.setFreeze({ scope: { scope: 'all' }, frozen: true, reach: 'all', record });
    expect((await decisionOf(await ask('ci'))).reason).toBe('granting_frozen');
    await world.store.raiseEpoch(raiseOf('E', { scope: 'all' }, now));
    expect((await decisionOf(await ask('ci'))).reason).toBe('epoch_raised');
    expect(actions().filter(({ action }) => action === 'session.repeat')).toEqual([]);
  });
});

test('a token of before an epoch is not carried over it by an issuer’s clock that is ahead', async () => {
  const ahead = { iat: world.clock.nowSeconds() + 20, nbf: world.clock.nowSeconds() + 20 };
  token = await world.issuer.idToken(ahead);
  await world.store.raiseEpoch(raiseOf('E', { scope: 'all' }, world.clock.nowSeconds()));
  world.clock.advance(10);
  expect((await decisionOf(await ask('ci'))).reason).toBe('epoch_raised');
});
