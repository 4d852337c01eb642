// @azure/storage-blob at a gateway whose objects are another S3's: Ceph RGW.
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CephCluster, findCeph, startCeph } from '../ceph-rgw/cluster.ts';
import { type BlobSetting, startBlobSetting } from './setting.ts';

const programs = findCeph();

describe.skipIf(programs === undefined)('@azure/storage-blob, over an upstream S3', () => {
  let cluster: CephCluster;
  let setting: BlobSetting;

  beforeAll(async () => {
    if (programs === undefined) return;
    cluster = await startCeph(programs);
    const user = await cluster.createUser({ name: 'gateway', tenant: '' });
    const s3 = new S3Client({ endpoint: cluster.url, region: 'us-east-1', forcePathStyle: true, credentials: user });
    await s3.send(new CreateBucketCommand({ Bucket: 'artifacts' }));
    s3.destroy();
    setting = await startBlobSetting({ upstream: { url: cluster.url, ...user } });
  });
  afterAll(async () => {
    await setting?.close();
    await cluster?.close();
  });

  test('stores a blob and gets it back with everything that was said about it', async () => {
    expect(await setting.done('roundTrip')).toMatchObject({
      told: {
        contentType: 'text/plain; charset=utf-8',
        cacheControl: 'no-cache',
        metadata: { commit: 'abc', run: '7' },
      },
      exists: [true, false, true],
      whole: 'hello',
      part: 'ell',
    });
  });

  test('stores 20 MB in blocks that the upstream takes, with everything that was said about them', async () => {
    const told = (name: string) => [name, 'application/x-tar', { a: 'b' }, true, true];
    expect(await setting.done('blocks', { BLOCK_MIB: '5' })).toEqual([told('data'), told('file'), told('stream')]);
  });

  test('hears what to do about blocks that the upstream does not take', async () => {
    const ended = await setting.use('blocks', { BLOCK_MIB: '4' });
    expect(ended).toMatchObject({ ok: false, status: 400, code: 'InvalidBlockList' });
    expect(ended.ok ? '' : ended.message).toContain('5 MiB');
  });

  test('lists, deletes, and is held to its conditions', async () => {
    expect(await setting.done('listing')).toMatchObject({
      flat: ['l/1', 'l/2', 'l/a/3', 'l/b&c/4', 'l/b&c/5', 'l/ü +'],
      hierarchy: ['prefix l/a/', 'prefix l/b&c/', 'blob l/1', 'blob l/2', 'blob l/ü +'],
    });
    expect(await setting.done('deletion')).toEqual(['404 BlobNotFound', false, false, '404 BlobNotFound']);
    expect(await setting.done('conditional')).toMatchObject({ content: 'two' });
  });
});
