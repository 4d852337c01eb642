// What a store takes of an upstream that contradicts itself: nothing that a caller could mistake for something else.
import { createServer, type OutgoingHttpHeaders, type RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { Secret } from '../../src/base/core/secret.ts';
import type { ObjectStore } from '../../src/gateway/objects/store.ts';
import { openUpstreamStore } from '../../src/gateway/objects/upstream/open.ts';
import { FrozenClock } from '../fakes/frozen-clock.ts';
import { listen } from '../fakes/guarded-resource.ts';

const OBJECT = { bucket: 'web-bucket', key: 'a' };

/** What `work` makes of a store whose upstream answers so. */
async function over<T>(answer: RequestListener, work: (store: ObjectStore) => Promise<T>): Promise<T> {
  const server = createServer(answer);
  const url = `http://127.0.0.1:${await listen(server)}`;
  const lookup = (): never => {
    throw new Error('a literal address needs no look-up');
  };
  const upstream = { url, region: 'eu-test-1', accessKeyId: 'k', secretAccessKey: new Secret('s'), lookup };
  const store = openUpstreamStore({ server: upstream, buckets: ['web-bucket'], clock: new FrozenClock() });
  try {
    return await work(store);
  } finally {
    await store.close();
    server.closeAllConnections();
    server.close();
  }
}

/** The first bytes of an object, as an upstream with these headers gives them. */
function rangeFrom(headers: OutgoingHttpHeaders) {
  const answer: RequestListener = (_req, res) => {
    res.writeHead(206, { etag: '"a"', 'last-modified': 'Mon, 23 Nov 2026 00:00:00 GMT', ...headers });
    res.end('hello');
  };
  return over(answer, async (store) => {
    const found = await store.get(OBJECT, { range: { first: 0, last: 4 }, signal: new AbortController().signal });
    if (found.ok) found.value.body.destroy();
    return found.ok ? found.value.range : found.error.problem;
  });
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

const listingOf = (contents: string): RequestListener => {
  const document = `<ListBucketResult><EncodingType>url</EncodingType>${contents}</ListBucketResult>`;
  return (_req, res) => res.end(document);
};
const entry = (key: string): string =>
  `<Contents><Key>${key}</Key><LastModified>2026-11-23T02:28:04.000Z</LastModified><ETag>"a"</ETag><Size>3</Size></Contents>`;

test.each([
  ['that is within its prefix is taken', 'secrets/', entry('secrets/a'), 'secrets/a'],
  ['of another prefix is refused', '/secrets/', entry('secrets/a'), 'storage_unavailable'],
  ['with one key beyond its prefix is refused', 'a/', `${entry('a/b')}${entry('b')}`, 'storage_unavailable'],
  [
    'with a common prefix beyond its own is refused',
    'a/',
    '<CommonPrefixes><Prefix>b%2F</Prefix></CommonPrefixes>',
    'storage_unavailable',
  ],
])('a listing %s', async (_what, prefix, contents, outcome) => {
  const options = { prefix, delimiter: null, after: '', limit: 10 };
  const listed = await over(listingOf(contents), (store) => store.list('web-bucket', options));
  expect(listed.ok ? listed.value.objects.map(({ key }) => key).join() : listed.error.problem).toBe(outcome);
});

/** The requests of a conditional change whose caller is gone, or not, when the upstream tells what stands there. */
async function requestsOf(change: (store: ObjectStore, signal: AbortSignal) => Promise<unknown>, isEnding: boolean) {
  const caller = new AbortController();
  const requests: (string | undefined)[] = [];
  const answer: RequestListener = ({ method }, res) => {
    requests.push(method);
    if (isEnding) caller.abort();
    res.writeHead(200, { etag: '"a"', 'last-modified': 'Mon, 23 Nov 2026 00:00:00 GMT', 'content-length': '0' }).end();
  };
  await over(answer, (store) => change(store, caller.signal));
  return requests;
}

const CONDITIONS = { ifMatch: ['a'] };
const UPLOAD = { ...OBJECT, uploadId: 'U1' };
test.each<[string, string, (store: ObjectStore, signal: AbortSignal) => Promise<unknown>]>([
  ['deletion', 'DELETE', (store, signal) => store.delete(OBJECT, { conditions: CONDITIONS, signal })],
  [
    'completion',
    'POST',
    (store, signal) =>
      store.completeUpload(UPLOAD, { parts: [{ part: 1, etag: 'p' }], conditions: CONDITIONS, signal }),
  ],
])(
  'a %s whose caller is gone before the upstream said what stands there is not sent',
  async (_what, method, change) => {
    expect(await requestsOf(change, true)).toEqual(['HEAD']);
    expect((await requestsOf(change, false)).slice(0, 2)).toEqual(['HEAD', method]);
  },
);
