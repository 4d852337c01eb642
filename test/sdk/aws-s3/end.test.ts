// What AWS's clients hear when the job that they work for ends while they do.
import { existsSync } from 'node:fs';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { fromWebToken } from '@aws-sdk/credential-providers';
import { expect, test } from 'vitest';
import { requirePythonModule } from '../../clients.ts';
import { S3_REGION } from '../../e2e/s3-servers.ts';
import { finishJob } from '../../e2e/three-servers.ts';
import { until } from '../../fakes/guarded-resource.ts';
import { arnOf } from './job.ts';
import { settingOf } from './setting.ts';

const python = requirePythonModule('boto3');

/** Two seconds while all hear each other (design, section 3), and what the clients take. */
const LIMIT_MS = 5000;

/** Lists until it is refused; tells the code, and when. */
const LISTING = `
import boto3, time, json, sys
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
while True:
    try:
        s3.list_objects_v2(Bucket="artifacts")
        open(sys.argv[1], "a").close()
        time.sleep(0.05)
    except ClientError as e:
        print(json.dumps([e.response["Error"]["Code"], time.time() * 1000]))
        break
`;

const setting = settingOf('http');

// Both clients hold good credentials when the job ends, and ask nobody for others.
test.skipIf(python === undefined)(
  'boto3 and the JavaScript SDK are refused at once, in the middle of their work',
  async () => {
    const { home, job, servers } = setting;
    const s3 = new S3Client({
      endpoint: servers.urls.s3,
      region: S3_REGION,
      credentials: fromWebToken({
        roleArn: arnOf('deploy'),
        webIdentityToken: job.token,
        clientConfig: { endpoint: servers.urls.sts, region: S3_REGION },
      }),
    });
    const list = () => s3.send(new ListObjectsV2Command({ Bucket: 'artifacts' })).then(() => 'done', nameOf);
    const listing = job.run(python ?? '', ['-c', LISTING, `${home.folder}/listed`]);
    expect(await list()).toBe('done');
    await until(() => existsSync(`${home.folder}/listed`), 20_000);
    await finishJob(servers, job.job.jobId);
    const ended = Date.now();
    await until(async () => (await list()) === 'ExpiredToken', LIMIT_MS);
    const { stdout, stderr } = await listing;
    const [code, at]: readonly [string, number] = JSON.parse(stdout || JSON.stringify([stderr, 0]));
    expect(code).toBe('ExpiredToken');
    expect(at - ended).toBeLessThan(LIMIT_MS);
    s3.destroy();
  },
);

const nameOf = (cause: unknown): string => (cause instanceof Error ? cause.name : String(cause));
