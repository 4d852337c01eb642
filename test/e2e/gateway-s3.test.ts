// The S3 front on real sockets over a store on the disk: what each operation does.
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { permissionSetId } from '../../src/policy/policy-set.ts';
import { until } from '../fakes/guarded-resource.ts';
import { type S3Keys, signAsk } from '../fakes/s3-caller.ts';
import { type S3World, startS3World } from '../fakes/s3-world.ts';

let world: S3World;
let keys: S3Keys;

beforeEach(async () => {
  world = await startS3World();
  keys = await world.keys();
});
afterEach(() => world.close());

const send = (
  method: string,
  target: string,
  more: { body?: string | Uint8Array; headers?: Record<string, string> } = {},
) => world.send({ method, target, keys, ...more });

describe('objects', () => {
  test('are stored, read whole and in ranges, copied, listed and deleted', async () => {
    const body = randomBytes(300_000);
    const put = await send('PUT', '/web-bucket/a/b%20c+d', {
      body,
      headers: { 'content-type': 'text/x', 'x-amz-meta-job': '7' },
    });
    expect([put.status, put.code]).toEqual([200, undefined]);
    expect(put.headers.etag).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
    const got = await send('GET', '/web-bucket/a/b%20c+d');
    expect(got.status).toBe(200);
    expect(got.body.equals(body)).toBe(true);
    expect(got.headers).toMatchObject({ 'content-type': 'text/x', 'x-amz-meta-job': '7', 'content-length': '300000' });
    const some = await send('GET', '/web-bucket/a/b%20c+d', { headers: { range: 'bytes=5-9' } });
    expect([some.status, some.headers['content-range']]).toEqual([206, 'bytes 5-9/300000']);
    expect(some.body.equals(body.subarray(5, 10))).toBe(true);
    const head = await send('HEAD', '/web-bucket/a/b%20c+d');
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '300000', 0]);
    const copied = await send('PUT', '/other-bucket/x', {
      headers: { 'x-amz-copy-source': '/web-bucket/a/b%20c%2Bd' },
    });
    expect([copied.status, copied.text]).toEqual([200, expect.stringContaining('<CopyObjectResult')]);
    const listed = await send('GET', '/web-bucket?list-type=2&prefix=a%2F&delimiter=%2F');
    expect(listed.text).toContain('<Key>a/b c+d</Key>');
    expect((await send('DELETE', '/web-bucket/a/b%20c+d')).status).toBe(204);
    expect((await send('GET', '/web-bucket/a/b%20c+d')).code).toBe('NoSuchKey');
    expect((await send('GET', '/other-bucket/x')).body.equals(body)).toBe(true);
  });
});

/** Begins an upload and gives back its id as the client has it. */
async function begin(target: string): Promise<string> {
  const begun = await send('POST', `${target}?uploads`);
  const id = /<UploadId>([^<]+)<\/UploadId>/.exec(begun.text)?.[1];
  if (id === undefined) throw new Error(begun.text);
  return encodeURIComponent(id);
}

const completion = (etag: string | undefined) =>
  `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;

describe('a multipart upload', () => {
  test('goes from begin to end, also with credentials that its job fetched later', async () => {
    const id = await begin('/web-bucket/big');
    keys = await world.keys({ sessionId: 'S-later' });
    const part = await send('PUT', `/web-bucket/big?partNumber=1&uploadId=${id}`, { body: 'part' });
    expect(part.status).toBe(200);
    const parts = await send('GET', `/web-bucket/big?uploadId=${id}`);
    expect(parts.text).toContain('<PartNumber>1</PartNumber>');
    const body = completion(part.headers.etag);
    const completed = await send('POST', `/web-bucket/big?uploadId=${id}`, { body });
    expect([completed.status, completed.text]).toEqual([200, expect.stringContaining('<Location>/web-bucket/big<')]);
    expect((await send('GET', '/web-bucket/big')).text).toBe('part');
  });

  test('can take its parts from objects, and be given up', async () => {
    await send('PUT', '/other-bucket/source', { body: '0123456789' });
    const id = await begin('/web-bucket/big');
    const copied = await send('PUT', `/web-bucket/big?partNumber=1&uploadId=${id}`, {
      headers: { 'x-amz-copy-source': 'other-bucket/source', 'x-amz-copy-source-range': 'bytes=2-4' },
    });
    expect([copied.status, copied.text]).toEqual([200, expect.stringContaining('<CopyPartResult')]);
    expect((await send('DELETE', `/web-bucket/big?uploadId=${id}`)).status).toBe(204);
    expect((await send('GET', `/web-bucket/big?uploadId=${id}`)).code).toBe('NoSuchUpload');
  });

  test.each<[string, (id: string) => Promise<string>]>([
    [
      'another role',
      async (id) => {
        keys = await world.keys({ role: 'main/other' });
        return id;
      },
    ],
    [
      'another job of the role',
      async (id) => {
        keys = await world.keys({ jobId: 'J2' });
        return id;
      },
    ],
    [
      'a session of the role without a job',
      async (id) => {
        keys = await world.keys({ jobId: null, jobBound: false });
        return id;
      },
    ],
    ['its owner with another id', async (id) => `x${id}`],
    ['its owner with an id that has no owner', async (id) => id.split('.')[0] ?? ''],
  ])('is not there for %s, and the store is not asked', async (who, change) => {
    const all = { effect: 'allow', actions: ['s3:*'], resources: ['arn:aws:s3:::*'], line: 1 } as const;
    const roles = ['main/publish-web', 'main/other'].map((role) => ({ role, statements: [all] }));
    world.sts.permissions = { id: permissionSetId(roles), roles };
    await until(() => world.sts.polls.at(-1)?.permissionSetId === world.sts.permissions.id);
    const id = await change(await begin('/web-bucket/big'));
    world.calls.length = 0;
    const at = `/web-bucket/big?uploadId=${id}`;
    const answers = [
      await send('PUT', `${at}&partNumber=1`, { body: 'x' }),
      await send('PUT', `${at}&partNumber=1`, { headers: { 'x-amz-copy-source': 'other-bucket/x' } }),
      await send('GET', at),
      await send('POST', at, { body: completion('"x"') }),
      await send('DELETE', at),
    ];
    expect(answers.map(({ status, code }) => `${status} ${code}`)).toEqual(Array(5).fill('404 NoSuchUpload'));
    expect([who, world.calls]).toEqual([who, []]);
  });

  test('is bound to its key and its bucket', async () => {
    const id = await begin('/web-bucket/big');
    world.calls.length = 0;
    for (const target of ['/web-bucket/other', '/other-bucket/big']) {
      expect((await send('PUT', `${target}?partNumber=1&uploadId=${id}`, { body: 'x' })).code).toBe('NoSuchUpload');
    }
    expect(world.calls).toEqual([]);
  });
});

describe('a bulk deletion', () => {
  const list = (...names: string[]) =>
    `<Delete>${names.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`;
  const md5 = (text: string) => ({ 'content-md5': createHash('md5').update(text).digest('base64') });

  test('deletes what the caller may delete, and tells of the rest', async () => {
    for (const key of ['mine/1', 'mine/2', 'theirs/1']) await send('PUT', `/web-bucket/${key}`, { body: 'x' });
    await world.grant([
      { effect: 'allow', actions: ['s3:DeleteObject'], resources: ['arn:aws:s3:::web-bucket/mine/*'] },
      { effect: 'allow', actions: ['s3:GetObject', 's3:ListBucket'], resources: ['arn:aws:s3:::*'] },
    ]);
    const body = list('mine/1', 'theirs/1', 'mine/2');
    world.calls.length = 0;
    const answer = await send('POST', '/web-bucket?delete', { body, headers: md5(body) });
    expect(answer.status).toBe(200);
    expect(answer.text.match(/<Deleted><Key>[^<]*/g)).toEqual(['<Deleted><Key>mine/1', '<Deleted><Key>mine/2']);
    expect(answer.text).toContain('<Error><Key>theirs/1</Key><Code>AccessDenied</Code>');
    expect(world.calls).toEqual(['delete', 'delete']);
    expect((await send('GET', '/web-bucket/theirs/1')).status).toBe(200);
    expect(world.log.lines.at(-2)?.fields).toMatchObject({ action: 's3:DeleteObject', keys: 3, refused: 1 });
  });

  test.each([
    ['without a digest of its body', list('a'), {}, 'InvalidRequest'],
    ['with the digest of another body', list('a'), md5(list('b')), 'BadDigest'],
    ['that is no list of keys', '<Delete><Object/></Delete>', md5('<Delete><Object/></Delete>'), 'MalformedXML'],
  ])('is refused %s', async (_what, body, headers, code) => {
    expect((await send('POST', '/web-bucket?delete', { body, headers })).code).toBe(code);
    expect(world.calls).toEqual([]);
  });

  test('is refused when the session has ended, before its body is read', async () => {
    world.sts.ended.push({ sessionId: 'S0000000000AB', expiresAt: world.clock.nowSeconds() + 600 });
    await world.grant([]);
    expect((await send('POST', '/web-bucket?delete', { body: list('a'), headers: md5(list('a')) })).code).toBe(
      'ExpiredToken',
    );
    expect(world.calls).toEqual([]);
  });
});

describe('buckets', () => {
  test('are those of the configuration', async () => {
    const listed = await send('GET', '/');
    expect(listed.text.match(/<Name>[^<]*/g)).toEqual(['<Name>other-bucket', '<Name>web-bucket']);
    expect((await send('HEAD', '/web-bucket')).headers['x-amz-bucket-region']).toBe('eu-test-1');
    expect((await send('GET', '/web-bucket?location')).text).toContain('eu-test-1');
    const unknown = await send('HEAD', '/unknown-bucket');
    expect([unknown.status, unknown.body.length]).toEqual([404, 0]);
  });
});

test('a connection serves one request after another, refusals among them', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<unknown>();
  const ask = (method: string, target: string, body = '') =>
    new Promise<number>((resolve, reject) => {
      const { headers } = signAsk(world.url, { method, target, body, keys });
      const { hostname, port } = new URL(world.url);
      const req = request({ hostname, port, method, path: target, headers, agent }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      });
      req.on('socket', (socket) => sockets.add(socket));
      req.on('error', reject);
      req.end(body);
    });
  const statuses = [
    await ask('PUT', '/web-bucket/k', 'x'),
    await ask('GET', '/web-bucket/k'),
    await ask('GET', '/web-bucket/none'),
  ];
  statuses.push(
    await ask('PUT', '/unknown-bucket/k', 'x'),
    await ask('HEAD', '/web-bucket/k'),
    await ask('DELETE', '/web-bucket/k'),
  );
  expect([statuses, sockets.size]).toEqual([[200, 200, 404, 404, 200, 204], 1]);
  agent.destroy();
});
