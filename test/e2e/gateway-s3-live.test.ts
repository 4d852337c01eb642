// Calls that last: what is under way when a session ends, a permission goes or the gateway falls silent is cut, and nothing of an
// upload that was cut is kept.
import { randomBytes } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../fakes/guarded-resource.ts';
import { type S3Ask, type S3Keys, signAsk } from '../fakes/s3-caller.ts';
import { type S3World, startS3World } from '../fakes/s3-world.ts';

const SESSION = 'S0000000000AB';
let world: S3World;
let keys: S3Keys;

beforeEach(async () => {
  world = await startS3World();
  keys = await world.keys();
});
afterEach(() => world.close());

const endSession = () => world.sts.ended.push({ sessionId: SESSION, expiresAt: world.clock.nowSeconds() + 600 });

const raiseEpoch = () => {
  world.sts.epochs = [{ scope: 'all', at: world.clock.nowSeconds() }];
};

/** More than all the buffers between the two ends hold. */
const LARGE = randomBytes(64 * 1024 * 1024);

/** A signed request whose body a test sends bit by bit, and whose answer it can look at as it comes. */
function open(ask: Omit<S3Ask, 'keys'>, length: number, extra: Record<string, string> = {}) {
  const signed = signAsk(world.url, { at: world.clock.nowSeconds(), keys, payloadHash: 'UNSIGNED-PAYLOAD', ...ask });
  const { hostname, port } = new URL(world.url);
  const headers = { ...signed.headers, ...extra, ...(length === 0 ? {} : { 'content-length': String(length) }) };
  const req: ClientRequest = request({
    hostname,
    port,
    method: signed.method,
    path: signed.target,
    headers,
    agent: false,
  });
  const seen: {
    answer?: IncomingMessage;
    text: string;
    bytes: number;
    ended: boolean;
    error?: string;
    continued: boolean;
  } = { text: '', bytes: 0, ended: false, continued: false };
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
    answer.on('end', () => {
      seen.ended = true;
    });
  });
  const read = () =>
    seen.answer?.on('data', (chunk: Buffer) => {
      seen.bytes += chunk.length;
      if (seen.bytes < 4096) seen.text += chunk.toString();
    });
  return { req, seen, read };
}

const PUT = { method: 'PUT', target: '/web-bucket/a' };
const hasObject = async () => {
  const found = await world.store.head({ bucket: 'web-bucket', key: 'a' });
  return found.ok;
};

/** An upload that is half way. */
async function halfUpload() {
  const upload = open(PUT, 100_000);
  upload.req.write(Buffer.alloc(50_000));
  await until(() => world.calls.includes('put'));
  return upload;
}

/** What happens to a session that is good, and what its caller is told. */
const LAPSES: readonly [string, () => unknown, string, string][] = [
  ['its session ends', endSession, 'ExpiredToken', 'session_ended'],
  ['an epoch ends everything', raiseEpoch, 'ExpiredToken', 'session_ended'],
  ['its session expires', () => world.clock.push(0), 'ExpiredToken', 'session_expired'],
  ['its permission is withdrawn', () => world.sts.grant('main/publish-web', []), 'AccessDenied', 'permission_denied'],
  ['its role leaves the set', () => world.sts.grant('main/other', []), 'AccessDenied', 'role_unknown'],
  [
    'the gateway hears nothing any more',
    () => {
      world.sts.reachable = false;
      world.clock.push(11_000);
    },
    'ServiceUnavailable',
    'feed_stale',
  ],
];

describe('an upload under way', () => {
  test.each(LAPSES)('is discarded and refused when %s', async (what, lapse, code, reason) => {
    if (what === 'its session expires') keys = await world.keys({ expiresAt: world.clock.nowSeconds() + 2 });
    const { seen, read } = await halfUpload();
    lapse();
    await until(() => seen.answer !== undefined);
    read();
    await until(() => seen.ended || seen.error !== undefined);
    expect(seen.text).toContain(`<Code>${code}</Code>`);
    expect(world.log.lines.some(({ fields, message }) => message === 'cut off' && fields.reason === reason)).toBe(true);
    expect(await hasObject()).toBe(false);
  });

  test('is discarded when its caller leaves', async () => {
    const { req } = await halfUpload();
    req.destroy();
    await until(async () => !(await hasObject()));
    expect(await hasObject()).toBe(false);
    // The object's place is free: the next upload is the whole one.
    const again = await world.send({ ...PUT, body: 'whole', keys });
    expect(again.status).toBe(200);
  });

  test('is discarded when its last byte makes another hash than was signed', async () => {
    const { req, seen, read } = open({ ...PUT, payloadHash: '0'.repeat(64) }, 10);
    req.end('0123456789');
    await until(() => seen.answer !== undefined);
    read();
    await until(() => seen.ended);
    expect(seen.text).toContain('<Code>XAmzContentSHA256Mismatch</Code>');
    expect(await hasObject()).toBe(false);
  });
});

describe('a download under way', () => {
  test.each(LAPSES)('is broken off when %s', async (what, lapse, _code, reason) => {
    expect((await world.send({ ...PUT, body: LARGE, keys })).status).toBe(200);
    if (what === 'its session expires') keys = await world.keys({ expiresAt: world.clock.nowSeconds() + 2 });
    const { req, seen, read } = open({ target: '/web-bucket/a' }, 0);
    req.end();
    await until(() => seen.answer !== undefined);
    expect(seen.answer?.statusCode).toBe(200);
    lapse();
    await until(() => world.log.lines.some(({ fields, message }) => message === 'cut off' && fields.reason === reason));
    read();
    await until(() => seen.error !== undefined);
    expect([seen.ended, seen.bytes < LARGE.length]).toEqual([false, true]);
  });
});

describe('a caller that waits to be asked for its body', () => {
  test('is asked once it is permitted', async () => {
    const { req, seen } = open(PUT, 5, { expect: '100-continue' });
    req.flushHeaders();
    await until(() => seen.continued);
    req.end('hello');
    await until(() => seen.answer !== undefined);
    expect([seen.answer?.statusCode, world.calls]).toEqual([200, ['put']]);
  });

  test('is never asked when it is not', async () => {
    await world.grant([]);
    const { req, seen } = open(PUT, 5, { expect: '100-continue' });
    req.flushHeaders();
    await until(() => seen.answer !== undefined);
    expect([seen.answer?.statusCode, seen.continued, world.calls]).toEqual([403, false, []]);
    expect(seen.answer?.headers.connection).toBe('close');
    req.destroy();
  });
});

describe('a new request', () => {
  test.each(LAPSES)('is refused when %s, and the store is not asked', async (what, lapse, code, reason) => {
    if (what === 'its session expires') keys = await world.keys({ expiresAt: world.clock.nowSeconds() + 1 });
    // Known from before: what is remembered of a session must not outlive it.
    expect((await world.send({ ...PUT, body: 'x', keys })).status).toBe(200);
    lapse();
    await until(async () => (await world.send({ ...PUT, body: 'y', keys })).status !== 200);
    world.calls.length = 0;
    const answer = await world.send({ ...PUT, body: 'z', keys });
    expect([answer.code, world.log.lines.at(-1)?.fields.reason, world.calls]).toEqual([code, reason, []]);
    expect(answer.headers['retry-after']).toBe(code === 'ServiceUnavailable' ? '1' : undefined);
  });

  test('is refused while the keys of the group are not known', async () => {
    world.sts.alter = (message) => ({ ...message, groupKeySetId: 'GKS-next' });
    await until(async () => !(await world.gateway.ready()));
    const answer = await world.send({ ...PUT, body: 'x', keys });
    expect([answer.status, answer.code, world.calls]).toEqual([503, 'ServiceUnavailable', []]);
  });
});
