// The commands that talk to an issuer, as a person runs them: what runs is the commit, and no identity is left behind.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RecordingIssuer } from '../fakes/recording-issuer.ts';
import { inFreshFolder, jobpass } from './jobpass.ts';

let issuer: RecordingIssuer;
beforeEach(async () => {
  issuer = await RecordingIssuer.listen();
});
afterEach(() => issuer.close());

const pipeline = (line: string): string =>
  `owner: { name: acme, id: "42" }\npipeline: { name: web, id: "7" }\njobs:\n  hello: { run: ["${line}"] }\n`;

/** A folder with a repository `web` whose commit has `pipeline.yaml`, and the environment of a controller. */
async function inRepository(
  use: (where: { folder: string; env: Record<string, string> }) => Promise<void>,
): Promise<void> {
  await inFreshFolder(async (outer) => {
    const folder = join(outer, 'web');
    mkdirSync(folder);
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=you', '-c', 'user.email=you@example.com', ...args], { cwd: folder });
    git('init', '--quiet', '--initial-branch=main');
    writeFileSync(join(folder, 'pipeline.yaml'), pipeline('echo committed'));
    git('add', '--all');
    git('commit', '--quiet', '--message', 'a pipeline');
    await use({ folder, env: { JOBPASS_CONTROLLER_FILE: controllerFile(outer, issuer.url) } });
  });
}

function controllerFile(folder: string, url: string): string {
  const path = join(folder, 'controller.json');
  writeFileSync(path, JSON.stringify({ url, client: 'laptop', secret: 's3cr3t' }), { mode: 0o600 });
  return path;
}

describe('run', () => {
  test('runs the pipeline of the commit, not of the working tree', () =>
    inRepository(async ({ folder, env }) => {
      writeFileSync(join(folder, 'pipeline.yaml'), pipeline('echo changed'));
      const ran = await jobpass(['run', 'pipeline.yaml'], { folder, env });
      expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('uncommitted changes do not run') });
      expect(ran.stderr).toMatch(/hello .*committed/);
      expect(ran.stderr).not.toContain('changed\n');
    }));

  test('refuses a pipeline that nobody committed, and starts nothing', () =>
    inRepository(async ({ folder, env }) => {
      writeFileSync(join(folder, 'new.yaml'), pipeline('echo new'));
      expect(await jobpass(['run', 'new.yaml'], { folder, env })).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/new\.yaml is not part of the commit .+git add new\.yaml/),
      });
      expect(issuer.started).toEqual([]);
    }));

  test('takes a pipeline from outside the repository as it is, and says so', () =>
    inRepository(async ({ folder, env }) => {
      writeFileSync(join(folder, '../other.yaml'), pipeline('echo from outside'));
      const ran = await jobpass(['run', '../other.yaml'], { folder, env });
      expect(ran.code).toBe(0);
      expect(ran.stderr).toContain('../other.yaml lies outside the repository');
      expect(ran.stderr).toContain('from outside');
    }));

  test('that is told twice to stop still finishes its jobs', () =>
    inRepository(async ({ folder, env }) => {
      writeFileSync(join(folder, '../slow.yaml'), pipeline("trap '' TERM; echo up; sleep 1; sleep 1; sleep 1"));
      const ran = await jobpass(['run', '../slow.yaml'], {
        folder,
        env,
        stopAt: /up$/m,
        signals: ['SIGINT', 'SIGINT'],
      });
      expect(ran.stderr).toContain('still finishing');
      expect([ran.code, issuer.started.length, issuer.finished]).toEqual([1, 1, ['J1']]);
    }));
});

describe('job start', () => {
  const start = (folder: string, env: Record<string, string>) =>
    jobpass(['job', 'start', '--facts', '-', '--write-env', 'job.env'], { folder, env, input: '{"job":"hello"}' });

  test('writes the variables that the issuer gives', () =>
    inFreshFolder(async (folder) => {
      const ended = await start(folder, { JOBPASS_CONTROLLER_FILE: controllerFile(folder, issuer.url) });
      expect(JSON.parse(ended.stdout)).toEqual({ job_id: 'J1', deadline: 2_000_000_000, env_file: 'job.env' });
      expect(readFileSync(join(folder, 'job.env'), 'utf8')).toBe('JOB_SAYS=hello\n');
      expect(statSync(join(folder, 'job.env')).mode & 0o777).toBe(0o600);
    }));

  test('starts no job when the file is there already', () =>
    inFreshFolder(async (folder) => {
      writeFileSync(join(folder, 'job.env'), 'MINE=1\n');
      const ended = await start(folder, { JOBPASS_CONTROLLER_FILE: controllerFile(folder, issuer.url) });
      expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('is not overwritten') });
      expect(readFileSync(join(folder, 'job.env'), 'utf8')).toBe('MINE=1\n');
      expect(issuer.started).toEqual([]);
    }));

  test('leaves no file when the issuer refuses, and names the log that tells why', () =>
    inFreshFolder(async (folder) => {
      const body = JSON.stringify({ message: 'this is not permitted', reason: 'access_denied', decision_id: 'D1' });
      const server = createServer((_request, response) => response.writeHead(403).end(body));
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      try {
        const ended = await start(folder, {
          JOBPASS_CONTROLLER_FILE: controllerFile(folder, `http://127.0.0.1:${port}`),
        });
        expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('in the issuer’s log under D1') });
        expect(ended.stderr).not.toContain('decisions show');
        expect(existsSync(join(folder, 'job.env'))).toBe(false);
      } finally {
        server.close();
      }
    }));
});
