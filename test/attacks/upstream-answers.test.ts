// What a store takes of an upstream that contradicts itself: nothing that a caller could mistake for something else.
import { createServer, type OutgoingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import { Secret } from '../../src/base/core/secret.ts';
import { openUpstreamStore } from '../../src/gateway/objects/upstream/open.ts';
import { FrozenClock } from '../fakes/frozen-clock.ts';
import { listen } from '../fakes/guarded-resource.ts';

const OBJECT = { bucket: 'web-bucket', key: 'a' };

/** The first bytes of an object, as an upstream with these headers gives them. */
async function rangeFrom(headers: OutgoingHttpHeaders) {
  const server = createServer((_req, res) => {
    res.writeHead(206, { etag: '"a"', 'last-modified': 'Mon, 23 Nov 2026 00:00:00 GMT', ...headers });
    res.end('hello');
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  const lookup = (): never => {
    throw new Error('a literal address needs no look-up');
  };
  const upstream = { url, region: 'eu-test-1', accessKeyId: 'k', secretAccessKey: new Secret('s'), lookup };
  const store = openUpstreamStore({ server: upstream, buckets: ['web-bucket'], clock: new FrozenClock() });
  const found = await store.get(OBJECT, { range: { first: 0, last: 4 }, signal: new AbortController().signal });
  if (found.ok) found.value.body.destroy();
  await store.close();
  server.closeAllConnections();
  server.close();
  return found.ok ? found.value.range : found.error.problem;
}

test('a range that is as long as it says is taken', async () => {
  expect(await rangeFrom({ 'content-range': 'bytes 0-4/100', 'content-length': '5' })).toEqual({ first: 0, last: 4 });
});

test.each([
  ['is shorter than it says', { 'content-range': 'bytes 0-9/100', 'content-length': '5' }],
  ['is longer than it says', { 'content-range': 'bytes 0-3/100', 'content-length': '5' }],
  ['does not say how long it is', { 'content-range': 'bytes 0-4/100' }],
])('a range that %s is refused', async (_what, headers) => {
  expect(await rangeFrom(headers)).toBe('storage_unavailable');
});
