// @google-cloud/storage as a job uses it, with nothing but its credentials file and the gateway's address.
import { randomBytes } from 'node:crypto';
import { type Bucket, Storage, type StorageOptions } from '@google-cloud/storage';
import { expect, test } from 'vitest';
import { finishJob } from '../../e2e/three-servers.ts';
import { until } from '../../fakes/guarded-resource.ts';
import { BUCKET, type GcsSetting } from './setting.ts';

/** What the library must be able to do, and what it must be told. */
export function javascriptCases(setting: GcsSetting): void {
  const storage = (more: StorageOptions = {}): Storage =>
    new Storage({
      apiEndpoint: setting.servers.urls.gcs,
      useAuthWithCustomEndpoint: true,
      projectId: 'acme',
      keyFilename: setting.job.credentialsFile,
      retryOptions: { autoRetry: false },
      ...more,
    });
  /**
   * At an endpoint of one's own, version 8 forgets its credential when it uploads resumably, unless that is below its universe's
   * domain, which its credentials must then have, too.
   */
  const inUniverse = (): Storage => {
    const { credentials, home } = setting.job;
    const universe = JSON.stringify({ ...credentials, universe_domain: 'localhost' });
    return storage({
      apiEndpoint: setting.servers.urls.gcs.replace('127.0.0.1', 'localhost'),
      universeDomain: 'localhost',
      keyFilename: home.write('universe.json', universe),
    });
  };
  const bucket = (): Bucket => storage().bucket(BUCKET);
  const code = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => 'done',
      (cause: { readonly code?: unknown }) => cause.code,
    );

  test('stores, finds, reads, lists, copies and deletes', async () => {
    const file = bucket().file('js/a b+c/é %2F.txt');
    expect(await file.exists()).toEqual([false]);
    await file.save('hello', { resumable: false, contentType: 'text/x', metadata: { metadata: { job: '7' } } });
    expect(await file.exists()).toEqual([true]);
    const [metadata] = await file.getMetadata();
    expect(metadata).toMatchObject({ contentType: 'text/x', size: '5', metadata: { job: '7' } });
    expect((await file.download({ validation: 'md5' }))[0].toString()).toBe('hello');
    expect((await file.download({ start: 1, end: 3 }))[0].toString()).toBe('ell');
    await file.copy(bucket().file('js/copy'));
    const [files] = await bucket().getFiles({ prefix: 'js/' });
    expect(files.map(({ name }) => name)).toEqual(['js/a b+c/é %2F.txt', 'js/copy']);
    const [, , shallow] = await bucket().getFiles({ delimiter: '/', autoPaginate: false });
    expect(shallow).toMatchObject({ prefixes: expect.arrayContaining(['js/']) });
    await bucket().deleteFiles({ prefix: 'js/' });
    expect((await bucket().getFiles({ prefix: 'js/' }))[0]).toEqual([]);
    expect(await bucket().exists()).toEqual([true]);
    expect((await storage().getBuckets())[0].map(({ name }) => name)).toEqual(['artifacts', 'other']);
  });

  test.each([
    ['in one piece', {}],
    ['in pieces of 256 KiB', { chunkSize: 256 * 1024 }],
    ['in one request', { resumable: false }],
  ])('stores much %s, and checks what was stored', async (_how, how) => {
    const data = randomBytes(700_000);
    const file = inUniverse().bucket(BUCKET).file('much');
    await file.save(data, { resumable: true, validation: 'crc32c', ...how });
    expect((await file.download({ validation: 'crc32c' }))[0].equals(data)).toBe(true);
  });

  test('lets the first of two have a lock', async () => {
    const lock = bucket().file('lock');
    const take = () => code(lock.save('mine', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }));
    expect([await take(), await take()]).toEqual(['done', 412]);
    await lock.delete();
    expect(await code(lock.delete())).toBe(404);
  });

  test('hears what it may not, and what is not served', async () => {
    expect(await code(bucket().file('sealed/x').save('x', { resumable: false }))).toBe(403);
    expect(await code(inUniverse().bucket(BUCKET).file('sealed/x').save('x', { resumable: true }))).toBe(403);
    expect(await code(bucket().file('a').save('x', { resumable: true }))).toBe(401);
    expect(await code(storage().bucket('other').getFiles())).toBe(403);
    expect(await code(bucket().file('nowhere').download())).toBe(404);
    await bucket().file('a').save('x', { resumable: false });
    expect(await code(bucket().file('a').setMetadata({ contentType: 'a/b' }))).toBe(501);
    expect(await code(bucket().file('a').makePublic())).toBe(501);
  });

  test('can do nothing more when its job has ended', async () => {
    const file = bucket().file('late');
    await file.save('x', { resumable: false });
    await finishJob(setting.servers, setting.job.job.jobId);
    await until(async () => (await code(file.download())) !== 'done', 10_000);
  });
}
