// The Cloud Storage front on real sockets over a store on the disk: what each call does.
import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createChecksum } from '../../src/base/checksum/checksum.ts';
import { permissionSetId } from '../../src/policy/policy-set.ts';
import { type GcsReply, type GcsWorld, related, startGcsWorld } from '../fakes/gcs-world.ts';
import { until } from '../fakes/guarded-resource.ts';
import { GCS_URL } from '../fakes/store-world.ts';

let world: GcsWorld;
beforeEach(async () => {
  world = await startGcsWorld();
});
afterEach(() => world.close());

const OBJECTS = '/storage/v1/b/web-bucket/o';
const UPLOADS = '/upload/storage/v1/b/web-bucket/o';
const md5Of = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('base64');
function crc32cOf(bytes: Uint8Array): string {
  const checksum = createChecksum('crc32c');
  checksum.update(bytes);
  return checksum.digest().toString('base64');
}
const hashes = (bytes: Uint8Array) => ({ md5Hash: md5Of(bytes), crc32c: crc32cOf(bytes) });

const insert = (name: string, content: Uint8Array | string, { metadata = {}, query = '' } = {}): Promise<GcsReply> =>
  world.send({
    method: 'POST',
    target: `${UPLOADS}?uploadType=multipart&name=${encodeURIComponent(name)}${query}`,
    ...related(metadata, content),
  });
const get = (target: string, headers: Record<string, string> = {}): Promise<GcsReply> =>
  world.send({ target, headers });

describe('objects', () => {
  test('are stored, described, read whole and in ranges, and deleted', async () => {
    const body = randomBytes(300_000);
    const put = await insert('a/b c+d', body, { metadata: { contentType: 'text/y', metadata: { Job: '7' } } });
    expect([put.status, put.json]).toEqual([
      200,
      expect.objectContaining({
        kind: 'storage#object',
        name: 'a/b c+d',
        bucket: 'web-bucket',
        size: '300000',
        contentType: 'text/y',
        metadata: { job: '7' },
        metageneration: '1',
        selfLink: `${GCS_URL}/storage/v1/b/web-bucket/o/a%2Fb%20c%2Bd`,
        ...hashes(body),
      }),
    ]);
    expect((await get(`${OBJECTS}/a%2Fb%20c%2Bd`)).json).toEqual(put.json);
    const links = [`${OBJECTS}/a%2Fb%20c%2Bd?alt=media`, `/download${OBJECTS}/a%2Fb%20c%2Bd?alt=media`];
    for (const target of [...links, '/web-bucket/a/b%20c+d']) {
      const got = await get(target);
      expect([got.status, got.body.equals(body)]).toEqual([200, true]);
      expect(got.headers).toMatchObject({
        'content-type': 'text/y',
        'content-length': '300000',
        'x-goog-hash': `crc32c=${crc32cOf(body)},md5=${md5Of(body)}`,
        'x-goog-generation': put.json.generation,
        'x-goog-stored-content-encoding': 'identity',
      });
    }
    const some = await get(`${OBJECTS}/a%2Fb%20c%2Bd?alt=media`, { range: 'bytes=5-9' });
    expect([some.status, some.headers['content-range'], some.body.equals(body.subarray(5, 10))]).toEqual([
      206,
      'bytes 5-9/300000',
      true,
    ]);
    const beyond = await get(`${OBJECTS}/a%2Fb%20c%2Bd?alt=media`, { range: 'bytes=300000-' });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */300000']);
    expect((await world.send({ method: 'DELETE', target: `${OBJECTS}/a%2Fb%20c%2Bd` })).status).toBe(204);
    expect((await get(`${OBJECTS}/a%2Fb%20c%2Bd`)).reason).toBe('notFound');
    expect((await world.send({ method: 'DELETE', target: `${OBJECTS}/a%2Fb%20c%2Bd` })).reason).toBe('notFound');
  });

  test('take the type of their bytes when their metadata say none', async () => {
    expect((await insert('a', 'x')).json.contentType).toBe('text/x');
  });

  test('may be named by their body alone', async () => {
    const put = await world.send({
      method: 'POST',
      target: `${UPLOADS}?uploadType=multipart`,
      ...related({ name: 'é' }, 'x'),
    });
    expect(put.json.name).toBe('é');
    expect((await get(`${OBJECTS}/%C3%A9?alt=media`)).text).toBe('x');
  });

  test.each([
    ['a CRC32C', { crc32c: 'AAAAAA==' }],
    ['an MD5', { md5Hash: 'AAAAAAAAAAAAAAAAAAAAAA==' }],
    ['another name', { name: 'b' }],
    ['another bucket', { bucket: 'other-bucket' }],
  ])('are not stored when their metadata tell %s that is not theirs', async (_what, metadata) => {
    const put = await insert('a', 'hello', { metadata });
    expect([put.status, put.reason]).toEqual([400, 'invalid']);
    expect((await get(`${OBJECTS}/a`)).status).toBe(404);
  });

  test('that another door let in without a CRC32C say nothing that Node’s client would compare', async () => {
    const body = (async function* () {
      yield Buffer.from('hello');
    })();
    const content = { body, size: 5, checksums: () => ({ crc32: 'NhCmhg==' }) };
    const signal = new AbortController().signal;
    await world.store.put({ bucket: 'web-bucket', key: 'a' }, { content, attributes: { metadata: {} }, signal });
    const got = await get(`${OBJECTS}/a?alt=media`);
    expect([got.text, got.headers['x-goog-hash']]).toEqual(['hello', `md5=${md5Of(Buffer.from('hello'))}`]);
    expect(got.headers).not.toHaveProperty('x-goog-stored-content-encoding');
    expect((await get(`${OBJECTS}/a`)).json).not.toHaveProperty('crc32c');
  });

  test('are listed by prefix and delimiter, page by page', async () => {
    for (const name of ['a/1', 'a/2', 'b/1', 'c', 'd']) await insert(name, name);
    const all = await get(`${OBJECTS}?prefix=&delimiter=%2F`);
    expect([all.json.prefixes, (all.json.items as { name: string }[]).map(({ name }) => name)]).toEqual([
      ['a/', 'b/'],
      ['c', 'd'],
    ]);
    const names: string[] = [];
    let token: unknown = '';
    while (token !== undefined) {
      const page = await get(`${OBJECTS}?maxResults=2&pageToken=${String(token)}`);
      names.push(...(page.json.items as { name: string }[]).map(({ name }) => name));
      token = page.json.nextPageToken;
    }
    expect(names).toEqual(['a/1', 'a/2', 'b/1', 'c', 'd']);
    expect((await get(`${OBJECTS}?prefix=z`)).json).toEqual({ kind: 'storage#objects' });
  });

  test('are copied, with what they were or with something else', async () => {
    await insert('a', 'hello', { metadata: { contentType: 'text/y', metadata: { job: '7' } } });
    const rewrite = (metadata: object, target = '/b/other-bucket/o/b%2Fc') =>
      world.send({ method: 'POST', target: `${OBJECTS}/a/rewriteTo${target}`, body: JSON.stringify(metadata) });
    const copied = await rewrite({});
    expect(copied.json).toMatchObject({
      done: true,
      objectSize: '5',
      resource: { bucket: 'other-bucket', name: 'b/c', contentType: 'text/y', metadata: { job: '7' } },
    });
    const other = { contentType: 'text/z', name: 'b/c', ...hashes(Buffer.from('hello')) };
    expect((await rewrite(other)).json).toMatchObject({ resource: { contentType: 'text/z' } });
    expect((await rewrite({ ...other, crc32c: 'AAAAAA==' })).reason).toBe('invalid');
    expect((await rewrite({ ...other, name: 'd' })).reason).toBe('invalid');
    expect((await get('/other-bucket/b/c')).text).toBe('hello');
  });
});

describe('generations', () => {
  test('are conditions of writes and deletions: a lock is taken once, and given back by who has it', async () => {
    const lock = (body: string) => insert('lock', body, { query: '&ifGenerationMatch=0' });
    const taken = await lock('mine');
    const again = await lock('theirs');
    expect([taken.status, again.status, again.reason]).toEqual([200, 412, 'conditionNotMet']);
    const unlock = (generation: unknown) =>
      world.send({ method: 'DELETE', target: `${OBJECTS}/lock?ifGenerationMatch=${String(generation)}` });
    expect((await unlock(999)).status).toBe(412);
    expect((await get('/web-bucket/lock')).text).toBe('mine');
    expect((await unlock(taken.json.generation)).status).toBe(204);
    expect((await lock('theirs')).status).toBe(200);
  });

  test('other than the one that stands are not there', async () => {
    const { generation } = (await insert('a', 'one')).json;
    await insert('a', 'two');
    for (const target of [`${OBJECTS}/a?generation=${generation}`, `${OBJECTS}/a?alt=media&generation=${generation}`])
      expect((await get(target)).reason).toBe('notFound');
    expect((await world.send({ method: 'DELETE', target: `${OBJECTS}/a?generation=${generation}` })).status).toBe(404);
    expect((await get('/web-bucket/a')).text).toBe('two');
  });
});

describe('buckets', () => {
  test('are those of the gateway, without a storage class, and without folders', async () => {
    const all = await get('/storage/v1/b?project=1');
    expect((all.json.items as { name: string }[]).map(({ name }) => name)).toEqual(['other-bucket', 'web-bucket']);
    const one = await get('/storage/v1/b/web-bucket');
    expect(one.json).toMatchObject({ name: 'web-bucket', selfLink: `${GCS_URL}/storage/v1/b/web-bucket` });
    expect(one.json).not.toHaveProperty('storageClass');
    expect((await get('/storage/v1/b/web-bucket/storageLayout')).json).toMatchObject({
      hierarchicalNamespace: { enabled: false },
    });
    expect((await get('/storage/v1/b/no-such-bucket')).reason).toBe('notFound');
  });
});

/** Begins a resumable upload; where it goes on comes back. */
async function begin(name = 'big', metadata: object = {}, query = ''): Promise<string> {
  const target = `${UPLOADS}?uploadType=resumable&name=${name}${query}`;
  const begun = await world.send({ method: 'POST', target, body: JSON.stringify(metadata) });
  const { location = '' } = begun.headers;
  expect([begun.status, location.startsWith(`${GCS_URL}/upload/storage/v1/b/web-bucket/o?`)]).toEqual([200, true]);
  return location.slice(GCS_URL.length);
}
const go = (target: string, range: string, body: Uint8Array | string = '', token?: string): Promise<GcsReply> =>
  world.send({
    method: 'PUT',
    target,
    body,
    headers: { 'content-range': range },
    ...(token === undefined ? {} : { token }),
  });

const UNIT = 256 * 1024;

describe('a resumable upload', () => {
  test('in one request makes an object like any other', async () => {
    const body = randomBytes(700_000);
    for (const range of [`bytes 0-699999/700000`, 'bytes 0-*/*']) {
      const at = await begin('big', { contentType: 'a/b', metadata: { job: '7' } });
      const put = await go(at, range, body);
      expect([put.status, put.json]).toEqual([
        200,
        expect.objectContaining({ contentType: 'a/b', metadata: { job: '7' }, ...hashes(body) }),
      ]);
      // It is over: the URL is good for nothing more.
      expect((await go(at, 'bytes */*')).status).toBe(404);
    }
    expect((await get('/web-bucket/big')).body.equals(body)).toBe(true);
  });

  test('in pieces says how far it got, and has the CRC32C of the whole and no MD5', async () => {
    const body = randomBytes(2 * UNIT + 100);
    const at = await begin();
    expect((await go(at, 'bytes */*')).headers.range).toBeUndefined();
    const first = await go(at, `bytes 0-${UNIT - 1}/*`, body.subarray(0, UNIT));
    expect([first.status, first.headers.range]).toEqual([308, `bytes=0-${UNIT - 1}`]);
    const again = await go(at, `bytes 0-${UNIT - 1}/*`, body.subarray(0, UNIT));
    expect([again.status, again.headers.range]).toEqual([308, `bytes=0-${UNIT - 1}`]);
    const beyond = await go(at, `bytes ${2 * UNIT}-${3 * UNIT - 1}/*`, body.subarray(0, UNIT));
    expect(beyond.reason).toBe('invalid');
    expect((await get('/web-bucket/big')).status).toBe(404);
    const second = await go(at, `bytes ${UNIT}-${2 * UNIT - 1}/*`, body.subarray(UNIT, 2 * UNIT));
    expect(second.status).toBe(308);
    const asked = await go(at, 'bytes */*');
    expect([asked.status, asked.headers.range]).toEqual([308, `bytes=0-${2 * UNIT - 1}`]);
    const last = await go(at, `bytes ${2 * UNIT}-${body.length - 1}/${body.length}`, body.subarray(2 * UNIT));
    expect([last.status, last.json.crc32c, last.json.md5Hash]).toEqual([200, crc32cOf(body), undefined]);
    const got = await get('/web-bucket/big');
    expect([got.body.equals(body), got.headers['x-goog-hash']]).toEqual([true, `crc32c=${crc32cOf(body)}`]);
  });

  test('may have as much metadata as an object may have', async () => {
    const metadata = Object.fromEntries([0, 1, 2].map((at) => [`name-${at}`, '"'.repeat(670)]));
    const name = encodeURIComponent('é'.repeat(512));
    const at = await begin(name, { contentType: '\\'.repeat(2000), metadata });
    expect((await go(at, 'bytes 0-4/5', 'hello')).json.metadata).toEqual(metadata);
  });

  test('may learn its end late', async () => {
    const body = randomBytes(UNIT);
    const at = await begin();
    await go(at, `bytes 0-${UNIT - 1}/*`, body);
    expect((await go(at, `bytes */${UNIT}`)).json.size).toBe(String(UNIT));
    const rest = await begin('rest');
    await go(rest, `bytes 0-${UNIT - 1}/*`, body);
    expect((await go(rest, `bytes ${UNIT}-*/*`, 'end')).json.crc32c).toBe(
      crc32cOf(Buffer.concat([body, Buffer.from('end')])),
    );
    expect((await go(await begin('empty'), 'bytes */0')).json).toMatchObject({ size: '0', crc32c: 'AAAAAA==' });
  });

  test('heeds the condition that it began with, in the moment of the write', async () => {
    const at = await begin('lock', {}, '&ifGenerationMatch=0');
    await insert('lock', 'faster');
    expect((await go(at, 'bytes 0-*/*', 'slower')).status).toBe(412);
    expect((await get('/web-bucket/lock')).text).toBe('faster');
  });

  test('is held to the hashes that it began with', async () => {
    const bad = { crc32c: 'AAAAAA==' };
    expect((await go(await begin('big', bad), 'bytes 0-4/5', 'hello')).reason).toBe('invalid');
    const at = await begin('big', bad);
    await go(at, `bytes 0-${UNIT - 1}/*`, randomBytes(UNIT));
    expect((await go(at, `bytes ${UNIT}-${UNIT}/${UNIT + 1}`, 'x')).reason).toBe('invalid');
    const md5 = await begin('big', { md5Hash: md5Of(Buffer.from('hello')) });
    expect((await go(md5, `bytes 0-${UNIT - 1}/*`, randomBytes(UNIT))).reason).toBe('notImplemented');
    expect((await go(md5, 'bytes 0-4/5', 'hello')).status).toBe(200);
  });

  test.each([
    ['a piece that is no multiple of 256 KiB', 'bytes 0-4/*', 'hello', 'invalid'],
    ['another length than it says', 'bytes 0-5/6', 'hello', 'badRequest'],
    ['a span that is none', 'bytes 5-1/9', 'hello', 'invalid'],
  ])('refuses %s', async (_what, range, body, reason) => {
    expect((await go(await begin(), range, body)).reason).toBe(reason);
  });

  test('goes on with credentials that its job fetched later, and is not there for anybody else', async () => {
    const all = { effect: 'allow', actions: ['s3:*'], resources: ['arn:aws:s3:::*'], line: 1 } as const;
    const roles = ['main/publish-web', 'main/other'].map((role) => ({ role, statements: [all] }));
    world.sts.permissions = { id: permissionSetId(roles), roles };
    await until(() => world.sts.polls.at(-1)?.permissionSetId === world.sts.permissions.id);
    const at = await begin();
    world.calls.length = 0;
    const others = [{ role: 'main/other' }, { jobId: 'J2' }, { jobId: null, jobBound: false }];
    for (const other of others) {
      const answer = await go(at, 'bytes 0-*/*', 'x', await world.token(other));
      expect([other, answer.status, answer.reason]).toEqual([other, 404, 'notFound']);
    }
    for (const changed of [at.replace('name=big', 'name=bag'), at.replace('/web-', '/other-'), at.slice(0, -1)]) {
      expect((await go(changed, 'bytes 0-*/*', 'x')).status).toBe(404);
    }
    expect(world.calls).toEqual([]);
    const later = await world.token({ sessionId: 'S-later' });
    expect((await go(at, 'bytes 0-*/*', 'x', later)).status).toBe(200);
  });
});
