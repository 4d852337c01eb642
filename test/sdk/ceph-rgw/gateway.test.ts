// The gateway in front of another S3 that keeps the objects: AWS's command line at ours, Ceph RGW behind it.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requireClient } from '../../clients.ts';
import { S3_REGION, type S3Servers, startS3Servers } from '../../e2e/s3-servers.ts';
import { sendSigned, signAsk } from '../../fakes/s3-caller.ts';
import { AwsHome } from '../aws-clients.ts';
import { type AwsJob, DEPLOY_ROLE, sessionKeys, startAwsJob } from '../aws-s3/job.ts';
import { s3Client } from './clients.ts';
import { type CephCluster, type CephUser, findCeph, startCeph } from './cluster.ts';

const ceph = findCeph();
const aws = requireClient('aws');
const LARGE_BYTES = 20 * 1024 * 1024 + 17;

describe.skipIf(ceph === undefined || aws === undefined)('a gateway before Ceph RGW', () => {
  let cluster: CephCluster;
  let user: CephUser;
  let rgw: S3Client;
  let servers: S3Servers;
  let home: AwsHome;
  let job: AwsJob;

  beforeAll(async () => {
    if (ceph === undefined) return;
    cluster = await startCeph(ceph);
    user = await cluster.createUser({ name: 'gateway', tenant: '' });
    rgw = s3Client(cluster.url, user);
    await rgw.send(new CreateBucketCommand({ Bucket: 'artifacts' }));
    servers = await startS3Servers({
      buckets: ['artifacts'],
      policies: { deploy: DEPLOY_ROLE },
      upstream: { url: cluster.url, accessKeyId: user.accessKeyId, secretAccessKey: user.secretAccessKey },
    });
  });
  afterAll(async () => {
    await servers?.close();
    rgw?.destroy();
    await cluster?.close();
  });
  beforeEach(async () => {
    home = new AwsHome();
    job = await startAwsJob(servers, { home });
  });
  afterEach(() => home.close());

  const s3 = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await job.run(aws ?? '', ['s3', ...args]);
    expect([args, status, stderr]).toEqual([args, 0, '']);
    return stdout;
  };
  const keysThere = async (): Promise<readonly string[]> => {
    const { Contents = [] } = await rgw.send(new ListObjectsV2Command({ Bucket: 'artifacts' }));
    return Contents.map(({ Key = '' }) => Key);
  };

  test('objects go through it in one piece and in parts, under any name, and are listed', async () => {
    const name = "web/a b+c/é %2F(1)'.txt";
    const [small, large, back] = ['small', 'large', 'back'].map((file) => join(home.folder, file)) as [
      string,
      string,
      string,
    ];
    writeFileSync(small, 'hello');
    writeFileSync(large, randomBytes(LARGE_BYTES));
    await s3('cp', '--no-progress', small, `s3://artifacts/${name}`);
    await s3('cp', '--no-progress', large, 's3://artifacts/web/large');
    await s3('cp', '--no-progress', 's3://artifacts/web/large', back);
    expect(readFileSync(back).equals(readFileSync(large))).toBe(true);
    expect(await s3('cp', `s3://artifacts/${name}`, '-')).toBe('hello');
    expect((await s3('ls', '--recursive', 's3://artifacts')).split('\n').map((line) => line.slice(31))).toEqual([
      name,
      'web/large',
      '',
    ]);
    // What RGW keeps is the object itself, under its own name and of the gateway's user.
    const kept = await rgw.send(new GetObjectCommand({ Bucket: 'artifacts', Key: name }));
    expect(await kept.Body?.transformToString()).toBe('hello');
    await s3('rm', '--recursive', 's3://artifacts');
    expect(await keysThere()).toEqual([]);
  });

  test('a body that is not what was signed leaves nothing at RGW, whatever it replaces', async () => {
    const keys = await sessionKeys(servers);
    const put = (body: Buffer, payloadHash?: string) =>
      sendSigned(
        servers.urls.s3,
        signAsk(servers.urls.s3, {
          method: 'PUT',
          target: '/artifacts/held',
          body,
          keys,
          region: S3_REGION,
          ...(payloadHash === undefined ? {} : { payloadHash }),
        }),
      );
    const wrong = '0'.repeat(64);
    for (const bytes of [5, 300_000, 3_000_000]) {
      const refused = await put(randomBytes(bytes), wrong);
      expect([refused.status, refused.code]).toEqual([400, 'XAmzContentSHA256Mismatch']);
      expect(await keysThere()).toEqual([]);
    }
    expect((await put(Buffer.from('good'))).status).toBe(200);
    expect((await put(Buffer.from('evil'), wrong)).code).toBe('XAmzContentSHA256Mismatch');
    const kept = await rgw.send(new GetObjectCommand({ Bucket: 'artifacts', Key: 'held' }));
    expect(await kept.Body?.transformToString()).toBe('good');
    const { Uploads = [] } = await rgw.send(new ListMultipartUploadsCommand({ Bucket: 'artifacts' }));
    expect(Uploads).toEqual([]);
  });

  test('its own key at RGW is told to nobody', async () => {
    const refused = await job.run(aws ?? '', ['s3', 'ls', 's3://elsewhere', '--debug']);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('AccessDenied');
    for (const secret of [user.accessKeyId, user.secretAccessKey]) {
      expect(refused.stderr).not.toContain(secret);
      expect(servers.gateway.output).not.toContain(secret);
    }
  });
});
