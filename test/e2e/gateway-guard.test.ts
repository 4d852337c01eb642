// The guard on real sockets: what reaches the upstream, what never does, and what happens to a stream whose session ends.
import { createHash, randomBytes } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exchangeBytes, type GuardedResource, startGuardedResource, until } from '../fakes/guarded-resource.ts';

const SESSION = 'S0000000000AB';
let world: GuardedResource;
let token: string;

beforeEach(async () => {
  world = await startGuardedResource();
  token = await world.sts.token();
});
afterEach(() => world.close());

const authorized = (headers: Record<string, string> = {}) => ({ authorization: `Bearer ${token}`, ...headers });

const send = (path: string, init: RequestInit = {}) =>
  fetch(`${world.guardUrl}${path}`, { headers: authorized(), ...init });

/** Everything logged so far, to search for what must not be there. */
const logText = () => JSON.stringify(world.log.lines);

const endSession = () => world.sts.ended.push({ sessionId: SESSION, expiresAt: world.clock.nowSeconds() + 600 });

/** A request whose answer and errors a test can look at as they come. */
function open(method: string, path: string, headers: Record<string, string> = {}) {
  const req: ClientRequest = request(`${world.guardUrl}${path}`, {
    method,
    headers: authorized(headers),
    agent: false,
  });
  const seen: { answer?: IncomingMessage; bytes: number; ended: boolean; error?: string; continued: boolean } = {
    bytes: 0,
    ended: false,
    continued: false,
  };
  const fail = (cause: NodeJS.ErrnoException) => {
    seen.error = cause.code ?? cause.message;
  };
  req.on('error', fail);
  req.on('continue', () => {
    seen.continued = true;
  });
  req.on('response', (answer) => {
    seen.answer = answer;
    answer.on('error', fail);
    answer.on('data', (chunk: Buffer) => {
      seen.bytes += chunk.length;
    });
    answer.on('end', () => {
      seen.ended = true;
    });
  });
  return { req, seen };
}

/** Answers with an endless body, so that only an abort ends it. */
const endless = () => {
  world.upstream.answer = (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain' });
    const timer = setInterval(() => res.write('more\n'), 5);
    res.on('close', () => clearInterval(timer));
  };
};

describe('a permitted request', () => {
  test('arrives with method, path, query and body unchanged, and says who came', async () => {
    const body = randomBytes(300_000);
    const hash = createHash('sha256');
    let head: IncomingMessage | undefined;
    world.upstream.answer = (req, res) => {
      head = req;
      req.on('data', (chunk) => hash.update(chunk));
      req.on('end', () => res.writeHead(201, { 'x-stored': 'yes' }).end('stored'));
    };
    const answer = await send('/web/%C3%A9%20b/~x?list=a%2Fb&c', { method: 'PUT', body });
    expect([answer.status, answer.headers.get('x-stored'), await answer.text()]).toEqual([201, 'yes', 'stored']);
    expect(answer.headers.get('x-jobpass-decision')).toMatch(/^D/);
    expect([head?.method, head?.url]).toEqual(['PUT', '/web/%C3%A9%20b/~x?list=a%2Fb&c']);
    expect(head?.headers).toMatchObject({
      host: new URL(world.upstreamUrl).host,
      'content-length': '300000',
      'x-jobpass-session': SESSION,
      'x-jobpass-role': 'main/publish-web',
      'x-jobpass-subject': 'owner:acme@42:pipeline:web@7:environment:production',
    });
    expect(hash.digest('hex')).toBe(createHash('sha256').update(body).digest('hex'));
  });

  test('never carries the credential, nor anything the caller says in the guard’s name', async () => {
    const forged = { 'X-Jobpass-Role': 'main/admin', X_Jobpass_Role: 'main/admin', 'X-Forwarded-User': 'admin' };
    const answer = await send('/web/a', { headers: authorized(forged) });
    expect(answer.status).toBe(200);
    expect(world.upstream.received).toContain('x-jobpass-role: main/publish-web');
    expect(world.upstream.received).not.toMatch(/admin|authorization|bearer/i);
    for (const part of token.split('.')) expect(world.upstream.received).not.toContain(part);
    expect(logText()).not.toContain(token.split('.')[2]);
  });

  test('is refused when the credential would reach the upstream by another way', async () => {
    for (const answer of [
      await send(`/web/a?access_token=${token}`),
      await send('/web/a', { headers: authorized({ 'x-copy': token }) }),
    ]) {
      expect(answer.status).toBe(400);
    }
    expect(world.upstream.connections).toBe(0);
  });

  test('streams down with trailers', async () => {
    world.upstream.answer = (_req, res) => {
      res.writeHead(200, { trailer: 'x-sum' });
      res.write('one ');
      res.addTrailers({ 'x-sum': '42' });
      res.end('two');
    };
    const { req, seen } = open('GET', '/web/a');
    req.end();
    await until(() => seen.ended);
    expect([seen.bytes, seen.answer?.trailers]).toEqual([7, { 'x-sum': '42' }]);
  });

  test('streams without holding the bodies: an upstream that does not read stops the caller', async () => {
    let upload: IncomingMessage | undefined;
    world.upstream.answer = (received) => {
      upload = received.on('error', () => {});
    };
    const { req } = open('PUT', '/web/big', { 'transfer-encoding': 'chunked' });
    const chunk = Buffer.alloc(256 * 1024);
    let written = 0;
    while (written < 256 * 1024 * 1024) {
      written += chunk.length;
      if (!req.write(chunk) && (await isStuck(req))) break;
    }
    expect(written).toBeLessThan(64 * 1024 * 1024);
    req.destroy();
    upload?.resume();
    await until(() => world.upstream.openSockets === 0);
    expect(upload?.complete).toBe(false);
  });

  test('keeps the framing of a body on a method that seldom has one', async () => {
    for (const [framing, body] of [
      ['Content-Length: 33', 'GET /web/second HTTP/1.1\r\nhost: a'.slice(0, 33)],
      ['Transfer-Encoding: chunked', '21\r\nGET /web/second HTTP/1.1\r\nhost: a\r\n0\r\n\r\n'],
    ]) {
      const raw = `GET /web/a HTTP/1.1\r\nHost: g\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n${framing}\r\n\r\n${body}`;
      expect((await exchangeBytes(world.guardPort, raw)).text).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(world.upstream.requests.map((req) => req.url)).toEqual(['/web/a', '/web/a']);
  });

  test('gets an early answer although its body was not read', async () => {
    world.upstream.answer = (_req, res) => res.writeHead(413, { connection: 'close' }).end('too large');
    const { req, seen } = open('PUT', '/web/a', { 'content-length': '50000' });
    req.write(Buffer.alloc(20_000));
    await until(() => seen.ended);
    expect([seen.answer?.statusCode, seen.bytes]).toEqual([413, 9]);
    req.destroy();
  });

  test('is asked for its body only after the decision, by the upstream', async () => {
    const { req, seen } = open('PUT', '/web/a', { expect: '100-continue', 'content-length': '4' });
    await until(() => seen.continued);
    req.end('body');
    await until(() => seen.ended);
    expect([seen.answer?.statusCode, world.upstream.requests.length]).toEqual([200, 1]);
  });

  test('leaves nothing running when its caller goes away', async () => {
    endless();
    const { req, seen } = open('GET', '/web/a');
    req.end();
    await until(() => seen.bytes > 0);
    req.destroy();
    await until(() => world.upstream.openSockets === 0);
  });
});

/** True when nothing could be written for a while. */
const isStuck = (req: ClientRequest): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), 700);
    req.once('drain', () => {
      clearTimeout(timer);
      resolve(false);
    });
  });

describe('a refused request', () => {
  const refusals: [string, () => Promise<Response>, number, string, string][] = [
    ['no credential', () => send('/web/a', { headers: {} }), 401, 'token_invalid', 'credential_missing'],
    [
      'a bad credential',
      () => send('/web/a', { headers: { authorization: 'Bearer x' } }),
      401,
      'token_invalid',
      'token_malformed',
    ],
    ['no permission', () => send('/other/a'), 403, 'access_denied', 'permission_denied'],
    ['an ambiguous path', () => send('/web/%2e%2e%2fother'), 400, 'request_invalid', 'path_refused'],
    [
      'a method override',
      () => send('/web/a', { headers: authorized({ 'x-http-method-override': 'DELETE' }) }),
      400,
      'request_invalid',
      'path_refused',
    ],
    [
      'the credential in the query alone',
      () => send(`/web/a?access_token=${token}`, { headers: {} }),
      401,
      'token_invalid',
      'credential_missing',
    ],
    [
      'the credential in a cookie alone',
      () => send('/web/a', { headers: { cookie: `authorization=Bearer ${token}` } }),
      401,
      'token_invalid',
      'credential_missing',
    ],
  ];

  test.each(refusals)(
    'for %s is answered blandly and logged whole under one id',
    async (_what, ask, status, error, reason) => {
      const answer = await ask();
      const body = (await answer.json()) as { error: string; decision: string };
      expect([answer.status, body.error, answer.headers.get('cache-control')]).toEqual([status, error, 'no-store']);
      const line = world.log.lines.find(({ fields }) => fields.decision === body.decision);
      expect([line?.message, line?.fields.reason]).toEqual(['refused', reason]);
      expect(answer.headers.has('www-authenticate')).toBe(status === 401);
      expect(world.upstream.connections).toBe(0);
      expect(logText()).not.toContain(token.split('.')[2]);
    },
  );

  test('with a large body still shows its refusal, and the body goes nowhere', async () => {
    const answer = await fetch(`${world.guardUrl}/web/a`, { method: 'PUT', body: Buffer.alloc(100_000) });
    expect(answer.status).toBe(401);
    expect(world.upstream.connections).toBe(0);
  });

  test('with an endless body is cut', async () => {
    const { req } = open('PUT', '/other/a', { 'transfer-encoding': 'chunked' });
    const timer = setInterval(() => req.write(Buffer.alloc(64 * 1024)), 5);
    await until(() => req.socket?.destroyed === true).finally(() => clearInterval(timer));
    expect(world.upstream.connections).toBe(0);
  });

  test('is not asked for its body', async () => {
    const { req, seen } = open('PUT', '/other/a', { expect: '100-continue', 'content-length': '4' });
    await until(() => seen.ended);
    expect([seen.answer?.statusCode, seen.continued, world.upstream.connections]).toEqual([403, false, 0]);
    req.destroy();
  });

  test.each([
    ['a length and a transfer coding', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n'],
    ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n'],
    ['a folded header', 'X-A: b\r\n c: d\r\n'],
    ['another transfer coding', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['a space before the colon', 'Transfer-Encoding : chunked\r\n'],
    ['two hosts', 'Host: other\r\n'],
    ['an upgrade', 'Connection: upgrade\r\nUpgrade: websocket\r\n'],
  ])('with %s reaches nobody', async (_what, extra) => {
    const raw = `PUT /web/a HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${token}\r\n${extra}\r\n0\r\n\r\n`;
    const { text } = await exchangeBytes(world.guardPort, raw);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(world.upstream.connections).toBe(0);
  });

  test.each([
    ['an absolute target', 'GET http://other/web/a'],
    ['an authority target', 'GET other:80'],
    ['TRACE', 'TRACE /web/a'],
    ['COPY', 'COPY /web/a'],
    ['MOVE', 'MOVE /web/a'],
    ['BIND', 'BIND /web/'],
    ['CONNECT', 'CONNECT /web/a'],
  ])('with %s reaches nobody', async (_what, line) => {
    const raw = `${line} HTTP/1.1\r\nHost: g\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const { text } = await exchangeBytes(world.guardPort, raw);
    expect(text).not.toMatch(/^HTTP\/1\.1 2/);
    expect(world.upstream.connections).toBe(0);
  });
});

describe('when the session ends', () => {
  test('a download breaks off visibly on both sides, well within 2 s', async () => {
    endless();
    const { req, seen } = open('GET', '/web/a');
    req.end();
    await until(() => seen.bytes > 0);
    endSession();
    const tookMs = await until(() => seen.error !== undefined);
    expect([seen.ended, world.upstream.openSockets]).toEqual([false, 0]);
    expect(tookMs).toBeLessThan(2000);
    expect((await send('/web/a')).status).toBe(403);
  });

  test('an upload never completes at the upstream, and its caller is told why', async () => {
    let state = 'none';
    world.upstream.answer = (req, res) => {
      state = 'begun';
      req.resume();
      req.on('error', () => {});
      req.on('close', () => {
        state = req.complete ? 'complete' : 'broken';
      });
      req.on('end', () => res.end('ok'));
    };
    const { req, seen } = open('PUT', '/web/a', { 'transfer-encoding': 'chunked' });
    const timer = setInterval(() => req.write('more'), 5);
    await until(() => state === 'begun');
    endSession();
    await until(() => state === 'broken').finally(() => clearInterval(timer));
    await until(() => seen.answer !== undefined);
    expect(seen.answer?.statusCode).toBe(403);
    req.destroy();
  });

  test('or its role loses the permission, a download breaks off too', async () => {
    endless();
    const { req, seen } = open('GET', '/web/a');
    req.end();
    await until(() => seen.bytes > 0);
    world.sts.grant('main/publish-web', [
      { effect: 'allow', actions: ['http:*'], resources: ['arn:jobpass:http:::store/web/b'] },
    ]);
    await until(() => seen.error !== undefined);
    expect([seen.ended, world.log.lines.at(-1)]).toMatchObject([
      false,
      { message: 'cut off', fields: { reason: 'permission_denied' } },
    ]);
  });

  test('an HTTP/1.0 answer without a length does not end like a complete one', async () => {
    endless();
    const raw = `GET /web/a HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const whole = exchangeBytes(world.guardPort, raw);
    await until(() => world.upstream.openSockets === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    endSession();
    const { text, error } = await whole;
    expect(text).toContain('more');
    expect(error).toBe('ECONNRESET');
  });

  test('other sessions go on', async () => {
    endless();
    token = await world.sts.token({ sessionId: 'S-other' });
    const { req, seen } = open('GET', '/web/a');
    req.end();
    await until(() => seen.bytes > 0);
    endSession();
    await until(() => world.sts.polls.at(-1)?.cursor === 1);
    const before = seen.bytes;
    await until(() => seen.bytes > before);
    expect(seen.error).toBeUndefined();
    req.destroy();
  });

  test('by its expiry, a stream breaks off too', async () => {
    endless();
    const { req, seen } = open('GET', '/web/a');
    req.end();
    await until(() => seen.bytes > 0);
    world.clock.push(600_000);
    await until(() => seen.error !== undefined);
    expect([seen.ended, (await send('/web/a')).status]).toEqual([false, 401]);
  });

  test('in a way nobody can hear, a stream breaks off when freshness is lost', async () => {
    endless();
    const { req, seen } = open('GET', '/web/a');
    req.end();
    await until(() => seen.bytes > 0);
    world.sts.reachable = false;
    await until(() => logText().includes('not heard'));
    world.clock.push(11_000);
    await until(() => seen.error !== undefined);
    const refused = await send('/web/a');
    expect([seen.ended, refused.status, refused.headers.get('retry-after')]).toEqual([false, 503, '2']);
    expect(await world.gateway.ready()).toBe(false);
    world.sts.reachable = true;
    await until(() => world.gateway.ready());
    endless();
  });
});

test('one job cannot take every connection to the upstream: its further requests wait, other jobs’ do not', async () => {
  const held: ServerResponse[] = [];
  world.upstream.answer = (_req, res) => held.push(res);
  const own = Array.from({ length: 33 }, () => open('GET', '/web/a'));
  for (const { req } of own) req.end();
  await until(() => held.length === 32);
  token = await world.sts.token({ jobId: 'J2', sessionId: 'S-other' });
  const other = open('GET', '/web/a');
  other.req.end();
  await until(() => held.length === 33);
  held[0]?.end('ok');
  await until(() => held.length === 34);
  for (const res of held) res.end('ok');
  await until(() => [...own, other].every(({ seen }) => seen.ended));
});

describe('when the upstream fails', () => {
  test('by not being there, the answer is 502', async () => {
    await world.close();
    const { upstreamUrl } = world;
    world = await startGuardedResource({ upstream: upstreamUrl });
    token = await world.sts.token();
    const answer = await send('/web/a', { method: 'PUT', body: 'x'.repeat(1000) });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([502, 'unavailable']);
  });

  test('before its answer, the answer is 502', async () => {
    world.upstream.answer = (req) => req.socket.destroy();
    expect((await send('/web/a')).status).toBe(502);
  });

  test.each([
    ['with a length', { 'content-length': '1000' }],
    ['without a length', {}],
  ])('in the middle of its answer %s, the caller sees it break off', async (_what, headers) => {
    world.upstream.answer = (_req, res) => {
      res.writeHead(200, headers);
      res.write('partial', () => setTimeout(() => res.socket?.destroy(), 50));
    };
    const { req, seen } = open('GET', '/web/a');
    req.end();
    await until(() => seen.error !== undefined);
    expect([seen.answer?.statusCode, seen.ended]).toEqual([200, false]);
  });

  test('with an answer that cannot be read, the answer is 502', async () => {
    world.upstream.answer = (req) => req.socket.end('HTTP/1.1 2\u0000 what\r\n\r\n');
    expect((await send('/web/a')).status).toBe(502);
  });

  test('with a protocol switch nobody asked for, the answer is 502', async () => {
    world.upstream.answer = (req) => req.socket.write('HTTP/1.1 101 x\r\nupgrade: y\r\nconnection: upgrade\r\n\r\n');
    expect((await send('/web/a')).status).toBe(502);
  });
});

test('a caller that leaves before the decision is never heard of upstream', async () => {
  const socket = connect(world.guardPort, '127.0.0.1');
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(`GET /web/a HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${token}\r\n`);
  socket.destroy();
  expect((await send('/web/b')).status).toBe(200);
  expect(world.upstream.requests.map((req) => req.url)).toEqual(['/web/b']);
});
