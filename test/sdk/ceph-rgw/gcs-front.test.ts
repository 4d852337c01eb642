// The Cloud Storage front where another S3, Ceph RGW, keeps the objects: what is the same there, and what is refused.
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/app/adapters.ts';
import { Secret } from '../../../src/base/core/secret.ts';
import { openUpstreamStore } from '../../../src/gateway/objects/upstream/open.ts';
import { type GcsAsk, type GcsWorld, related, startGcsWorld } from '../../fakes/gcs-world.ts';
import { GCS_URL } from '../../fakes/store-world.ts';
import { type CephCluster, findCeph, startCeph } from './cluster.ts';

const programs = findCeph();
const OBJECTS = '/storage/v1/b/web-bucket/o';
const UPLOADS = '/upload/storage/v1/b/web-bucket/o';
const UNIT = 256 * 1024;

describe.skipIf(programs === undefined)('the Cloud Storage front over an upstream', () => {
  let cluster: CephCluster | undefined;
  let world: GcsWorld;

  beforeAll(async () => {
    if (programs === undefined) return;
    cluster = await startCeph(programs);
    const user = await cluster.createUser({ name: 'gateway', tenant: '' });
    const s3 = new S3Client({ endpoint: cluster.url, region: 'us-east-1', forcePathStyle: true, credentials: user });
    const buckets = ['web-bucket', 'other-bucket'];
    for (const name of buckets) await s3.send(new CreateBucketCommand({ Bucket: name }));
    s3.destroy();
    const { accessKeyId, secretAccessKey } = user;
    const server = { url: cluster.url, region: 'us-east-1', accessKeyId, lookup };
    const behind = openUpstreamStore({
      server: { ...server, secretAccessKey: new Secret(secretAccessKey) },
      buckets,
      clock: systemClock,
    });
    world = await startGcsWorld({ behind });
  });
  afterAll(async () => {
    await world?.close();
    await cluster?.close();
  });

  const insert = (name: string, content: Uint8Array | string, query = '') =>
    world.send({
      method: 'POST',
      target: `${UPLOADS}?uploadType=multipart&name=${name}${query}`,
      ...related({}, content),
    });
  async function begin(name: string): Promise<string> {
    const begun = await world.send({
      method: 'POST',
      target: `${UPLOADS}?uploadType=resumable&name=${name}`,
      body: '{}',
    });
    return String(begun.headers.location).slice(GCS_URL.length);
  }
  const go = (target: string, range: string, body: Uint8Array, more: Partial<GcsAsk> = {}) =>
    world.send({ method: 'PUT', target, body, ...more, headers: { 'content-range': range, ...more.headers } });

  test('stores, reads, lists, copies and deletes', async () => {
    const put = await insert('a%2Fb', 'hello');
    expect([put.status, put.json.crc32c, put.json.md5Hash]).toEqual([200, 'mnG7TA==', 'XUFAKrxLKna5cZ2REBfFkg==']);
    expect((await world.send({ target: '/web-bucket/a/b' })).text).toBe('hello');
    expect((await world.send({ target: `${OBJECTS}?prefix=a%2F` })).json.items).toMatchObject([
      { name: 'a/b', size: '5' },
    ]);
    const copied = await world.send({
      method: 'POST',
      target: `${OBJECTS}/a%2Fb/rewriteTo/b/other-bucket/o/c`,
      body: '{}',
    });
    expect(copied.json).toMatchObject({ done: true, objectSize: '5' });
    expect((await world.send({ method: 'DELETE', target: `${OBJECTS}/a%2Fb` })).status).toBe(204);
    expect((await world.send({ target: `${OBJECTS}/a%2Fb` })).reason).toBe('notFound');
  });

  test('stores much in one request whose length is announced, and little without', async () => {
    const much = randomBytes(9 * 1024 * 1024);
    const put = await go(await begin('much'), `bytes 0-${much.length - 1}/${much.length}`, much);
    expect([put.status, put.json.size]).toEqual([200, String(much.length)]);
    expect((await world.send({ target: '/web-bucket/much' })).body.equals(much)).toBe(true);
    expect((await insert('unannounced', much)).reason).toBe('uploadTooLarge');
    expect((await insert('unannounced', much.subarray(0, 7 * 1024 * 1024))).status).toBe(200);
  });

  test('refuses the second piece of an upload: nobody would know the CRC32C of the whole', async () => {
    const at = await begin('pieces');
    const piece = randomBytes(UNIT);
    expect((await go(at, `bytes 0-${UNIT - 1}/*`, piece)).status).toBe(308);
    expect((await go(at, `bytes ${UNIT}-${2 * UNIT - 1}/*`, piece)).reason).toBe('notImplemented');
  });

  test('lets the first of two have a lock, and compares no generations', async () => {
    const lock = await insert('lock', 'mine', '&ifGenerationMatch=0');
    expect(lock.status).toBe(200);
    expect((await insert('lock', 'theirs', '&ifGenerationMatch=0')).reason).toBe('conditionNotMet');
    const target = `${OBJECTS}/lock?ifGenerationMatch=${lock.json.generation}`;
    expect((await world.send({ method: 'DELETE', target })).reason).toBe('notImplemented');
    expect((await world.send({ target: '/web-bucket/lock' })).text).toBe('mine');
  });
});
