// DeleteObjects as one of many requests: it decides on a thousand keys and lets everybody else go on meanwhile.
import { expect, test } from 'vitest';
import { deleteObjects } from './bulk-delete.ts';
import type { Work } from './work.ts';

const CALL = { operation: 'DeleteObjects', bucket: 'web-bucket', conditionKeys: new Map() } as const;

const bodyOf = (count: number): Uint8Array =>
  Buffer.from(
    `<Delete>${Array.from({ length: count }, (_, key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`,
  );

/** As much of a permitted call as this operation asks for; its store is never reached. */
function workOf(over: Partial<Work>): Work {
  const body = async function* () {
    yield bodyOf(1000);
  };
  const { signal } = new AbortController();
  const work: Partial<Work> = {
    content: { body: body(), size: null, checksums: () => ({}) },
    signal,
    report: () => {},
  };
  return { ...work, ...over } as Work;
}

test('a list of keys that are all refused does not keep the thread to itself', async () => {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  let asked = 0;
  let askedInOneTurn = 0;
  let most = 0;
  let last = -1;
  const permits = (): boolean => {
    asked += 1;
    askedInOneTurn = turns === last ? askedInOneTurn + 1 : 1;
    last = turns;
    most = Math.max(most, askedInOneTurn);
    return false;
  };
  setImmediate(count);
  const outcome = await deleteObjects(workOf({ permits }), CALL);
  isOver = true;
  expect([outcome.ok, asked]).toEqual([true, 1000]);
  expect(most).toBeLessThanOrEqual(16);
});

test('nothing is decided any more, and nothing deleted, once the call was ended', async () => {
  const ended = new AbortController();
  let asked = 0;
  const permits = (): boolean => {
    asked += 1;
    setImmediate(() => ended.abort());
    return false;
  };
  await deleteObjects(workOf({ permits, signal: ended.signal }), CALL);
  expect(asked).toBeLessThanOrEqual(16);
});

test.each([
  [false, 'AccessDenied'],
  [true, 'NoSuchBucket'],
])('a bucket that is not configured is told of only to those who may delete in it (%s)', async (mayDelete, code) => {
  const outcome = await deleteObjects(workOf({ permits: () => mayDelete, buckets: new Set(['other']) }), CALL);
  const text = outcome.ok && 'body' in outcome.value ? String(outcome.value.body) : '';
  expect(new Set([...text.matchAll(/<Code>([^<]*)<\/Code>/g)].map(([, told]) => told))).toEqual(new Set([code]));
});
