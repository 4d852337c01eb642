// docs/integrations/aws.md at a real STS: its commands as they stand there, but for the addresses.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireClient } from '../../clients.ts';
import { readPage } from '../../documented-page.ts';
import { ForeignIssuer } from '../../fakes/foreign-issuer.ts';
import { listen } from '../../fakes/guarded-resource.ts';
import { pathWithJobpass } from '../command-on-path.ts';
import { s3Client } from './clients.ts';
import { type CephCluster, type CephUser, findCeph, startCeph } from './cluster.ts';

const ceph = findCeph();
const aws = requireClient('aws');
const curl = requireClient('curl');
const run = promisify(execFile);

const { block } = readPage('integrations/aws.md');
const ACCOUNT = '111122223333';
const AUDIENCE = 'sts.amazonaws.com';
const PERMISSIONS = { Effect: 'Allow', Action: ['s3:PutObject'], Resource: ['arn:aws:s3:::artifacts/web/*'] };

describe.skipIf(ceph === undefined || aws === undefined || curl === undefined)('docs/integrations/aws.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-aws-page-'));
  let cluster: CephCluster;
  let admin: CephUser;
  let issuer: ForeignIssuer;
  let web: Server;
  let url: string;

  /** A web server that has the exported files and nothing else. */
  async function serveExport(): Promise<void> {
    web = createServer((request, answer) => {
      const file = join(folder, 'public', new URL(request.url ?? '', 'http://any').pathname);
      if (existsSync(file)) answer.end(readFileSync(file));
      else answer.writeHead(404).end();
    });
    url = `http://127.0.0.1:${await listen(web)}`;
  }

  beforeAll(async () => {
    if (ceph === undefined || aws === undefined || curl === undefined) return;
    await serveExport();
    issuer = new ForeignIssuer(url);
    await issuer.start();
    cluster = await startCeph(ceph);
    admin = await cluster.createUser({ name: 'a', tenant: ACCOUNT, caps: 'roles=*;oidc-provider=*;user-policy=*' });
    await s3Client(cluster.url, admin).send(new CreateBucketCommand({ Bucket: 'artifacts' }));
  });

  afterAll(async () => {
    await cluster?.close();
    await issuer?.close();
    web?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A block of the page, run by a shell in the test's folder, with what the page says of Ceph. */
  async function sh(script: string, env: Readonly<Record<string, string>>): Promise<string> {
    const here = script
      .replaceAll('https://ci.example.com', url)
      .replaceAll('http://127.0.0.1:8701', issuer.url)
      .replaceAll('--client-id-list', `--thumbprint-list ${issuer.thumbprints().join(' ')} --client-id-list`)
      .replaceAll('--token-file token', '--token-file token --compatible');
    const { stdout } = await run('/bin/sh', ['-eu', '-c', here], {
      cwd: folder,
      env: {
        PATH: pathWithJobpass(folder),
        HOME: folder,
        TMPDIR: folder,
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: cluster.url,
        ...env,
      },
    });
    return stdout;
  }

  test('the export is all that must be public, and the provider and role are made as written', async () => {
    await sh(block('sh', 'mkdir -p public'), {});
    // Ceph wants its policies without white space.
    const trust = JSON.parse(block('json', 'Federated').replaceAll('ci.example.com', url.slice('http://'.length)));
    writeFileSync(join(folder, 'trust.json'), JSON.stringify(trust));
    const permissions = { Version: '2012-10-17', Statement: [PERMISSIONS] };
    writeFileSync(join(folder, 'permissions.json'), JSON.stringify(permissions));
    writeFileSync(join(folder, 'token'), await issuer.token(AUDIENCE));
    const key = { AWS_ACCESS_KEY_ID: admin.accessKeyId, AWS_SECRET_ACCESS_KEY: admin.secretAccessKey };
    expect(await sh(block('sh', 'create-role'), key)).toMatch(/^agree {2}role\.json/m);
  });

  test('a job uploads with what it finds in its environment', async () => {
    const { ACTIONS_ID_TOKEN_REQUEST_URL = '', ...env } = await issuer.startJob(AUDIENCE);
    const inside = { ...env, ACTIONS_ID_TOKEN_REQUEST_URL: ACTIONS_ID_TOKEN_REQUEST_URL.replace(url, issuer.url) };
    writeFileSync(join(folder, 'web.tar'), 'this is web.tar');
    expect(await sh(block('sh', 'aws s3 cp'), inside)).toContain('upload: ./web.tar to s3://artifacts/web/web.tar');
  });

  test('a job of another pipeline uploads nothing', async () => {
    const other = await issuer.startJob(AUDIENCE, { pipeline: { name: 'other', id: '8' } });
    const inside = {
      ...other,
      ACTIONS_ID_TOKEN_REQUEST_URL: (other.ACTIONS_ID_TOKEN_REQUEST_URL ?? '').replace(url, issuer.url),
    };
    await expect(sh(block('sh', 'aws s3 cp'), inside)).rejects.toThrow(/AssumeRoleWithWebIdentity/);
  });
});
