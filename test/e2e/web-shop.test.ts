// The example project: its pipeline runs, and its roles let in exactly whom they name. No server runs here.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { sign } from 'aws4';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ok } from '../../src/base/core/result.ts';
import { Secret } from '../../src/base/core/secret.ts';
import { identityClaims } from '../../src/base/identity/claims.ts';
import { decide } from '../../src/policy/decide.ts';
import { buildPolicySet } from '../../src/policy/policy-set.ts';
import { readRole } from '../../src/policy/readers/jobpass.ts';
import type { RunEvent } from '../../src/runner/ci/events.ts';
import { createGit, readGitFacts } from '../../src/runner/ci/git-facts.ts';
import { jobFacts, type Trigger } from '../../src/runner/ci/job-facts.ts';
import { createMachine } from '../../src/runner/ci/machine.ts';
import { type Pipeline, readPipeline } from '../../src/runner/ci/pipeline.ts';
import { runPipeline } from '../../src/runner/ci/run.ts';
import { listen } from '../fakes/guarded-resource.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/web-shop');
const ISSUER = 'http://127.0.0.1:8701';

function pipelineOf(folder: string): Pipeline {
  const read = readPipeline({ file: 'pipeline.yaml', text: readFileSync(join(folder, 'pipeline.yaml'), 'utf8') });
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value;
}

describe('the build of the web shop', () => {
  let repository: string;
  beforeAll(() => {
    repository = mkdtempSync(join(tmpdir(), 'jobpass-web-shop-'));
    cpSync(EXAMPLE, repository, { recursive: true });
    const env = { PATH: process.env.PATH, HOME: repository };
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=You', '-c', 'user.email=y@t', ...args], { cwd: repository, env });
    git('init', '--quiet', '--initial-branch', 'main');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'web shop');
  });
  afterAll(() => rmSync(repository, { recursive: true }));

  it('makes a real archive, named after its commit, and needs no identity', async () => {
    const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME: repository };
    const facts = await readGitFacts(createGit(env), repository);
    if (!facts.ok) throw new Error(facts.error.message);
    const events: RunEvent[] = [];
    const identity = { requestUrl: '', requestToken: new Secret('rt') };
    const result = await runPipeline({
      pipeline: pipelineOf(repository),
      facts: facts.value,
      controller: {
        startJob: async (start) => {
          expect(start.audiences).toEqual([]);
          return ok({ jobId: 'J1', deadline: 0, identity });
        },
        heartbeat: async () => ok(undefined),
        finish: async () => ok([]),
        narrow: async () => ok(identity),
      },
      local: false,
      machine: createMachine(env),
      report: (event) => events.push(event),
      signal: new AbortController().signal,
      concurrency: 1,
      stepEnvironment: { PATH: env.PATH },
      jobs: ['build'],
    });
    expect(result).toMatchObject({ ok: true, value: { outcome: 'succeeded' } });
    const file = `web-shop-${facts.value.sha.slice(0, 7)}.tar.gz`;
    expect(events).toContainEqual(expect.objectContaining({ kind: 'output_made', file }));
  });
});

const STS_GRANT = `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>the-secret-key</SecretAccessKey><SessionToken>the-session-token</SessionToken>
<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
const REFUSAL = '<Error><Code>AccessDenied</Code><RequestId>D9XM</RequestId></Error>';

describe('the upload of the web shop', () => {
  let home: string;
  let server: Server;
  let calls: { line: string; body: string; headers: IncomingHttpHeaders }[];
  let statuses: { POST: number; PUT: number };

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'jobpass-web-shop-home-'));
    writeFileSync(join(home, 'id-token'), 'the-id-token');
    calls = [];
    statuses = { POST: 200, PUT: 200 };
    server = createServer((request, response) => {
      const { method, url, headers } = request;
      void text(request).then((body) => {
        calls.push({ line: `${method} ${url}`, body, headers });
        const status = method === 'POST' ? statuses.POST : statuses.PUT;
        response.writeHead(status).end(status === 200 ? STS_GRANT : REFUSAL);
      });
    });
    await listen(server);
  });
  afterEach(() => {
    server.close();
    rmSync(home, { recursive: true });
  });

  /** Runs the upload; both endpoints are the one server of the test. */
  async function upload(): Promise<{ code: unknown; output: string }> {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = {
      HOME: home,
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_STS: url,
      AWS_ENDPOINT_URL_S3: url,
      AWS_ROLE_ARN: 'arn:aws:iam::000000000042:role/publish-web',
      AWS_ROLE_SESSION_NAME: 'J1',
      AWS_WEB_IDENTITY_TOKEN_FILE: join(home, 'id-token'),
    };
    const args = ['publish.mjs', 'src/style.css', 's3://web-shop/releases/7/'];
    const ended = await new Promise<{ code: unknown; output: string }>((resolve) => {
      execFile(process.execPath, args, { cwd: EXAMPLE, env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
      });
    });
    for (const secret of ['the-id-token', 'the-secret-key', 'the-session-token'])
      expect(ended.output).not.toContain(secret);
    return ended;
  }

  it('takes the role with its token, then puts the file with the credentials', async () => {
    const ended = await upload();
    expect(ended).toMatchObject({ code: 0, output: expect.stringMatching(/^PUT s3:.+\/style\.css → 200 {3}/m) });
    expect(calls.map(({ line }) => line)).toEqual(['POST /', 'PUT /web-shop/releases/7/style.css']);
    expect(Object.fromEntries(new URLSearchParams(calls[0]?.body))).toEqual({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::000000000042:role/publish-web',
      RoleSessionName: 'J1',
      WebIdentityToken: 'the-id-token',
    });
    expect(calls[1]?.body).toBe(readFileSync(join(EXAMPLE, 'src/style.css'), 'utf8'));
    expect(calls[1]?.headers['x-amz-security-token']).toBe('the-session-token');
  });

  it('signs as another signer does', async () => {
    await upload();
    const { headers = {}, body = '' } = calls[1] ?? {};
    expect(headers['x-amz-content-sha256']).toBe(createHash('sha256').update(body).digest('hex'));
    const names = ['host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token'];
    const { headers: signed } = sign(
      {
        method: 'PUT',
        path: '/web-shop/releases/7/style.css',
        service: 's3',
        region: 'us-east-1',
        headers: Object.fromEntries(names.map((name) => [name, String(headers[name])])),
      },
      { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'the-secret-key', sessionToken: 'the-session-token' },
    );
    expect(headers.authorization).toBe(signed?.Authorization);
  });

  it.each([
    ['POST', 'arn:aws:iam::000000000042:role/publish-web', 1],
    ['PUT', 's3://web-shop/releases/7/style.css', 2],
  ] as const)('ends with 1 after a refused %s, and says under which id', async (method, what, asked) => {
    statuses[method] = 403;
    const ended = await upload();
    expect(ended.code).toBe(1);
    expect(ended.output).toContain(`${what} → 403 AccessDenied, decision D9XM`);
    expect(calls).toHaveLength(asked);
  });
});

describe('the roles of the web shop', () => {
  const ceiling = {
    tenant: 'main',
    issuers: [ISSUER],
    actions: ['s3:*'],
    resources: ['arn:aws:s3:::web-shop/*'],
    gateways: ['artifacts'],
    maxDurationSeconds: 3600,
    awsAccounts: 'all' as const,
    gcpProjects: 'all' as const,
    azureTenants: 'all' as const,
  };
  const roles = ['publish-web', 'preview-web'].map((name) => {
    const text = readFileSync(join(EXAMPLE, `policies/main/${name}.yaml`), 'utf8');
    const role = readRole({ tenant: 'main', file: `main/${name}.yaml`, text }, ceiling);
    if (!role.ok) throw new Error(JSON.stringify(role.error));
    return role.value;
  });
  const set = buildPolicySet(roles);

  function isAllowed(
    name: string,
    jobName: string,
    how: { readonly ref?: string; readonly trigger?: Trigger } = {},
  ): boolean {
    const pipeline = pipelineOf(EXAMPLE);
    const job = pipeline.jobs.find((one) => one.name === jobName);
    if (job === undefined) throw new Error(`no job ${jobName}`);
    const git = {
      root: '/',
      sha: 'a'.repeat(40),
      ref: how.ref ?? 'refs/heads/main',
      refType: 'branch',
      actor: { name: 'You', id: 'uid-1' },
      dirty: false,
    } as const;
    const identity = { runId: 'r1', runnerId: 'host', local: false };
    const facts = { ...jobFacts(pipeline, job, { git, trigger: how.trigger ?? {}, identity }), local: false };
    const claims = identityClaims(facts, { profile: 'jobpass', jobId: 'J1', deadline: 0 });
    return decide(set, { role: { tenant: 'main', name }, issuer: ISSUER, claims, now: 0 }).allow;
  }
  const fork = { trigger: { fork: true, headPipelineId: '99', event: 'pull_request' } };

  it('let publish publish, from main only', () => {
    expect(isAllowed('publish-web', 'publish')).toBe(true);
    expect(isAllowed('publish-web', 'publish', { ref: 'refs/heads/Main' })).toBe(false);
    expect(isAllowed('publish-web', 'build')).toBe(false);
  });

  it('refuse a fork the role of publish, even for a job of its name, and give it previews', () => {
    expect(isAllowed('publish-web', 'preview', fork)).toBe(false);
    expect(isAllowed('publish-web', 'publish', fork)).toBe(false);
    expect(isAllowed('preview-web', 'preview', fork)).toBe(true);
    expect(isAllowed('preview-web', 'publish')).toBe(false);
  });
});
