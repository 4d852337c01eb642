// The one way out, against servers that mean harm: real sockets, nothing but this machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createGuardedFetch,
  type GuardedFetchHandle,
  type GuardedFetchOptions,
} from '../../src/app/net/guarded-fetch.ts';
import type { FetchRequest } from '../../src/base/ports/fetch.ts';
import { requireClient } from '../clients.ts';

let cleanUp: (() => void)[] = [];

afterEach(() => {
  for (const step of cleanUp.reverse()) step();
  cleanUp = [];
});

function guarded(options: GuardedFetchOptions = {}): GuardedFetchHandle {
  const handle = createGuardedFetch(options);
  cleanUp.push(() => handle.close());
  return handle;
}

/** Listens on a free port of 127.0.0.1 and is gone after the test. */
async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  cleanUp.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const get = (url: string, change: Partial<FetchRequest> = {}): FetchRequest => ({
  url,
  method: 'GET',
  headers: {},
  network: 'loopback',
  maxBytes: 1000,
  timeoutMs: 5000,
  ...change,
});

/** Serves each request with `answer` and fetches once. */
async function fetchFrom(answer: http.RequestListener, change: Partial<FetchRequest> = {}) {
  const port = await listen(http.createServer(answer));
  return guarded().fetch(get(`http://127.0.0.1:${port}/a?b=c`, change));
}

/** A server that writes raw bytes to whoever connects. */
const rawServer = (serve: (socket: net.Socket) => void) => listen(net.createServer(serve));

const textOf = (body: Uint8Array) => new TextDecoder().decode(body);

describe('an ordinary exchange', () => {
  test('gives status, headers and body, and sends what was asked', async () => {
    let seen: {
      url?: string | undefined;
      method?: string | undefined;
      headers?: http.IncomingHttpHeaders;
      body?: string;
    } = {};
    const result = await fetchFrom(
      (request, response) => {
        let body = '';
        request.on('data', (chunk) => {
          body += chunk;
        });
        request.on('end', () => {
          seen = { url: request.url, method: request.method, headers: request.headers, body };
          response.writeHead(
            418,
            [
              ['X-Twice', 'a'],
              ['x-twice', 'b'],
              ['ETag', '"1"'],
            ].flat(),
          );
          response.end('short');
        });
      },
      {
        method: 'POST',
        body: 'grant_type=x',
        headers: { 'Content-Type': 'text/plain', Host: 'evil', 'accept-encoding': 'gzip', 'Content-Length': '3' },
      },
    );
    expect(result).toMatchObject({ ok: true, value: { status: 418, headers: { 'x-twice': 'a, b', etag: '"1"' } } });
    expect(result.ok && textOf(result.value.body)).toBe('short');
    expect(seen).toMatchObject({ url: '/a?b=c', method: 'POST', body: 'grant_type=x' });
    expect(seen.headers).toMatchObject({
      'accept-encoding': 'identity',
      'content-type': 'text/plain',
      'content-length': '12',
    });
    expect(seen.headers?.host).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  test('uses its connection again, and repeats a GET when the peer just closed it', async () => {
    let connections = 0;
    let requests = 0;
    const port = await rawServer((socket) => {
      connections += 1;
      const mine = connections;
      socket.on('data', () => {
        requests += 1;
        // The first connection answers twice and then closes on the third request without a word.
        if (mine === 1 && requests === 3) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    const { fetch } = guarded();
    const url = `http://127.0.0.1:${port}/`;
    expect((await fetch(get(url))).ok).toBe(true);
    expect((await fetch(get(url))).ok).toBe(true);
    expect(connections).toBe(1);
    expect((await fetch(get(url))).ok).toBe(true);
    expect(connections).toBe(2);
  });

  test('does not repeat a POST that a closed connection may have carried', async () => {
    let requests = 0;
    const port = await rawServer((socket) => {
      socket.on('data', () => {
        requests += 1;
        if (requests === 2) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    const { fetch } = guarded();
    const post = get(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'once' });
    expect((await fetch(post)).ok).toBe(true);
    expect(await fetch(post)).toMatchObject({ error: { kind: 'unreachable' } });
    expect(requests).toBe(2);
  });
});

describe('a redirect', () => {
  test.each([300, 301, 302, 303, 305, 307, 308])(
    'with status %i is refused and its target never asked',
    async (status) => {
      let reached = 0;
      const target = await listen(http.createServer(() => (reached += 1)));
      const result = await fetchFrom((_, response) => {
        response.writeHead(status, { location: `http://127.0.0.1:${target}/` });
        response.end();
      });
      expect(result).toMatchObject({ ok: false, error: { kind: 'redirect_refused' } });
      expect(reached).toBe(0);
    },
  );

  test('is not what 304 is', async () => {
    const result = await fetchFrom((_, response) => response.writeHead(304).end());
    expect(result).toMatchObject({ ok: true, value: { status: 304 } });
  });
});

describe('a body', () => {
  test('of exactly the bound is taken, one byte more is not, announced or not', async () => {
    expect(await fetchFrom((_, response) => response.end('x'.repeat(1000)))).toMatchObject({ ok: true });
    const tooLarge = { ok: false, error: { kind: 'too_large' } };
    expect(await fetchFrom((_, response) => response.end('x'.repeat(1001)))).toMatchObject(tooLarge);
    const unannounced = await fetchFrom((_, response) => {
      response.write('x'.repeat(600));
      response.end('x'.repeat(401));
    });
    expect(unannounced).toMatchObject(tooLarge);
  });

  test('without end is cut at the bound and the connection dropped', async () => {
    let sent = 0;
    const dropped = Promise.withResolvers<void>();
    const result = await fetchFrom((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      response.on('close', () => dropped.resolve());
      more();
    });
    expect(result).toMatchObject({ ok: false, error: { kind: 'too_large' } });
    await dropped.promise;
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test.each(['gzip', 'deflate', 'br', 'zstd', 'GZIP', 'identity, gzip'])(
    'in the encoding %s is not unpacked but refused',
    async (encoding) => {
      const result = await fetchFrom((_, response) => {
        response.writeHead(200, { 'content-encoding': encoding });
        response.end(gzipSync('x'.repeat(500)));
      });
      expect(result).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    },
  );

  test('that breaks off before its announced end is no body', async () => {
    const port = await rawServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"keys":[]}'));
    });
    expect(await guarded().fetch(get(`http://127.0.0.1:${port}/`))).toMatchObject({ error: { kind: 'unreachable' } });
    const chunked = await rawServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n'));
    });
    expect(await guarded().fetch(get(`http://127.0.0.1:${chunked}/`))).toMatchObject({
      error: { kind: 'unreachable' },
    });
  });
});

describe('time', () => {
  const drip = (first: string) => (socket: net.Socket) => {
    socket.write(first);
    const timer = setInterval(() => socket.write('a'), 5);
    socket.on('close', () => clearInterval(timer));
  };

  test.each([
    ['nothing', ''],
    ['its headers', 'HTTP/1.1 200 OK\r\nx-slow: '],
    ['its body', 'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n'],
  ])('bounds the whole exchange with a server that drips %s', async (_, first) => {
    const port = await rawServer(first === '' ? () => {} : drip(first));
    const result = await guarded().fetch(get(`http://127.0.0.1:${port}/`, { timeoutMs: 100 }));
    expect(result).toMatchObject({ ok: false, error: { kind: 'timeout' } });
  });

  test('and an abort by the caller drops the connection', async () => {
    const dropped = Promise.withResolvers<void>();
    const caller = new AbortController();
    const port = await rawServer((socket) => {
      socket.once('data', () => caller.abort());
      socket.on('close', () => dropped.resolve());
    });
    const result = await guarded().fetch(get(`http://127.0.0.1:${port}/`, { signal: caller.signal }));
    expect(result).toMatchObject({ ok: false, error: { kind: 'aborted' } });
    await dropped.promise;
  });

  test('an abort before the start asks nobody', async () => {
    let connections = 0;
    const port = await rawServer(() => (connections += 1));
    const result = await guarded().fetch(get(`http://127.0.0.1:${port}/`, { signal: AbortSignal.abort() }));
    expect(result).toMatchObject({ ok: false, error: { kind: 'aborted' } });
    expect(connections).toBe(0);
  });
});

describe('what is no usable answer', () => {
  test('a closed port, garbage, an endless header, a protocol switch: unreachable, without the path in the words', async () => {
    const closed = await listen(net.createServer());
    cleanUp.pop()?.();
    const garbage = await rawServer((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n')));
    const header = await rawServer((socket) =>
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`)),
    );
    const upgrade = await rawServer((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')),
    );
    for (const port of [closed, garbage, header, upgrade]) {
      const result = await guarded().fetch(get(`http://127.0.0.1:${port}/?token=hidden`, { timeoutMs: 2000 }));
      expect(result).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
      expect(JSON.stringify(result)).not.toContain('hidden');
    }
  });

  test('a header that would be read as two is never sent', async () => {
    let connections = 0;
    const port = await rawServer(() => (connections += 1));
    const result = await guarded().fetch(get(`http://127.0.0.1:${port}/`, { headers: { authorization: 'a\r\nx: b' } }));
    expect(result).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    expect(connections).toBe(0);
  });
});

describe('the resolver', () => {
  test('is asked once, and a second answer that points elsewhere is never used', async () => {
    let reached = 0;
    const port = await listen(
      http.createServer((_, response) => {
        reached += 1;
        response.end();
      }),
    );
    const answers = ['127.0.0.1', '169.254.169.254'];
    let asked = 0;
    const { fetch } = guarded({
      resolve: async () => {
        asked += 1;
        return [{ address: answers[asked - 1] ?? '', family: 4 }];
      },
    });
    expect(await fetch(get(`http://rebinding.test:${port}/`))).toMatchObject({ ok: true });
    expect(asked).toBe(1);
    expect(await fetch(get(`http://rebinding.test:${port}/`))).toMatchObject({ error: { kind: 'address_refused' } });
    expect(reached).toBe(1);
  });

  test('of the system is used when none is given', async () => {
    const port = await listen(http.createServer((_, response) => response.end('ok')));
    // localhost may also be ::1, where nobody listens: every checked address is tried.
    expect(await guarded().fetch(get(`http://localhost:${port}/`))).toMatchObject({ ok: true });
    expect(await guarded().fetch(get(`https://localhost:${port}/`, { network: 'public' }))).toMatchObject({
      error: { kind: 'address_refused' },
    });
  });
});

test('proxy variables are ignored', async () => {
  let proxied = 0;
  const proxy = await listen(
    http.createServer((_, response) => {
      proxied += 1;
      response.end();
    }),
  );
  const script = `
    import http from 'node:http';
    import { createGuardedFetch } from ${JSON.stringify(new URL('../../src/app/net/guarded-fetch.ts', import.meta.url).href)};
    const server = http.createServer((_, response) => response.end('direct')).listen(0, '127.0.0.1', async () => {
      const { fetch, close } = createGuardedFetch();
      const url = 'http://127.0.0.1:' + server.address().port + '/';
      const result = await fetch({ url, method: 'GET', headers: {}, network: 'loopback', maxBytes: 100, timeoutMs: 3000 });
      console.log(result.ok ? Buffer.from(result.value.body).toString() : result.error.detail);
      close();
      server.close();
    });`;
  const proxyUrl = `http://127.0.0.1:${proxy}`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxyUrl, http_proxy: proxyUrl, HTTPS_PROXY: proxyUrl, NO_PROXY: '' },
    encoding: 'utf8',
  });
  expect(child.stdout.trim()).toBe('direct');
  expect(proxied).toBe(0);
});

const openssl = requireClient('openssl');

describe.skipIf(openssl === undefined)('https (skipped without the openssl command)', () => {
  let certificate: string;
  let key: string;

  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'jobpass-tls-'));
    const paths = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
    const name = ['-subj', '/CN=ci.test', '-addext', 'subjectAltName=DNS:ci.test,IP:127.0.0.1'];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync('openssl', [...made, ...paths, ...name], { stdio: 'ignore' });
    certificate = readFileSync(join(folder, 'cert.pem'), 'utf8');
    key = readFileSync(join(folder, 'key.pem'), 'utf8');
    rmSync(folder, { recursive: true });
  });

  const serve = async (seen: { servername?: unknown; host?: string | undefined } = {}) =>
    listen(
      https.createServer({ cert: certificate, key }, (request, response) => {
        const { socket } = request;
        seen.servername = 'servername' in socket ? socket.servername : undefined;
        seen.host = request.headers.host;
        response.end('ok');
      }),
    );
  const atLoopback = async () => [{ address: '127.0.0.1', family: 4 }];

  test('connects to the checked address under the name of the URL', async () => {
    const seen: { servername?: unknown; host?: string } = {};
    const port = await serve(seen);
    const { fetch } = guarded({ resolve: atLoopback, certificateAuthorities: [certificate] });
    expect(await fetch(get(`https://ci.test:${port}/`))).toMatchObject({ ok: true });
    expect(seen).toEqual({ servername: 'ci.test', host: `ci.test:${port}` });
    expect(await fetch(get(`https://127.0.0.1:${port}/`))).toMatchObject({ ok: true });
    expect(seen.servername).toBe(false);
  });

  test('refuses a certificate of another name, or of nobody that is trusted, whatever the environment says', async () => {
    const port = await serve();
    const trusting = guarded({ resolve: atLoopback, certificateAuthorities: [certificate] });
    expect(await trusting.fetch(get(`https://other.test:${port}/`))).toMatchObject({ error: { kind: 'unreachable' } });
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const plain = guarded({ resolve: atLoopback });
      expect(await plain.fetch(get(`https://ci.test:${port}/`))).toMatchObject({ error: { kind: 'unreachable' } });
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });

  test('a server that speaks plain http on its port is unreachable', async () => {
    const port = await listen(http.createServer((_, response) => response.end('ok')));
    const { fetch } = guarded({ resolve: atLoopback });
    expect(await fetch(get(`https://ci.test:${port}/`))).toMatchObject({ error: { kind: 'unreachable' } });
  });
});
