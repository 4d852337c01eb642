import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exclusive, type Lock, LockSet, ordered, shared } from './locks.ts';
import { type PendingWrite, WriteQueue } from './queue.ts';

const pending = (...locks: readonly Lock[]): PendingWrite => ({
  write: { locks, run: async () => undefined },
  resolve: () => undefined,
  reject: () => undefined,
  isGivenUp: false,
});

const queueOf = (...writes: readonly PendingWrite[]): WriteQueue => {
  const queue = new WriteQueue();
  for (const write of writes) queue.add(write);
  return queue;
};

describe('the queue of writes', () => {
  test('gives all that can share a transaction, in their order', () => {
    const grants = [pending(shared('job', 'J1')), pending(shared('job', 'J1')), pending(shared('job', 'J2'))];
    expect(queueOf(...grants).take()?.batch).toEqual(grants);
  });

  test('keeps what excludes the batch for the next one, and what comes after that behind it', () => {
    const [grant, end, later, other] = [
      pending(shared('job', 'J1')),
      pending(exclusive('job', 'J1')),
      pending(shared('job', 'J1')),
      pending(shared('job', 'J2')),
    ];
    const queue = queueOf(grant, end, later, other);
    const first = queue.take();
    expect(first?.batch).toEqual([grant, other]);
    expect(queue.take()).toBeUndefined();
    first?.done();
    const second = queue.take();
    expect(second?.batch).toEqual([end]);
    second?.done();
    expect(queue.take()?.batch).toEqual([later]);
  });

  test('leaves out what was given up, and never fills a transaction without bound', () => {
    const queue = queueOf(...Array.from({ length: 100 }, () => pending()));
    const given = { ...pending(), isGivenUp: true };
    queue.add(given);
    expect(queue.take()?.batch).toHaveLength(64);
    expect(queue.take()?.batch).toHaveLength(36);
    expect(queue.isEmpty).toBe(true);
  });

  test('never has two transactions open that exclude each other, forgets no write, and gives each once', () => {
    const lock = fc.tuple(fc.constantFrom(shared, exclusive, ordered), fc.integer({ min: 0, max: 3 }));
    const write = fc.array(lock, { maxLength: 3 }).map((locks) => pending(...locks.map(([make, n]) => make(`${n}`))));
    const play = fc.tuple(fc.array(write, { maxLength: 40 }), fc.array(fc.boolean(), { maxLength: 200 }));
    fc.assert(
      fc.property(play, ([writes, steps]) => {
        const queue = queueOf(...writes);
        const open: { locks: LockSet; done: () => void }[] = [];
        const seen: PendingWrite[] = [];
        const take = (): boolean => {
          const taken = queue.take();
          if (taken === undefined) return false;
          const all = taken.batch.flatMap((one) => one.write.locks);
          for (const { locks } of open) expect(locks.isApartFrom(all)).toBe(true);
          const locks = new LockSet();
          for (const one of taken.batch) {
            expect(locks.admits(one.write.locks)).toBe(true);
            locks.add(one.write.locks);
          }
          open.push({ locks, done: taken.done });
          seen.push(...taken.batch);
          return true;
        };
        for (const isTake of steps) if (!(isTake && take())) open.shift()?.done();
        for (const { done } of open.splice(0)) done();
        while (take()) for (const { done } of open.splice(0)) done();
        expect(queue.isEmpty).toBe(true);
        expect(new Set(seen)).toEqual(new Set(writes));
        expect(seen).toHaveLength(writes.length);
      }),
    );
  });
});
