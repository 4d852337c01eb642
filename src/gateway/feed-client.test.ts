// The feed: what is believed, what is not, and what a gateway knows afterwards.
import { beforeEach, describe, expect, test } from 'vitest';
import { FeedSts, gatewaySettings, STS_URL } from '../../test/fakes/feed-sts.ts';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { makeSigningKey } from '../../test/fakes/signing-key.ts';
import { EPOCH_KEPT_SECONDS } from '../base/core/limits.ts';
import { failure } from '../base/core/reasons.ts';
import { err, ok } from '../base/core/result.ts';
import type { Clock } from '../base/ports/clock.ts';
import { groupKeySetId } from '../keys/group-key.ts';
import { epochsIdOf, NO_EPOCHS_ID } from '../wire/feed/epochs.ts';
import type { FeedMessage } from '../wire/feed/message.ts';
import { FeedClient } from './feed-client.ts';
import { FeedState } from './feed-state.ts';
import type { GatewaySettings } from './settings.ts';

const GROUP_KEY = new Uint8Array(32).fill(7);
const SESSION = { jobBound: false, jobIssuer: '' };

class World {
  readonly clock = new FrozenClock();
  readonly sts = new FeedSts(this.clock);
  readonly log = new MemoryLog();
  readonly state: FeedState;
  readonly feed: FeedClient;
  messages = 0;
  unwraps = true;

  constructor(settings: GatewaySettings = gatewaySettings(), gatewayClock: Clock = this.clock) {
    this.state = new FeedState(gatewayClock);
    this.feed = new FeedClient({
      settings,
      key: {
        unwrap: async (jwe) =>
          this.unwraps && jwe === 'wrapped' ? ok(GROUP_KEY) : err(failure('key_unknown', 'another key')),
      },
      fetch: (request) => this.sts.fetch(request),
      clock: gatewayClock,
      random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
      log: this.log,
      state: this.state,
      onMessage: () => {
        this.messages += 1;
      },
    });
  }

  get fresh(): boolean {
    return this.state.stalenessMs(SESSION) <= 10_000;
  }

  async reasonOfPoll(): Promise<string> {
    const polled = await this.feed.poll();
    return polled.ok ? 'taken' : polled.error.reason;
  }
}

let world: World;
beforeEach(() => {
  world = new World();
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

describe('ended sessions', () => {
  test('are all told before silence about the others is trusted', async () => {
    const expiresAt = world.clock.nowSeconds() + 60;
    world.sts.ended = ['S1', 'S2', 'S3'].map((sessionId) => ({ sessionId, expiresAt }));
    world.sts.endedPerMessage = 2;
    expect(await world.feed.poll()).toEqual(ok({ more: true }));
    expect([world.state.isEnded('S2'), world.state.isEnded('S3'), world.fresh]).toEqual([true, false, false]);
    expect(await world.feed.poll()).toEqual(ok({ more: false }));
    expect([world.state.isEnded('S3'), world.fresh]).toEqual([true, true]);
  });

  test('are remembered until their expiry, and forgotten after it', async () => {
    world.sts.ended = [{ sessionId: 'S1', expiresAt: world.clock.nowSeconds() + 60 }];
    await world.feed.poll();
    world.clock.advance(59);
    await world.feed.poll();
    expect(world.state.isEnded('S1')).toBe(true);
    world.clock.advance(1);
    await world.feed.poll();
    expect(world.state.endedCount).toBe(0);
  });

  test('do not come back to life at a gateway whose clock is behind the STS', async () => {
    const behind = new FrozenClock(world.clock.nowSeconds() - 20);
    const late = new World(gatewaySettings(), behind);
    late.sts.alter = (message) => ({ ...message, signedAt: world.clock.nowSeconds() });
    expect(await late.reasonOfPoll()).toBe('taken');
    expect(behind.nowSeconds()).toBe(world.clock.nowSeconds() - 20);
    expect(late.state.nowSeconds()).toBe(world.clock.nowSeconds());
    // Nor when the STS's clock steps back.
    late.sts.alter = (message) => ({ ...message, signedAt: world.clock.nowSeconds() - 10 });
    behind.advance(1);
    expect(await late.reasonOfPoll()).toBe('taken');
    expect(late.state.nowSeconds()).toBe(world.clock.nowSeconds() + 1);
  });
});

describe('epochs', () => {
  const ROLE = { role: 'main/publish-web', jobIssuer: 'https://ci.example.com' };
  const endedBy = (issuedAt: number): string | undefined => world.state.epochOf({ ...ROLE, issuedAt })?.scope;

  test.each([
    ['all', { scope: 'all' }, true],
    ['its role', { scope: 'role', name: 'main/publish-web' }, true],
    ['another role', { scope: 'role', name: 'main/publish' }, false],
    ['its tenant', { scope: 'tenant', name: 'main' }, true],
    ['another tenant', { scope: 'tenant', name: 'main/publish-web' }, false],
    ['its issuer', { scope: 'issuer', name: 'https://ci.example.com' }, true],
    ['another issuer', { scope: 'issuer', name: 'https://ci.example.com/' }, false],
  ] as const)('of %s end what was issued up to them, or not', async (_of, scope, ends) => {
    const at = world.clock.nowSeconds();
    world.sts.epochs = [{ ...scope, at }];
    expect(await world.reasonOfPoll()).toBe('taken');
    const expected = ends ? scope.scope : undefined;
    expect([at - 9, at, at + 1].map(endedBy)).toEqual([expected, expected, undefined]);
  });

  test('are asked for by their id, and brought once', async () => {
    world.sts.epochs = [{ scope: 'all', at: world.clock.nowSeconds() }];
    await world.feed.poll();
    await world.feed.poll();
    expect(world.sts.polls.map(({ epochsId }) => epochsId)).toEqual([NO_EPOCHS_ID, epochsIdOf(world.sts.epochs)]);
    expect(endedBy(world.clock.nowSeconds())).toBe('all');
  });

  test('are never taken back, nor moved back, and forgotten when nothing of before can live', async () => {
    const at = world.clock.nowSeconds();
    world.sts.epochs = [{ scope: 'all', at }];
    await world.feed.poll();
    world.sts.epochs = [
      { scope: 'all', at: at - 50 },
      { scope: 'tenant', name: 'x', at },
    ];
    await world.feed.poll();
    world.sts.epochs = [];
    expect(await world.reasonOfPoll()).toBe('taken');
    expect(endedBy(at)).toBe('all');
    world.clock.advance(EPOCH_KEPT_SECONDS);
    await world.feed.poll();
    expect(endedBy(at)).toBe('all');
    world.clock.advance(1);
    await world.feed.poll();
    expect(endedBy(at)).toBeUndefined();
  });

  test.each<[string, (message: FeedMessage) => FeedMessage]>([
    ['are not what their id says', (message) => ({ ...message, epochs: [{ scope: 'all', at: 1 }] })],
    ['are named and not brought', ({ epochs: _epochs, ...message }) => ({ ...message, epochsId: 'ee' })],
  ])('make a message worth nothing that %s', async (_what, alter) => {
    world.sts.alter = alter;
    expect([await world.reasonOfPoll(), world.fresh, endedBy(0)]).toEqual(['feed_stale', false, undefined]);
  });

  test('stay known when an STS of before is heard, which knows none', async () => {
    world.sts.epochs = [{ scope: 'all', at: world.clock.nowSeconds() }];
    await world.feed.poll();
    world.sts.alter = ({ epochs: _epochs, epochsId: _id, ...message }) => message;
    expect([await world.reasonOfPoll(), endedBy(world.clock.nowSeconds())]).toEqual(['taken', 'all']);
  });
});

describe('an STS whose store is another than before', () => {
  const end = (sessionId: string) => ({ sessionId, expiresAt: world.clock.nowSeconds() + 60 });

  test('is heard from the beginning, whatever the cursor was in the old one; what had ended stays ended', async () => {
    world.sts.ended = [end('S1'), end('S2')];
    await world.feed.poll();
    world.sts.store = 'store-2';
    world.sts.ended = [end('N1')];
    expect(await world.feed.poll()).toEqual(ok({ more: false }));
    expect(['S1', 'S2', 'N1', 'N2'].map((id) => world.state.isEnded(id))).toEqual([true, true, true, false]);
    expect([world.fresh, world.state.position()]).toMatchObject([true, { cursor: 1, store: 'store-2' }]);
  });

  test('is not believed to be complete before it has told everything', async () => {
    await world.feed.poll();
    expect(world.fresh).toBe(true);
    world.sts.store = 'store-2';
    world.sts.ended = ['S1', 'S2', 'S3'].map(end);
    world.sts.endedPerMessage = 2;
    expect(await world.feed.poll()).toEqual(ok({ more: true }));
    expect([world.fresh, world.feed.ready()]).toEqual([false, false]);
    expect(await world.feed.poll()).toEqual(ok({ more: false }));
    expect([world.fresh, world.state.isEnded('S3')]).toEqual([true, true]);
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

describe('a group key that is wrapped to several keys', () => {
  test.each([[['wrapped', 'another']], [['another', 'wrapped']]])('is opened with the own one: %j', async (wrapped) => {
    world.sts.groupKeys = [{ id: 'GK1', wrapped }];
    await world.feed.poll();
    expect(world.feed.groupKeys()?.active.key.reveal()).toEqual(GROUP_KEY);
    expect(world.log.lines.filter((line) => line.level === 'error')).toEqual([]);
  });
});

describe('the keys of a group', () => {
  test('come all together, and one that stays is the same object', async () => {
    await world.feed.poll();
    const before = world.feed.groupKeys();
    world.sts.groupKeys = [...world.sts.groupKeys, { id: 'GK2', wrapped: ['wrapped'] }];
    await world.feed.poll();
    const after = world.feed.groupKeys();
    expect([after?.active.id, after?.living.map(({ id }) => id)]).toEqual(['GK2', ['GK1', 'GK2']]);
    expect(after?.find('GK1')).toBe(before?.active);
    world.sts.groupKeys = world.sts.groupKeys.slice(1);
    await world.feed.poll();
    expect(world.feed.groupKeys()?.find('GK1')).toBeUndefined();
  });

  test('that are not what their name says leave the gateway not ready', async () => {
    world.sts.groupKeys = [{ id: 'GK0', wrapped: ['wrapped'] }, ...world.sts.groupKeys];
    world.sts.alter = (message) => ({ ...message, groupKeySetId: 'another' });
    await world.feed.poll();
    expect([world.fresh, world.feed.groupKeys()]).toEqual([true, null]);
  });
});

describe('a group key that is not wrapped to this gateway', () => {
  test('leaves it not ready, is asked for again, and is said once', async () => {
    world.unwraps = false;
    await world.feed.poll();
    await world.feed.poll();
    expect([world.fresh, world.feed.ready(), world.feed.groupKeys()]).toEqual([true, false, null]);
    expect(world.sts.polls.map((poll) => poll.groupKeySetId)).toEqual([null, null]);
    expect(world.log.lines.filter((line) => line.level === 'error')).toHaveLength(1);
    world.unwraps = true;
    await world.feed.poll();
    expect(world.feed.ready()).toBe(true);
  });
});
