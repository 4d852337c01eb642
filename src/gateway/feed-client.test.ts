// The feed: what is believed and what is not.
import { beforeEach, describe, expect, test } from 'vitest';
import { STS_URL } from '../../test/fakes/feed-sts.ts';
import { FeedWorld, GROUP_KEY, SESSION } from '../../test/fakes/feed-world.ts';
import { makeSigningKey } from '../../test/fakes/signing-key.ts';
import { ok } from '../base/core/result.ts';
import { groupKeySetId } from '../keys/group-key.ts';
import type { FeedMessage } from '../wire/feed/message.ts';

let world: FeedWorld;
beforeEach(() => {
  world = new FeedWorld();
});

describe('a poll', () => {
  test('that is answered for itself makes the gateway fresh, ready, and tells whoever waits', async () => {
    expect(world.feed.ready()).toBe(false);
    expect(await world.reasonOfPoll()).toBe('taken');
    expect([world.fresh, world.feed.ready(), world.messages]).toEqual([true, true, 1]);
    expect(world.feed.groupKeys()?.active.key.reveal()).toEqual(GROUP_KEY);
  });

  test('authenticates with form-encoded name and secret, and a new nonce each time', async () => {
    await world.feed.poll();
    await world.feed.poll();
    const headers = world.sts.requests.at(-1)?.headers ?? {};
    const basic = Buffer.from((headers.authorization ?? '').replace('Basic ', ''), 'base64').toString();
    expect(basic).toBe('gateway+store:correct+horse+battery+staple+%26+more');
    const nonces = world.sts.polls.map((poll) => poll.nonce);
    expect(new Set(nonces).size).toBe(2);
    expect(nonces[0]?.length).toBeGreaterThanOrEqual(32);
  });

  test('sends its credential to the feed and to nothing else', async () => {
    await world.feed.poll();
    const withCredential = world.sts.requests.filter((request) => 'authorization' in request.headers);
    expect(world.sts.requests.map((request) => new URL(request.url).pathname)).toEqual([
      '/.well-known/jwks',
      '/v1/feed',
    ]);
    expect(withCredential.map((request) => new URL(request.url).pathname)).toEqual(['/v1/feed']);
  });

  test('goes on where the last one stopped, and does not ask for what it has', async () => {
    world.sts.ended = [{ sessionId: 'S1', expiresAt: world.clock.nowSeconds() + 60 }];
    await world.feed.poll();
    await world.feed.poll();
    expect(world.sts.polls).toMatchObject([
      { cursor: 0, store: null, permissionSetId: null, groupKeySetId: null },
      {
        cursor: 1,
        store: 'store-1',
        permissionSetId: world.sts.permissions.id,
        groupKeySetId: groupKeySetId(['GK1'], 'GK1'),
      },
    ]);
  });

  test('grows old while the machine sleeps and its monotonic clock stands still', async () => {
    await world.feed.poll();
    world.clock.stepWallMs(11_000);
    expect([world.fresh, world.feed.ready()]).toEqual([false, false]);
    await world.feed.poll();
    world.clock.stepWallMs(-60_000);
    expect(world.state.feedAgeMs()).toBe(0);
    world.clock.advance(11);
    expect(world.fresh).toBe(false);
  });

  test('counts the age of its answer from when it was sent', async () => {
    const { fetch } = world.sts;
    Object.assign(world.sts, {
      fetch: async (request: Parameters<typeof fetch>[0]) => {
        world.clock.advance(3);
        return fetch(request);
      },
    });
    world.sts.published = [world.sts.key.publicJwk];
    await world.feed.poll();
    expect(world.state.stalenessMs(SESSION)).toBe(3000);
  });
});

describe('a message is not believed', () => {
  const altered: [string, (message: FeedMessage) => FeedMessage, string][] = [
    ['answers another poll', (m) => ({ ...m, nonce: 'x'.repeat(32) }), 'token_replayed'],
    ['is for another gateway', (m) => ({ ...m, gateway: 'other' }), 'audience_mismatch'],
    ['is for another group', (m) => ({ ...m, group: 'other' }), 'group_mismatch'],
    ['is of another STS', (m) => ({ ...m, issuer: 'https://other.example.com' }), 'issuer_unknown'],
    ['was signed in the future', (m) => ({ ...m, signedAt: m.signedAt + 31 }), 'token_not_yet_valid'],
    ['brings no usable key', (m) => ({ ...m, keys: [{ kty: 'RSA' }] }), 'key_unusable'],
    ['names permissions that it does not bring', ({ permissions: _, ...m }) => m, 'feed_stale'],
    [
      'brings other permissions than it names',
      (m) => ({ ...m, permissions: { id: m.permissionSetId, roles: [{ role: 'main/admin', statements: [] }] } }),
      'feed_stale',
    ],
  ];

  test.each(altered)('that %s', async (_what, alter, reason) => {
    world.sts.alter = alter;
    expect(await world.reasonOfPoll()).toBe(reason);
    expect([world.fresh, world.feed.ready(), world.messages]).toEqual([false, false, 0]);
  });

  test('that is another kind of token of the same STS', async () => {
    world.sts.type = 'at+jwt';
    expect(await world.reasonOfPoll()).toBe('token_type_refused');
  });

  test('that somebody else signed', async () => {
    await world.feed.poll();
    const own = world.sts.key;
    world.sts.key = makeSigningKey();
    world.sts.published = [own.publicJwk];
    world.clock.advance(11);
    expect(await world.reasonOfPoll()).toBe('key_unknown');
    expect(world.fresh).toBe(false);
  });

  test('that is too old to be played again: the poll before it', async () => {
    let first: FeedMessage | undefined;
    world.sts.alter = (message) => {
      first ??= message;
      return first;
    };
    expect(await world.reasonOfPoll()).toBe('taken');
    expect(await world.reasonOfPoll()).toBe('token_replayed');
  });

  test('without a signature at all', async () => {
    const { fetch } = world.sts;
    Object.assign(world.sts, {
      fetch: async (request: Parameters<typeof fetch>[0]) =>
        request.url.includes('/v1/feed') ? ok({ status: 200, headers: {}, body: Buffer.from('{}') }) : fetch(request),
    });
    expect(await world.reasonOfPoll()).toBe('token_malformed');
  });

  test.each([401, 403, 404, 500, 302])('with status %d', async (status) => {
    const { fetch } = world.sts;
    Object.assign(world.sts, {
      fetch: async (request: Parameters<typeof fetch>[0]) =>
        request.url.includes('/v1/feed') ? ok({ status, headers: {}, body: new Uint8Array() }) : fetch(request),
    });
    expect(['client_unknown', 'feed_stale']).toContain(await world.reasonOfPoll());
    expect(world.fresh).toBe(false);
  });
});

describe('the STS’s keys', () => {
  test('come from the last message: a key that was published before it signs is known', async () => {
    await world.feed.poll();
    const next = makeSigningKey();
    world.sts.published = [world.sts.key.publicJwk, next.publicJwk];
    await world.feed.poll();
    world.sts.key = next;
    expect(await world.reasonOfPoll()).toBe('taken');
    expect(world.sts.requests.filter((request) => request.url.endsWith('/jwks'))).toHaveLength(1);
  });

  test('are looked up again when a message is signed by none of them', async () => {
    await world.feed.poll();
    world.sts.key = makeSigningKey();
    world.sts.published = [world.sts.key.publicJwk];
    expect(await world.reasonOfPoll()).toBe('key_unknown');
    expect(await world.reasonOfPoll()).toBe('taken');
    expect(world.sts.requests.filter((request) => request.url === `${STS_URL}/.well-known/jwks`)).toHaveLength(2);
  });

  test('keep a gateway stale while they cannot be had', async () => {
    world.sts.reachable = false;
    expect(await world.reasonOfPoll()).toBe('issuer_unreachable');
    expect(world.fresh).toBe(false);
  });
});
