import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { parseRange } from '../../base/address/address.ts';
import { jsonResponse, type Route } from '../../base/ports/http.ts';
import type { Log } from '../../base/ports/log.ts';
import { beginWait, PATIENCE_MS } from '../../base/ports/patience.ts';
import { serveRoutes } from './serve-routes.ts';

const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() } satisfies Log;
const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/jobs',
    handle: async ({ body, query }) => jsonResponse(201, { bytes: body.length, query }),
  },
  { method: 'GET', path: '/v1/jobs/:id', handle: async ({ params }) => jsonResponse(200, params) },
  {
    method: 'GET',
    path: '/broken',
    handle: async () => {
      throw new Error('the database is gone');
    },
  },
  {
    method: 'GET',
    path: '/asks-twice',
    handle: async () => {
      const first = beginWait();
      vi.advanceTimersByTime(PATIENCE_MS / 2);
      first.end();
      return jsonResponse(200, [first.leftMs, beginWait().leftMs]);
    },
  },
];
const server = serveRoutes({ routes, ready: async () => false, log, tls: null });

test('a route gets the raw query and the body as bytes', async () => {
  const answer = await server.inject({
    method: 'POST',
    url: '/v1/jobs?a=%2F&a=2',
    payload: '{"n":1}',
    headers: { 'content-type': 'application/json' },
  });
  expect([answer.statusCode, answer.json()]).toEqual([201, { bytes: 7, query: 'a=%2F&a=2' }]);
});

test('what a route asks of its store for one request takes one patience', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    for (let request = 0; request < 2; request += 1)
      expect((await server.inject('/asks-twice')).json()).toEqual([PATIENCE_MS, PATIENCE_MS / 2]);
  } finally {
    vi.useRealTimers();
  }
});

test('path parameters are decoded once', async () => {
  expect((await server.inject('/v1/jobs/J%252F1')).json()).toEqual({ id: 'J%2F1' });
});

test.each(['me@a.example:sign', 'me%40a.example:sign', 'me%40a.example%3Asign'])(
  'a segment with a colon in it is one parameter: %s',
  async (segment) => {
    expect((await server.inject(`/v1/jobs/${segment}`)).json()).toEqual({ id: 'me@a.example:sign' });
  },
);

test('a path that nothing serves is not found', async () => {
  const answer = await server.inject('/v1/other');
  expect([answer.statusCode, answer.json().reason]).toEqual([404, 'not_found']);
});

test('two slashes are one nowhere but where a route begins with them', async () => {
  const handle: Route['handle'] = async ({ params }) => jsonResponse(200, params);
  const paths = ['/:tenant/token', '//:tenant/token', '/v1/other'];
  const own = serveRoutes({
    routes: paths.map((path) => ({ method: 'GET', path, handle })),
    ready: async () => true,
    log,
    tls: null,
  });
  for (const url of ['/a/token', '//a/token']) expect((await own.inject(url)).json()).toEqual({ tenant: 'a' });
  const address = await own.listen({ host: '127.0.0.1', port: 0 });
  try {
    expect(await (await fetch(`${address}//a/token`)).json()).toEqual({ tenant: 'a' });
    for (const path of [
      '///a/token',
      '/a//token',
      '//a//token',
      '//v1/other',
      '/v1//other',
      '//healthz',
      '/%2Fa/token/',
    ])
      expect((await fetch(`${address}${path}`)).status, path).toBe(404);
  } finally {
    await own.close();
  }
});

test.each([
  ['/v1/jobs', 'POST'],
  ['/v1/jobs/J1', 'GET'],
])('another method on %s is refused and told which one is served', async (url, allowed) => {
  const answer = await server.inject({ method: 'DELETE', url });
  expect([answer.statusCode, answer.headers.allow, answer.json().reason]).toEqual([405, allowed, 'request_invalid']);
});

test('a header that must be single is refused when it comes twice', async () => {
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  try {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(address).port), '127.0.0.1', () =>
        socket.end(
          'GET /v1/jobs/J1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\nConnection: close\r\n\r\n',
        ),
      );
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.once('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('the header authorization may appear once');
  } finally {
    await server.close();
  }
});

test.each([null, 'its caller'])('a server that %s told to listen is closed, idle connections and all', async (who) => {
  const closing = serveRoutes({ routes, ready: async () => true, log, tls: null });
  await closing.ready();
  if (who === null) await closing.listen({ host: '127.0.0.1', port: 0 });
  else await once(closing.server.listen(0, '127.0.0.1'), 'listening');
  const { port } = closing.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1', () => socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'));
  await once(socket, 'data');
  await Promise.all([closing.close(), once(socket.resume(), 'close')]);
  expect(closing.server.listening).toBe(false);
});

test.each([
  ['before the caller hangs up', false],
  ['only after it', true],
])('the signal is aborted, whether it is asked for %s', async (_when, waits) => {
  const seen = Promise.withResolvers<boolean>();
  const hungUp = Promise.withResolvers<void>();
  const handle: Route['handle'] = async (request) => {
    if (waits) await hungUp.promise;
    const { signal } = request;
    if (!signal.aborted) await once(signal, 'abort');
    seen.resolve(request.signal === signal && signal.aborted);
    return jsonResponse(200, {});
  };
  const own = serveRoutes({ routes: [{ method: 'GET', path: '/', handle }], ready: async () => true, log, tls: null });
  await own.listen({ host: '127.0.0.1', port: 0 });
  own.server.once('request', (_request, response) => response.once('close', () => setImmediate(hungUp.resolve)));
  const { port } = own.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
  own.server.once('request', () => socket.destroy());
  expect(await seen.promise).toBe(true);
  await own.close();
});

test('a body beyond the bound is refused', async () => {
  const limited = serveRoutes({ routes, ready: async () => true, log, tls: null });
  const answer = await limited.inject({
    method: 'POST',
    url: '/v1/jobs',
    payload: Buffer.alloc(128 * 1024 + 1),
    headers: { 'content-type': 'application/json' },
  });
  expect([answer.statusCode, answer.json().reason]).toEqual([413, 'request_invalid']);
});

test('what never reaches a route is refused in the form of its wire', async () => {
  const refuse = (status: number, message: string) => ({ status, headers: { 'x-form': 'own' }, body: `<${message}>` });
  const handle = () => Promise.reject(new Error('the database is gone'));
  const own = serveRoutes({
    routes: [{ method: 'POST', path: '/', handle, refuse }],
    ready: async () => true,
    log,
    tls: null,
  });
  for (const [payload, expected] of [
    [Buffer.alloc(128 * 1024 + 1), [413, 'own', '<the request could not be read>']],
    ['', [503, 'own', '<try again shortly>']],
  ] as const) {
    const answer = await own.inject({ method: 'POST', url: '/', payload, headers: { 'content-type': 'a/b' } });
    expect([answer.statusCode, answer.headers['x-form'], answer.body]).toEqual(expected);
  }
});

test('an unexpected failure is a 503 that says nothing, and the log says everything', async () => {
  const failing = serveRoutes({ routes, ready: async () => true, log, tls: null });
  const answer = await failing.inject('/broken');
  expect([answer.statusCode, answer.json(), answer.headers['retry-after']]).toEqual([
    503,
    { message: 'try again shortly', reason: 'unavailable' },
    '1',
  ]);
  expect(log.error).toHaveBeenCalledWith({ err: new Error('the database is gone') }, 'a request failed unexpectedly');
});

test('health is answered whatever happens, readiness only when it is so', async () => {
  for (const [ready, status] of [
    [true, 200],
    [false, 503],
  ] as const) {
    const asked = serveRoutes({ routes, ready: async () => ready, log, tls: null });
    expect((await asked.inject('/healthz')).statusCode).toBe(200);
    expect((await asked.inject('/readyz')).statusCode).toBe(status);
  }
});

test('readiness is looked at once for everybody who asks meanwhile', async () => {
  let looks = 0;
  const asked = serveRoutes({
    routes,
    ready: async () => {
      looks += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    },
    log,
    tls: null,
  });
  await asked.ready();
  const answers = await Promise.all(Array.from({ length: 20 }, () => asked.inject('/readyz')));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(20).fill(200));
  expect(looks).toBeLessThan(20);
  const before = looks;
  await asked.inject('/readyz');
  expect(looks).toBe(before + 1);
});

describe('metrics', () => {
  const LOOPBACK = '127.0.0.1';
  const ranges = (text: string) => [parseRange(text)].filter((range) => range !== undefined);

  test.each<[string, { peer: string; headers?: Record<string, string>; trusted?: string }, number]>([
    ['this machine', { peer: LOOPBACK }, 200],
    ['this machine by IPv6', { peer: '::1' }, 200],
    ['a listed range', { peer: '10.1.2.3' }, 200],
    ['anybody else', { peer: '192.0.2.1' }, 404],
    [
      'whom an undeclared proxy on this machine forwards',
      { peer: LOOPBACK, headers: { 'x-forwarded-for': LOOPBACK } },
      404,
    ],
    ['whom one forwards by other words', { peer: LOOPBACK, headers: { via: '1.1 proxy' } }, 404],
    [
      'whom a trusted proxy forwards from a listed range',
      { peer: '172.16.0.1', headers: { 'x-forwarded-for': '10.9.9.9' }, trusted: '172.16.0.0/12' },
      200,
    ],
    [
      'whom a trusted proxy forwards from elsewhere',
      { peer: LOOPBACK, headers: { 'x-forwarded-for': '192.0.2.1' }, trusted: '127.0.0.0/8' },
      404,
    ],
  ])('are told to %s as they should be', async (_who, { headers = {}, peer, trusted }, status) => {
    const server = serveRoutes({
      routes,
      ready: async () => true,
      log,
      tls: null,
      metrics: { text: async () => 'a_total 1\n', from: ranges('10.0.0.0/8') },
      trustedProxies: trusted === undefined ? [] : ranges(trusted),
    });
    const answer = await server.inject({ method: 'GET', url: '/metrics', headers, remoteAddress: peer });
    expect([answer.statusCode, answer.body.includes('a_total')]).toEqual([status, status === 200]);
    if (status === 404) expect(answer.json()).toEqual({ message: 'no such route', reason: 'not_found' });
  });

  test('count the status of every answer', async () => {
    const statuses: number[] = [];
    const server = serveRoutes({
      routes,
      ready: async () => false,
      log,
      tls: null,
      onAnswered: (one) => statuses.push(one),
    });
    for (const url of ['/v1/jobs/J1', '/nowhere', '/readyz']) await server.inject(url);
    expect(statuses).toEqual([200, 404, 503]);
  });
});
