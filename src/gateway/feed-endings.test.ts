// What a gateway knows of what has ended: sessions, epochs, and an STS that tells everything anew.
import { beforeEach, describe, expect, test } from 'vitest';
import { gatewaySettings } from '../../test/fakes/feed-sts.ts';
import { FeedWorld } from '../../test/fakes/feed-world.ts';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { EPOCH_KEPT_SECONDS } from '../base/core/limits.ts';
import { ok } from '../base/core/result.ts';
import { epochsIdOf, NO_EPOCHS_ID } from '../wire/feed/epochs.ts';
import type { FeedMessage } from '../wire/feed/message.ts';

let world: FeedWorld;
beforeEach(() => {
  world = new FeedWorld();
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
    const late = new FeedWorld(gatewaySettings(), behind);
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
