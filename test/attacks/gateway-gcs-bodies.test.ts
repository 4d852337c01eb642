// Bodies at the Cloud Storage front: what is read of them and when, and what becomes of those that do not come to their end.
import { type ClientRequest, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type GcsAsk, type GcsWorld, related, startGcsWorld } from '../fakes/gcs-world.ts';
import { until } from '../fakes/guarded-resource.ts';
import { EVERYTHING } from '../fakes/store-world.ts';

let world: GcsWorld;
let token: string;

beforeAll(async () => {
  world = await startGcsWorld();
});
afterAll(() => world.close());

beforeEach(async () => {
  token = await world.token();
  world.calls.length = 0;
  world.log.lines.length = 0;
});

const UPLOADS = '/upload/storage/v1/b/web-bucket/o';
const INSERT = { method: 'POST', target: `${UPLOADS}?uploadType=multipart&name=a`, ...related({}, 'hello') };
const NAMED_BY_BODY = { method: 'POST', target: `${UPLOADS}?uploadType=multipart`, ...related({ name: 'a' }, 'hello') };

describe('of a body', () => {
  /** What the caller reads, and what the operator reads. */
  const seen = async (ask: GcsAsk): Promise<readonly unknown[]> => {
    const { reason, status } = await world.send(ask);
    return [`${status} ${reason}`, world.log.lines.at(-1)?.fields.reason];
  };

  /** A request that a test sends bit by bit. */
  function open(target: string, over: Record<string, string>) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'multipart/related; boundary=edge', ...over };
    const req: ClientRequest = request({
      hostname: '127.0.0.1',
      port: world.port,
      method: 'POST',
      path: target,
      headers,
    });
    const state = { continued: false, status: 0 };
    req.on('error', () => {});
    req.on('continue', () => {
      state.continued = true;
    });
    req.on('response', (answer) => {
      state.status = answer.statusCode ?? 0;
      answer.resume();
    });
    return { req, state };
  }

  test('nothing is asked for before the decision', async () => {
    token = await world.token({ role: 'main/other' });
    const { req, state } = open(INSERT.target, { expect: '100-continue', 'content-length': '100000' });
    req.flushHeaders();
    await until(() => state.status !== 0);
    expect([state, world.calls]).toEqual([{ continued: false, status: 403 }, []]);
    req.destroy();
  });

  test('nothing but the metadata is read before the decision about an object that they name', async () => {
    await world.grant([{ ...EVERYTHING, resources: ['arn:aws:s3:::web-bucket/mine/*'] }]);
    const { req, state } = open(NAMED_BY_BODY.target, { 'content-length': '1000000' });
    const metadata = '{"name":"yours"}';
    req.write(`--edge\r\nContent-Type: application/json\r\n\r\n${metadata}\r\n--edge\r\nContent-Type: a/b\r\n\r\n`);
    await until(() => state.status !== 0);
    expect([state.status, world.calls]).toEqual([403, []]);
    req.destroy();
    await world.grant([EVERYTHING]);
  });

  test('what was refused in its middle is read to its end, and the connection goes on', async () => {
    const length = 200_000;
    const auth = `Host: x\r\nAuthorization: Bearer ${token}\r\n`;
    const type = 'Content-Type: multipart/related; boundary=edge\r\n';
    const socket = connect(world.port, '127.0.0.1');
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.write(`POST ${INSERT.target} HTTP/1.1\r\n${auth}${type}Content-Length: ${length}\r\n\r\n--other\r\n`);
    await until(() => text.startsWith('HTTP/1.1 400 '));
    socket.write('x'.repeat(length - 9));
    socket.write(`GET /storage/v1/b/web-bucket HTTP/1.1\r\n${auth}\r\n`);
    await until(() => text.includes('HTTP/1.1 200 ') || socket.destroyed);
    expect(text).toContain('HTTP/1.1 200 ');
    socket.destroy();
  });

  test('more metadata than 64 KiB is not kept', async () => {
    const long = JSON.stringify({ name: 'a', contentType: 'x'.repeat(70_000) });
    const resumable = { method: 'POST', target: `${UPLOADS}?uploadType=resumable`, body: long };
    expect(await seen({ ...resumable, token })).toEqual(['413 uploadTooLarge', 'request_too_large']);
    const multipart = { ...NAMED_BY_BODY, body: `--edge\r\nContent-Type: application/json\r\n\r\n${long}` };
    expect(await seen({ ...multipart, token })).toEqual(['400 badRequest', 'payload_mismatch']);
    expect(world.calls).toEqual([]);
  });

  test('what does not end as announced is not stored', async () => {
    const cut = { ...INSERT, body: String(INSERT.body).replace('hello', 'other').slice(0, -4) };
    expect((await world.send({ ...cut, token })).reason).toBe('badRequest');
    expect((await world.send({ target: '/web-bucket/a', token })).text).not.toContain('other');
  });
});

describe('what is under way when its session ends', () => {
  const endSession = (sessionId: string): number =>
    world.sts.ended.push({ sessionId, expiresAt: world.clock.nowSeconds() + 600 });

  test('is discarded and refused, if it is an upload', async () => {
    const sessionId = 'S-upload';
    const session = await world.token({ sessionId });
    const headers = {
      authorization: `Bearer ${session}`,
      'content-type': 'multipart/related; boundary=edge',
      'content-length': '1000000',
    };
    const target = NAMED_BY_BODY.target;
    const req = request({ hostname: '127.0.0.1', port: world.port, method: 'POST', path: target, headers });
    let status = 0;
    req.on('error', () => {});
    req.on('response', (answer) => {
      status = answer.statusCode ?? 0;
      answer.resume();
    });
    req.write(`--edge\r\nContent-Type: application/json\r\n\r\n{"name":"half"}\r\n--edge\r\nContent-Type: a/b\r\n\r\n`);
    req.write(Buffer.alloc(50_000));
    await until(() => world.calls.includes('put'));
    endSession(sessionId);
    await until(() => status !== 0);
    expect(status).toBe(401);
    expect(
      world.log.lines.some(({ fields, message }) => message === 'cut off' && fields.reason === 'session_ended'),
    ).toBe(true);
    const found = await world.store.head({ bucket: 'web-bucket', key: 'half' });
    expect(found.ok).toBe(false);
    req.destroy();
  });

  test('is cut, if it is a download', async () => {
    const sessionId = 'S-download';
    await world.send({ ...INSERT, ...related({}, Buffer.alloc(32 * 1024 * 1024)), token });
    const headers = { authorization: `Bearer ${await world.token({ sessionId })}` };
    const req = request({ hostname: '127.0.0.1', port: world.port, path: '/web-bucket/a', headers });
    let error = '';
    let bytes = 0;
    req.on('error', () => {});
    req.on('response', (answer) => {
      answer.on('error', (cause: NodeJS.ErrnoException) => {
        error = cause.code ?? '';
      });
      answer.once('data', async (chunk: Buffer) => {
        bytes += chunk.length;
        answer.pause();
        endSession(sessionId);
        await until(() => world.log.lines.some(({ message }) => message === 'cut off'));
        answer.on('data', (more: Buffer) => {
          bytes += more.length;
        });
        answer.resume();
      });
    });
    req.end();
    await until(() => error !== '');
    expect([error, bytes < 32 * 1024 * 1024]).toEqual(['ECONNRESET', true]);
  });
});
