// The group's keys as the feed brings them: which are opened, and what a gateway is without them.
import { beforeEach, describe, expect, test } from 'vitest';
import { FeedWorld, GROUP_KEY } from '../../test/fakes/feed-world.ts';

let world: FeedWorld;
beforeEach(() => {
  world = new FeedWorld();
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
