import { expect, it } from 'vitest';
import { FrozenClock } from '../../../../test/fakes/frozen-clock.ts';
import { ask, type UpstreamContext } from './context.ts';

const reached: string[] = [];
const connection = {
  send: async ({ key }: { readonly key: string | null }) => {
    reached.push(key ?? '');
    return { ok: false, error: { problem: 'storage_unavailable', detail: 'nobody there' } };
  },
} as unknown as UpstreamContext['connection'];
const context: UpstreamContext = { connection, buckets: new Set(['web']), clock: new FrozenClock() };

const problemOf = async (bucket: string, key: string): Promise<string> => {
  const answer = await ask(context, { bucket, key }, { method: 'GET' });
  return answer.ok ? 'none' : answer.error.problem;
};

it.each(['.', '..', '../secrets/a', 'a/../b', 'a/..', './a', 'a/./b', '/secrets/a', '/', 'a//b', 'a//'])(
  'a key that a server could read as another never leaves: %s',
  async (key) => {
    expect(await problemOf('web', key)).toBe('not_supported');
    expect(reached).toEqual([]);
  },
);

it('dots within a name, and a slash at its end, are its own', async () => {
  for (const key of ['a..b', '.hidden', 'a/...', 'a.', 'v1.2/x', 'folder/']) {
    expect(await problemOf('web', key)).toBe('storage_unavailable');
  }
  expect(reached).toHaveLength(6);
});

it('a bucket that is not configured does not exist', async () => {
  expect(await problemOf('other', 'a')).toBe('bucket_unknown');
});
