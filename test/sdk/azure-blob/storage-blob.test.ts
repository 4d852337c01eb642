// @azure/storage-blob at a gateway over https, signed in by @azure/identity with a job's token: issuer, STS and gateway are processes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireClient } from '../../clients.ts';
import { finishJob, startJob } from '../../e2e/three-servers.ts';
import { until } from '../../fakes/guarded-resource.ts';
import { type BlobSetting, CLIENTS, startBlobSetting } from './setting.ts';

describe.skipIf(requireClient('openssl') === undefined)('@azure/storage-blob', () => {
  let setting: BlobSetting;
  const use: BlobSetting['use'] = (...asked) => setting.use(...asked);
  const done: BlobSetting['done'] = (...asked) => setting.done(...asked);

  beforeAll(async () => {
    setting = await startBlobSetting();
  });
  afterAll(() => setting?.close());

  test('stores a blob and gets it back with everything that was said about it', async () => {
    expect(await done('roundTrip')).toEqual({
      told: {
        contentType: 'text/plain; charset=utf-8',
        cacheControl: 'no-cache',
        contentEncoding: 'identity',
        contentLanguage: 'de',
        contentDisposition: 'inline',
        metadata: { commit: 'abc', run: '7' },
        contentLength: 5,
      },
      exists: [true, false, true],
      whole: 'hello',
      part: 'ell',
      rest: 'lo',
    });
  });

  test('stores 20 MB in blocks from memory, file and stream, and reads them in ranges', async () => {
    const told = (name: string) => [name, 'application/x-tar', { a: 'b' }, true, true];
    expect(await done('blocks')).toEqual([told('data'), told('file'), told('stream')]);
  });

  test('stores an empty stream', async () => {
    expect(await done('emptyStream')).toBe(0);
  });

  test('lists flat, by pages and by hierarchy', async () => {
    const all = ['l/1', 'l/2', 'l/a/3', 'l/b&c/4', 'l/b&c/5', 'l/ü +'];
    expect(await done('listing')).toEqual({
      flat: all,
      pages: [all.slice(0, 4), all.slice(4)],
      hierarchy: ['prefix l/a/', 'prefix l/b&c/', 'blob l/1', 'blob l/2', 'blob l/ü +'],
      spaced: [['l/ü +', 1, 'BlockBlob']],
      next: ['l/ü +'],
    });
  });

  test('is held to its conditions', async () => {
    const exists = '409 BlobAlreadyExists';
    const notMet = '412 ConditionNotMet';
    expect(await done('conditional')).toEqual({
      outcomes: [exists, exists, notMet, 'done', notMet, notMet, notMet],
      content: 'two',
    });
  });

  test('deletes, and hears of a blob that is not there', async () => {
    expect(await done('deletion')).toEqual(['404 BlobNotFound', false, false, '404 BlobNotFound']);
  });

  test('has what it sends held to its digests', async () => {
    expect(await done('digests')).toEqual({
      good: ['done', 'done', 'done'],
      bad: ['400 Md5Mismatch', '400 Crc64Mismatch', '400 Md5Mismatch'],
      framed: '400 UnsupportedHeader',
    });
  });

  test('hears of everything else, in words that it knows, that it is not served', async () => {
    const notImplemented = '501 NotImplemented';
    const unsupported = '400 UnsupportedHeader';
    expect(await done('unsupported')).toEqual({
      create: notImplemented,
      metadata: notImplemented,
      headers: notImplemented,
      tier: notImplemented,
      snapshot: notImplemented,
      tags: notImplemented,
      lease: notImplemented,
      copy: unsupported,
      append: '400 InvalidHeaderValue',
      blockIds: '400 InvalidBlockId',
      withMetadata: '400 UnsupportedQueryParameter',
    });
  });

  test('does what its role may do and nothing else', async () => {
    await done('write', { BLOB_NAME: 'public/x' });
    const asReader = { AZURE_CLIENT_ID: CLIENTS.reader };
    expect(await done('read', { ...asReader, BLOB_NAME: 'public/x' })).toBe('x');
    const denied = { ok: false, status: 403, code: 'AuthorizationPermissionMismatch' };
    expect(await use('read', { ...asReader, BLOB_NAME: 'private/x' })).toMatchObject(denied);
    expect(await use('write', { ...asReader, BLOB_NAME: 'public/x' })).toMatchObject(denied);
  });

  test('hears that a token is no good, rather than a fault of its own', async () => {
    const ended = await use('read', { STATIC_TOKEN: 'a.b.c', BLOB_NAME: 'x' });
    expect(ended).toMatchObject({ ok: false, status: 401, code: 'InvalidAuthenticationInfo' });
  });

  test('goes on with a download that broke', async () => {
    expect(await done('retry')).toBe(true);
  });

  test('is refused, with the token that it holds, soon after its job has ended', async () => {
    await done('write', { BLOB_NAME: 'public/x' });
    const { servers, tokenFile } = setting;
    const other = await startJob(servers, { environment: undefined });
    const token = await done('token', { AZURE_FEDERATED_TOKEN_FILE: await tokenFile(other) });
    const env = { STATIC_TOKEN: String(token), BLOB_NAME: 'public/x' };
    expect(await done('read', env)).toBe('x');
    await finishJob(servers, other.jobId);
    await until(async () => !(await use('read', env)).ok);
    expect(await use('read', env)).toMatchObject({ ok: false, status: 401, code: 'InvalidAuthenticationInfo' });
    expect(await done('read', { BLOB_NAME: 'public/x' })).toBe('x');
  });
});
