// What the Blob front stores: whole bodies only, blocks for their owner only, under names that were decoded once.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BlobAsk, type BlobWorld, startBlobWorld } from '../fakes/blob-world.ts';
import { exchangeBytes, until } from '../fakes/guarded-resource.ts';
import { LASTING } from '../fakes/object-content.ts';
import { ACCOUNT } from '../fakes/store-world.ts';

let world: BlobWorld;

beforeAll(async () => {
  world = await startBlobWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.calls.length = 0;
});

const C = '/web-bucket';
const PUT = { target: `${C}/a`, method: 'PUT', body: 'hello' } as const;

describe('a body that is not what was announced is not stored', () => {
  const md5 = (text: string): string => createHash('md5').update(text).digest('base64');
  test.each<[string, Record<string, string>, string]>([
    ['by its MD5', { 'content-md5': md5('other') }, '400 Md5Mismatch'],
    ['by the MD5 of the blob', { 'x-ms-blob-content-md5': md5('other') }, '400 Md5Mismatch'],
    ['by its CRC64', { 'x-ms-content-crc64': 'AAAAAAAAAAA=' }, '400 Crc64Mismatch'],
    ['by an MD5 that is none', { 'content-md5': 'AAAA' }, '400 InvalidMd5'],
    ['by a CRC64 that is none', { 'x-ms-content-crc64': 'AAAA' }, '400 InvalidHeaderValue'],
    ['by two digests', { 'content-md5': md5('hello'), 'x-ms-content-crc64': 'AAAAAAAAAAA=' }, '400 InvalidInput'],
  ])('%s', async (_what, headers, answer) => {
    const target = `${C}/spoiled`;
    const reply = await world.send({ ...PUT, target, headers });
    expect(`${reply.status} ${reply.code}`).toBe(answer);
    expect((await world.send({ target })).code).toBe('BlobNotFound');
  });

  test('and one that is, is, and its digest comes back', async () => {
    // NVM Express's CRC64 of "hello world", its bytes in the other order, as Azure's own library has it.
    const crc64 = Buffer.from('be8eeaf6c3d5298d', 'hex').toString('base64');
    const reply = await world.send({ ...PUT, body: 'hello world', headers: { 'x-ms-content-crc64': crc64 } });
    expect([reply.status, reply.headers['x-ms-content-crc64']]).toEqual([201, crc64]);
    const again = await world.send({ ...PUT, headers: { 'content-md5': md5('hello') } });
    expect([again.status, again.headers['content-md5']]).toEqual([201, md5('hello')]);
  });
});

describe('blocks belong to whoever sent them', () => {
  const id = (number: number): string => Buffer.from(`upload-1-0000${number}`).toString('base64');
  const list = (...numbers: readonly number[]): string =>
    `<BlockList>${numbers.map((number) => `<Latest>${id(number)}</Latest>`).join('')}</BlockList>`;
  const block = (number: number, more: Partial<BlobAsk> = {}) =>
    world.send({
      target: `${C}/blocks?comp=block&blockid=${encodeURIComponent(id(number))}`,
      method: 'PUT',
      body: `block ${number} `,
      ...more,
    });
  const commit = (body: string, more: Partial<BlobAsk> = {}) =>
    world.send({ target: `${C}/blocks?comp=blocklist`, method: 'PUT', body, ...more });
  const content = async () => (await world.send({ target: `${C}/blocks` })).text;

  test('who are the job with its next credentials, in whatever order they came', async () => {
    await block(1);
    await block(0);
    const next = await world.sts.token({ sessionId: 'S0000000000AC' });
    const made = await commit(list(0, 1), { token: next, headers: { 'x-ms-meta-a': 'b' } });
    expect([made.status, await content()]).toEqual([201, 'block 0 block 1 ']);
    // The answer got lost: asked again, it is the same.
    expect((await commit(list(0, 1), { token: next })).headers.etag).toBe(made.headers.etag);
    expect((await commit(list(0), { token: next })).code).toBe('InvalidBlockList');
  });

  test('and to nobody else, neither another job nor a session without one', async () => {
    await block(2);
    for (const other of [{ jobId: 'J2' }, { jobId: null, jobBound: false, sessionId: 'S0000000000AD' }]) {
      const token = await world.sts.token(other);
      expect((await commit(list(2), { token })).code).toBe('InvalidBlockList');
    }
    expect((await commit(list(2))).status).toBe(201);
  });

  test('a block that was never sent makes no blob, and takes none away', async () => {
    await block(3);
    const before = await content();
    expect((await commit(list(3, 4))).code).toBe('InvalidBlockList');
    expect(await content()).toBe(before);
  });

  test('a condition is held to at the end', async () => {
    await block(5);
    expect((await commit(list(5), { headers: { 'if-none-match': '*' } })).code).toBe('BlobAlreadyExists');
    expect((await commit(list(5), { headers: { 'if-match': '"other"' } })).code).toBe('ConditionNotMet');
    expect((await commit(list(5))).status).toBe(201);
  });

  test('a block that is sent again replaces the first', async () => {
    await block(6);
    await block(6, { body: 'again' });
    await commit(list(6));
    expect(await content()).toBe('again');
  });
});

describe('an upload that is under way', () => {
  test('is cut when its session ends, and nothing of it is stored', async () => {
    const sessionId = 'S0000000000ZY';
    const token = await world.sts.token({ sessionId });
    const head = `PUT /${ACCOUNT}${C}/cut HTTP/1.1\r\nhost: x\r\nx-ms-version: 2026-10-06\r\nx-ms-blob-type: BlockBlob\r\ncontent-length: 10\r\nauthorization: Bearer ${token}\r\n\r\nhello`;
    const answer = exchangeBytes(world.port, head);
    await until(() => world.calls.includes('put'));
    world.sts.ended.push({ sessionId, expiresAt: world.clock.nowSeconds() + 600 });
    expect((await answer).text).toMatch(/^HTTP\/1\.1 401 .*InvalidAuthenticationInfo/s);
    expect((await world.store.head({ bucket: 'web-bucket', key: 'cut' })).ok).toBe(false);
  });
});

describe('names are decoded once', () => {
  test.each([
    ['%252e%252e', '%2e%2e'],
    ['..%2F..%2Fetc', '../../etc'],
    ['a%2Fb', 'a/b'],
    ['a//b', 'a//b'],
    ['/a', '/a'],
    ['./a', './a'],
    ['a+b%20c', 'a+b c'],
    ['%C3%A9', 'é'],
    ['a%5Cb', 'a\\b'],
  ])('%s is the key %j', async (name, key) => {
    expect((await world.send({ ...PUT, target: `${C}/${name}`, body: key })).status).toBe(201);
    expect((await world.store.head({ bucket: 'web-bucket', key })).ok).toBe(true);
    expect((await world.store.delete({ bucket: 'web-bucket', key }, LASTING)).ok).toBe(true);
  });

  test('what XML cannot hold is told percent-encoded', async () => {
    await world.send({ ...PUT, target: `${C}/ctl/%01%3C&`, body: '' });
    const listed = await world.send({ target: `${C}?restype=container&comp=list&prefix=ctl%2F` });
    expect(listed.text).toContain('<Name Encoded="true">ctl%2F%01%3C%26</Name>');
  });
});
