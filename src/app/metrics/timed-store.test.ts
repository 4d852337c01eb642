import { expect, test } from 'vitest';
import { timedStore } from './timed-store.ts';

class Store {
  #rows = 0;
  readonly name = 'store';
  async write(count: number): Promise<number> {
    if (count < 0) throw new Error('no');
    this.#rows += count;
    return this.#rows;
  }
  async read(): Promise<number> {
    return this.#rows;
  }
}

test('writes are measured, failed ones too; what they answer and everything else stays as it is', async () => {
  const told: unknown[] = [];
  const store = timedStore(new Store(), {
    operations: ['write'],
    onDone: (operation, tookMs, failed) => told.push([operation, tookMs >= 0, failed]),
  });
  expect(await store.write(2)).toBe(2);
  await expect(store.write(-1)).rejects.toThrow('no');
  expect([await store.read(), store.name]).toEqual([2, 'store']);
  expect(told).toEqual([
    ['write', true, false],
    ['write', true, true],
  ]);
});
