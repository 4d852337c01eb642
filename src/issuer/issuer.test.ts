// The issuer's life: overdue jobs end by themselves, trouble is said once, and nothing runs after close.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { askIdToken, issuerWorld, NOW, startJob } from '../../test/fakes/issuer-world.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const second = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1000);

describe('a started issuer', () => {
  test('ends jobs at their deadline and after too long a silence, each with its event', async () => {
    const world = issuerWorld();
    world.issuer.start();
    const silent = await startJob(world, { idempotency_key: 'a', heartbeat_seconds: 30 });
    const late = await startJob(world, { idempotency_key: 'b', timeout_seconds: 40 });
    const fine = await startJob(world, { idempotency_key: 'c' });
    for (const job of [silent, late, fine]) await askIdToken(world, job);
    world.clock.advance(30);
    await second();
    expect(world.store.events).toEqual([]);
    world.clock.advance(11);
    await second();
    expect(world.store.jobs.get(silent.id)).toMatchObject({ endReason: 'heartbeat_missed', endedAt: NOW + 30 });
    expect(world.store.jobs.get(late.id)).toMatchObject({ endReason: 'deadline', endedAt: NOW + 40 });
    expect(world.store.jobs.get(fine.id)?.endedAt).toBeNull();
    expect(world.store.events.map(({ jobId }) => jobId)).toEqual([silent.id, late.id]);
    // Longer than the longest session of 12 h.
    expect(world.store.events[0]?.expiresAt).toBe(NOW + 41 + 24 * 3600);
    await world.issuer.close();
  });

  test('ends more jobs in one sweep than the store lists at once', async () => {
    const world = issuerWorld();
    const keys = Array.from({ length: 450 }, (_, at) => `k${at}`);
    for (const idempotency_key of keys) await startJob(world, { idempotency_key, timeout_seconds: 1 });
    world.issuer.start();
    world.clock.advance(5);
    await second();
    expect([...world.store.jobs.values()].filter(({ endedAt }) => endedAt === null)).toEqual([]);
    await world.issuer.close();
  });

  test('says once that the store fails, and once that it is back', async () => {
    const world = issuerWorld();
    world.issuer.start();
    world.store.before = () => {
      throw new Error('disk gone');
    };
    for (let count = 0; count < 5; count += 1) await second();
    expect(world.log.map(({ message }) => message)).toEqual(['overdue jobs cannot be ended']);
    world.store.before = () => undefined;
    for (let count = 0; count < 5; count += 1) await second();
    expect(world.log.at(-1)?.message).toBe('overdue jobs are ended again');
    expect(world.log).toHaveLength(2);
    await world.issuer.close();
  });

  test('lets the store forget once a minute', async () => {
    const world = issuerWorld();
    let pruned = 0;
    world.store.before = (operation) => {
      if (operation === 'prune') pruned += 1;
    };
    world.issuer.start();
    for (let count = 0; count < 121; count += 1) await second();
    expect(pruned).toBe(3);
    await world.issuer.close();
  });

  test('sweeps one at a time, however slow the store', async () => {
    const world = issuerWorld();
    let under = 0;
    let most = 0;
    world.store.before = async (operation) => {
      if (operation !== 'listOverdueJobs') return;
      under += 1;
      most = Math.max(most, under);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      under -= 1;
    };
    world.issuer.start();
    for (let count = 0; count < 6; count += 1) await second();
    expect(most).toBe(1);
    world.store.before = () => undefined;
    const closed = world.issuer.close();
    await vi.advanceTimersByTimeAsync(3000);
    await closed;
  });

  test('is ready when its store answers, and not before its start or after its close', async () => {
    const world = issuerWorld();
    expect(await world.issuer.ready()).toBe(false);
    world.issuer.start();
    expect(await world.issuer.ready()).toBe(true);
    world.store.before = () => {
      throw new Error('disk gone');
    };
    expect(await world.issuer.ready()).toBe(false);
    world.store.before = () => undefined;
    await world.issuer.close();
    expect(await world.issuer.ready()).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});
