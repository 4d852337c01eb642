// The example project: its pipeline runs, and its roles let in exactly whom they name. No server runs here.
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
        finish: async () => ok(undefined),
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

describe('the upload of the web shop', () => {
  it.each([
    [201, 0],
    [403, 1],
  ])('puts the file with its credential, and after %i ends with %i', async (status, exitCode) => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      request.resume().on('end', () => response.writeHead(status).end('{"error":"access_denied","decision":"D9XM"}'));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const env = { ARTIFACTS_URL: `http://127.0.0.1:${port}`, JOBPASS_ACCESS_TOKEN: 'the-access-token' };
    const args = ['publish.mjs', 'web', 'src/style.css'];
    const ended = await new Promise<{ code: unknown; output: string }>((resolve) => {
      execFile(process.execPath, args, { cwd: EXAMPLE, env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : error.code, output: stdout + stderr });
      });
    });
    server.close();
    expect(seen).toEqual(['PUT /web/style.css Bearer the-access-token']);
    expect(ended.code).toBe(exitCode);
    expect(ended.output).toContain(`PUT web/style.css → ${status}`);
    expect(ended.output.includes('D9XM')).toBe(status === 403);
    expect(ended.output).not.toContain('the-access-token');
  });
});

describe('the roles of the web shop', () => {
  const ceiling = {
    tenant: 'main',
    issuers: [ISSUER],
    actions: ['http:*'],
    resources: ['arn:jobpass:http:::artifacts/*'],
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
