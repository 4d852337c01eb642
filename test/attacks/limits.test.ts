// What somebody who asks without end gets, and what it costs others. On real sockets, from two addresses of the loopback.
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { serveRoutes } from '../../src/app/server/serve-routes.ts';
import { type AddressRange, parseRange } from '../../src/base/address/address.ts';
import { rateLimits } from '../../src/base/limit/rate-limits.ts';
import { jsonResponse } from '../../src/base/ports/http.ts';
import { startBlobWorld } from '../fakes/blob-world.ts';
import { FrozenClock } from '../fakes/frozen-clock.ts';
import { startGcsWorld } from '../fakes/gcs-world.ts';
import { startGuardedResource } from '../fakes/guarded-resource.ts';
import { MemoryLog } from '../fakes/memory-log.ts';
import { startS3World } from '../fakes/s3-world.ts';

const GENEROUS = { perSecond: 1_000_000, burst: 1_000_000 };
const ONCE = { perSecond: 1, burst: 1 };

/** The clock stands still: what is used up stays so. */
const limitsOf = (kind: 'source' | 'job', rate: { perSecond: number; burst: number }) =>
  rateLimits(
    { source: GENEROUS, client: GENEROUS, issuer: GENEROUS, job: GENEROUS, [kind]: rate },
    { clock: new FrozenClock() },
  );

const LOOPBACK: readonly AddressRange[] = [parseRange('127.0.0.0/8')].filter((range) => range !== undefined);

interface Asked {
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
  readonly body?: string;
}

function ask(url: string, { agent, body, from = '127.0.0.1', headers = {} }: Asked = {}) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(
      url,
      { localAddress: from, method, headers, ...(agent === undefined ? {} : { agent }) },
      (answer) => {
        let text = '';
        answer.on('data', (chunk) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(options: Partial<Parameters<typeof serveRoutes>[0]> = {}) {
  const log = new MemoryLog();
  const seen: string[] = [];
  const handle = async ({ remoteAddress }: { remoteAddress: string }) => {
    seen.push(remoteAddress);
    return jsonResponse(200, {});
  };
  const routes = [{ method: 'GET', path: '/', handle } as const, { method: 'POST', path: '/', handle } as const];
  const server = serveRoutes({ routes, ready: async () => true, log, tls: null, ...options });
  await server.listen({ host: '127.0.0.1', port: 0 });
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/`, seen, log };
}

describe('a flood from one address', () => {
  test('is refused before its bodies are read, and holds up no other address', async () => {
    const { log, seen, url } = await serve({ limits: limitsOf('source', { perSecond: 1, burst: 20 }) });
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    closers.push(() => agent.destroy());
    const flood = Array.from({ length: 400 }, () => ask(url, { agent, body: 'x'.repeat(10_000) }));
    const others = Array.from({ length: 20 }, () => ask(url, { from: '127.0.0.2' }));
    const [flooded, answered] = [await Promise.all(flood), await Promise.all(others)];
    expect(answered.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(flooded.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(flooded.filter(({ status }) => status === 429)).toHaveLength(380);
    expect(seen).toHaveLength(40);
    // And the log cannot be filled by it.
    expect(log.lines.filter(({ fields }) => fields.reason === 'rate_limited').length).toBeLessThanOrEqual(20);
  });

  test('is one address’s whatever it writes into X-Forwarded-For', async () => {
    const { url } = await serve({ limits: limitsOf('source', ONCE) });
    const statuses = [];
    for (const address of ['192.0.2.1', '192.0.2.2'])
      statuses.push((await ask(url, { headers: { 'x-forwarded-for': address } })).status);
    expect(statuses).toEqual([200, 429]);
  });

  test('behind a trusted proxy is its own, and does not hold up the proxy’s other callers', async () => {
    const { seen, url } = await serve({ limits: limitsOf('source', ONCE), trustedProxies: LOOPBACK });
    const statuses = [];
    for (const forwarded of ['192.0.2.1', '6.6.6.6, 192.0.2.1', '192.0.2.2'])
      statuses.push((await ask(url, { headers: { 'x-forwarded-for': forwarded } })).status);
    expect(statuses).toEqual([200, 429, 200]);
    expect(seen).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('whose bodies are beyond every bound loses its connection', async () => {
    const { url } = await serve({ limits: limitsOf('source', ONCE) });
    await ask(url);
    const refused = await ask(url, { headers: { 'content-length': '900000000' }, body: 'x' }).catch(() => undefined);
    expect(refused?.headers.connection ?? 'close').toBe('close');
  });
});

test('one address cannot hold every connection', async () => {
  const { url } = await serve({ connectionsPerSource: 3 });
  const port = Number(new URL(url).port);
  const held = Array.from({ length: 8 }, () => connect({ port, host: '127.0.0.1' }).on('error', () => {}));
  closers.push(() => {
    for (const socket of held) socket.destroy();
  });
  const ended = held.map((socket) => once(socket.resume(), 'close'));
  await Promise.any(ended);
  expect((await ask(url, { from: '127.0.0.2', agent: new Agent() })).status).toBe(200);
  await expect(ask(url, { agent: new Agent() })).rejects.toThrow();
  expect(held.filter((socket) => socket.destroyed).length).toBeLessThanOrEqual(5);
});

describe('a gateway refuses in the form of its front', () => {
  test.each(['source', 'job'] as const)('too many requests of one %s at the guard', async (kind) => {
    const world = await startGuardedResource({}, { limits: limitsOf(kind, ONCE) });
    closers.push(() => world.close());
    const headers = { authorization: `Bearer ${await world.sts.token()}` };
    const [first, second] = [
      await ask(`${world.guardUrl}/web/a`, { headers }),
      await ask(`${world.guardUrl}/web/a`, { headers }),
    ];
    expect([first.status, second.status, JSON.parse(second.text).error]).toEqual([200, 429, 'limited']);
    expect(second.headers['retry-after']).toMatch(/^[12]$/);
    expect(world.log.lines.at(-1)?.fields.reason).toBe('rate_limited');
    expect(world.upstream.requests).toHaveLength(1);
  });

  test.each(['source', 'job'] as const)('too many requests of one %s at S3', async (kind) => {
    const world = await startS3World({ limits: limitsOf(kind, ONCE) });
    closers.push(() => world.close());
    const keys = await world.keys();
    const list = () => world.send({ keys, target: '/web-bucket?list-type=2' });
    const [first, second] = [await list(), await list()];
    expect([first.status, second.status, second.code, second.headers['retry-after']]).toEqual([
      200,
      503,
      'SlowDown',
      '1',
    ]);
  });

  test.each(['source', 'job'] as const)('too many requests of one %s at Azure Blob', async (kind) => {
    const world = await startBlobWorld({ limits: limitsOf(kind, ONCE) });
    closers.push(() => world.close());
    const list = () => world.send({ target: '/web-bucket?restype=container&comp=list' });
    const [first, second] = [await list(), await list()];
    expect([first.status, second.status, second.code, second.headers['retry-after']]).toEqual([
      200,
      503,
      'ServerBusy',
      '1',
    ]);
  });

  test.each(['source', 'job'] as const)('too many requests of one %s at Cloud Storage', async (kind) => {
    const world = await startGcsWorld({ limits: limitsOf(kind, ONCE) });
    closers.push(() => world.close());
    const list = () => world.send({ target: '/storage/v1/b/web-bucket/o' });
    const [first, second] = [await list(), await list()];
    expect([first.status, second.status, second.headers['retry-after']]).toEqual([200, 429, '2']);
    expect(second.text).toContain('rateLimitExceeded');
  });

  test('the check listener counts jobs, not its proxy, and answers 403', async () => {
    const world = await startGuardedResource({}, { limits: limitsOf('job', ONCE) });
    closers.push(() => world.close());
    const headers = {
      authorization: `Bearer ${await world.sts.token()}`,
      'x-original-uri': '/web/a',
      'x-original-method': 'GET',
    };
    const [first, second] = [
      await ask(`${world.checkUrl}/check`, { headers }),
      await ask(`${world.checkUrl}/check`, { headers }),
    ];
    expect([first.status, second.status]).toEqual([200, 403]);
  });
});

describe('aws:SourceIp', () => {
  const statement = {
    effect: 'allow' as const,
    actions: ['s3:*'],
    resources: ['arn:aws:s3:::*'],
    conditions: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
  };

  test.each([
    ['is whom a trusted proxy speaks for', LOOPBACK, '192.0.2.7', 200],
    ['is not what stands further left', LOOPBACK, '192.0.2.7, 198.51.100.1', 403],
    ['is nobody’s when the trusted proxy names no address', LOOPBACK, '192.0.2.7, unknown', 403],
    ['is the peer’s when no proxy is trusted', [], '192.0.2.7', 403],
  ])('%s', async (_what, trustedProxies, forwarded, status) => {
    const world = await startS3World({ trustedProxies });
    closers.push(() => world.close());
    await world.grant([statement]);
    const keys = await world.keys();
    const headers = { 'x-forwarded-for': forwarded };
    expect((await world.send({ keys, target: '/web-bucket?list-type=2', headers })).status).toBe(status);
  });
});
