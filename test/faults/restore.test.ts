// A backup that is put back revives nothing: neither a used token nor an ended session, an ended job, or a job that it does not know.
// Real servers, stopped and started between the steps.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Ended, inFreshFolder, jobpass } from '../cli/jobpass.ts';
import {
  type Answer,
  askIdToken,
  finishJob,
  type JobServers,
  type StartedJob,
  startJob,
} from '../e2e/three-servers.ts';
import { freePorts } from '../fakes/free-port.ts';

let upstream: Server;
let upstreamUrl = '';
beforeAll(async () => {
  upstream = createServer((_, response) => response.end('{}'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const address = upstream.address();
  upstreamUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
});
afterAll(() => new Promise((resolve) => upstream.close(resolve)));

interface Project extends JobServers {
  readonly folder: string;
}

/** A project with the role `deploy`, which takes each token once, and `again`, which takes it as often as it comes. */
const inProject = (use: (project: Project) => Promise<void>): Promise<void> =>
  inFreshFolder(async (folder) => {
    const port = await freePorts(3);
    const init = [
      'init',
      '--owner',
      'acme@42',
      '--pipeline',
      'web@7',
      '--upstream',
      upstreamUrl,
      '--port',
      String(port),
    ];
    expect(await jobpass(init, { folder })).toMatchObject({ code: 0 });
    const role = join(folder, 'policies/main/deploy.yaml');
    const text = readFileSync(role, 'utf8');
    writeFileSync(role, text.replace('max_duration: 10m', 'max_duration: 10m, single_use: true'));
    writeFileSync(role.replace('deploy', 'again'), text.replace('role: deploy', 'role: again'));
    const urls = { issuer: `http://127.0.0.1:${port}`, sts: `http://127.0.0.1:${port + 1}` };
    await use({ folder, urls, controllerFile: join(folder, '.jobpass/controller.json') });
  });

/** The servers run while `work` does; what they said comes back. */
async function whileServing({ folder }: Project, work: () => Promise<void>): Promise<string> {
  let failed: unknown;
  const onReady = (): Promise<void> =>
    work().catch((error: unknown) => {
      failed = error;
    });
  const { code, stderr } = await jobpass(['serve'], { folder, stopAt: /^ready/m, onReady });
  if (failed !== undefined) throw new Error(`${String(failed)}\n${stderr}`, { cause: failed });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stderr;
}

const run = ({ folder }: Project, ...args: string[]): Promise<Ended> => jobpass(args, { folder });

async function exchange({ urls }: Project, token: string, role = 'deploy'): Promise<Answer> {
  const response = await fetch(`${urls.sts}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      subject_token: token,
      audience: `urn:jobpass:role:main/${role}`,
    }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** What the gateway says to a credential: 200, or why not. */
async function atGateway({ urls }: Project, credential: string): Promise<number> {
  const gateway = urls.sts.replace(/\d+$/, (port) => String(Number(port) + 1));
  const response = await fetch(`${gateway}/7/x`, { headers: { authorization: `Bearer ${credential}` } });
  await response.text();
  return response.status;
}

const tokenOf = async (project: Project, job: StartedJob): Promise<string> =>
  String((await askIdToken(project, job)).body.value);

/**
 * A token of now, which a beginning in this second would refuse, exchanged for a credential. A role that takes each token once wants it to be
 * issued after the beginning by every clock: by the skew later.
 */
async function grantedNow(project: Project, job: StartedJob): Promise<string> {
  return vi.waitFor(
    async () => {
      const { body, status } = await exchange(project, await tokenOf(project, job), 'again');
      expect({ status, body }).toMatchObject({ status: 200 });
      return String(body.access_token);
    },
    { timeout: 10_000, interval: 500 },
  );
}

describe('a restored STS', () => {
  test('takes no token that was used, opens to no session that ended, and works for new tokens', () =>
    inProject(async (project) => {
      const seen = { used: '', unused: '', ended: '', alive: '' };
      let job: StartedJob | undefined;
      await whileServing(project, async () => {
        job = await startJob(project);
        const before = await grantedNow(project, job);
        expect(await run(project, 'backup', '--sts', '--to', 'sts.backup')).toMatchObject({ code: 0 });
        seen.used = await tokenOf(project, job);
        seen.unused = await tokenOf(project, job);
        seen.ended = String((await exchange(project, seen.used)).body.access_token);
        await vi.waitFor(async () => expect(await atGateway(project, seen.ended)).toBe(200), { timeout: 5000 });
        expect((await exchange(project, seen.used)).status).not.toBe(200);
        seen.alive = before;
        const revoked = new URLSearchParams({ token: seen.ended });
        expect((await fetch(`${project.urls.sts}/revoke`, { method: 'POST', body: revoked })).status).toBe(200);
        await vi.waitFor(async () => expect(await atGateway(project, seen.ended)).not.toBe(200), { timeout: 5000 });
        // Not over a running server.
        const refused = await run(project, 'restore', 'sts.backup');
        expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('in use') });
      });
      const restored = await run(project, 'restore', 'sts.backup', '--json');
      expect(restored).toMatchObject({ code: 0, stderr: expect.stringContaining('every session ends') });
      expect(existsSync(String(JSON.parse(restored.stdout).kept))).toBe(true);
      const log = await whileServing(project, async () => {
        if (job === undefined) throw new Error('no job was started');
        for (const token of [seen.used, seen.unused]) expect((await exchange(project, token)).status).not.toBe(200);
        for (const credential of [seen.ended, seen.alive]) expect(await atGateway(project, credential)).not.toBe(200);
        const credential = await grantedNow(project, job);
        await vi.waitFor(async () => expect(await atGateway(project, credential)).toBe(200), { timeout: 5000 });
        for (const old of [seen.ended, seen.alive]) expect(await atGateway(project, old)).not.toBe(200);
      });
      expect(log).toContain('"cause":"restored"');
      expect(log).toContain('audit records are lost');
      // Once is enough: the next start finds the store that it knows.
      expect(await whileServing(project, async () => undefined)).not.toContain('begins anew');
    }));

  test('whose database was put back by hand is found out by its witness', () =>
    inProject(async (project) => {
      const database = join(project.folder, 'data/sts.db');
      let token = '';
      await whileServing(project, async () => {
        await grantedNow(project, await startJob(project));
      });
      renameSync(database, join(project.folder, 'older.db'));
      writeFileSync(database, readFileSync(join(project.folder, 'older.db')), { mode: 0o600 });
      await whileServing(project, async () => {
        const job = await startJob(project);
        token = await tokenOf(project, job);
        expect((await exchange(project, token)).status).toBe(200);
      });
      writeFileSync(database, readFileSync(join(project.folder, 'older.db')), { mode: 0o600 });
      for (const name of readdirSync(join(project.folder, 'data')))
        if (/^sts\.db-/.test(name)) rmSync(join(project.folder, 'data', name));
      const log = await whileServing(project, async () =>
        expect((await exchange(project, token)).status).not.toBe(200),
      );
      expect(log).toContain('"cause":"older_copy"');
    }));

  test('whose database is gone does not start with an empty one in its place', () =>
    inProject(async (project) => {
      await whileServing(project, async () => {
        const job = await startJob(project);
        expect((await exchange(project, await tokenOf(project, job))).status).toBe(200);
      });
      rmSync(join(project.folder, 'data'), { recursive: true });
      const refused = await run(project, 'serve');
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_STORE_EMPTY') });
      expect(refused.stderr).toContain('jobpass restore');
    }));
});

describe('a restored issuer', () => {
  test('revives no job that ended, and what was granted to jobs that it does not know is over', () =>
    inProject(async (project) => {
      const seen = { credential: '', token: '' };
      const jobs: StartedJob[] = [];
      await whileServing(project, async () => {
        jobs.push(await startJob(project));
        expect(await run(project, 'backup', '--issuer', '--to', 'issuer.backup')).toMatchObject({ code: 0 });
        const [ended] = jobs;
        if (ended !== undefined) await finishJob(project, ended.jobId);
        const unknown = await startJob(project);
        jobs.push(unknown);
        seen.credential = await grantedNow(project, unknown);
        seen.token = await tokenOf(project, unknown);
        await vi.waitFor(async () => expect(await atGateway(project, seen.credential)).toBe(200), { timeout: 5000 });
      });
      expect(await run(project, 'restore', 'issuer.backup')).toMatchObject({ code: 0 });
      await whileServing(project, async () => {
        for (const job of jobs) expect((await askIdToken(project, job)).status).not.toBe(200);
        await vi.waitFor(async () => expect((await exchange(project, seen.token)).status).not.toBe(200), {
          timeout: 5000,
        });
        await vi.waitFor(async () => expect(await atGateway(project, seen.credential)).not.toBe(200), {
          timeout: 5000,
        });
        const credential = await grantedNow(project, await startJob(project));
        await vi.waitFor(async () => expect(await atGateway(project, credential)).toBe(200), { timeout: 5000 });
        expect(await atGateway(project, seen.credential)).not.toBe(200);
        expect((await exchange(project, seen.token)).status).not.toBe(200);
      });
    }));
});

describe('a backup', () => {
  test('that does not open, is damaged or is another server’s changes nothing', () =>
    inProject(async (project) => {
      await whileServing(project, async () => undefined);
      await run(project, 'backup', '--sts', '--to', 'sts.backup');
      const database = readFileSync(join(project.folder, 'data/sts.db'));
      const file = join(project.folder, 'sts.backup');
      const whole = readFileSync(file);
      expect(await run(project, 'restore', 'sts.backup', '--check')).toMatchObject({ code: 0 });
      const restoring = async (...args: string[]): Promise<Ended> => run(project, 'restore', 'sts.backup', ...args);
      expect(await restoring('--key-file', '.jobpass/issuer.kek')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('ERR_BACKUP_KEY'),
      });
      expect(await restoring('--issuer')).toMatchObject({ code: 2, stderr: expect.stringContaining('--sts') });
      writeFileSync(file, whole.subarray(0, whole.length - 1));
      for (const args of [[], ['--check']])
        expect(await restoring(...args)).toMatchObject({
          code: 1,
          stderr: expect.stringMatching('ERR_BACKUP_(UNREADABLE|KEY)'),
        });
      expect(readFileSync(join(project.folder, 'data/sts.db')).equals(database)).toBe(true);
      expect(readdirSync(join(project.folder, 'data')).filter((name) => /restor/.test(name))).toEqual([]);
    }));
});
