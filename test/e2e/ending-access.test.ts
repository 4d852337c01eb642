// What an operator ends and stops at the command line, over issuer, STS and gateway as processes of their own.
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, jobpass } from '../cli/jobpass.ts';
import {
  type Answer,
  askIdToken,
  exchange,
  finishJob,
  grantedJob,
  type StartedJob,
  startJob,
  startThreeServers,
  type ThreeServers,
  useCredential,
} from './three-servers.ts';

const ROLE = 'main/publish-web';
/** Healthy servers (design, section 1). */
const FELT_WITHIN_MS = 2000;
const HEARTBEAT_SECONDS = 5;

let servers: ThreeServers;
beforeAll(async () => {
  servers = await startThreeServers();
});
afterAll(() => servers?.close());

const cli = (args: readonly string[], operatorFile = servers.stage.operatorFile): Promise<Ended> =>
  jobpass(args, { folder: servers.stage.folder, env: { JOBPASS_OPERATOR_FILE: operatorFile } });

/** The command's standard output; it must have gone well. */
async function said(...args: readonly string[]): Promise<string> {
  const { code, stderr, stdout } = await cli(args);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
  return stdout;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether the gateway lets its bearer write. */
const isGood = async (credential: string): Promise<boolean> =>
  (await useCredential(servers.stage, credential)).status < 300;

/** How long until the gateway refuses the credential; throws when that takes too long. */
async function msUntilRefused(credential: string, withinMs = FELT_WITHIN_MS): Promise<number> {
  const since = performance.now();
  while (performance.now() - since < withinMs) {
    const { status } = await useCredential(servers.stage, credential, '/web/poll.txt', 'GET');
    if (status === 403) return performance.now() - since;
    await pause(5);
  }
  throw new Error('the gateway went on');
}

const exchangeAnew = async (job: StartedJob): Promise<Answer> =>
  exchange(servers.stage, String((await askIdToken(servers.stage, job)).body.value));

/** The first answer that is good, of new ID tokens of the job. */
async function exchangeUntilGranted(job: StartedJob): Promise<Answer> {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const answer = await exchangeAnew(job);
    if (answer.status === 200) return answer;
    await pause(100);
  }
  throw new Error('no token of after the epoch was taken');
}

describe('a freeze', () => {
  test('stops granting, says why, spares what was granted, and is lifted', async () => {
    const { credential, job } = await grantedJob(servers.stage);
    expect(await said('freeze', '--role', ROLE)).toBe(`frozen   role ${ROLE}  lifted by may.operate\n`);
    const refused = await exchangeAnew(job);
    expect(refused).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    const shown = await said('decisions', 'show', String(refused.body.decision_id));
    expect(shown).toContain(`granting_frozen  an operator froze role ${ROLE} at 20`);
    expect(await isGood(credential)).toBe(true);
    expect(await said('freeze')).toMatch(
      new RegExp(`^frozen  role ${ROLE}  since \\d{4}-.* UTC  lifted by may.operate\n$`),
    );
    expect(await said('freeze', '--role', ROLE, '--off')).toBe(`granting  role ${ROLE}\n`);
    expect(await said('freeze', '--role', ROLE, '--off')).toBe(`granting  role ${ROLE}, it was not frozen\n`);
    expect((await exchangeAnew(job)).status).toBe(200);
  });
});

describe('ending everything', () => {
  test.each([
    ['of a role', ['--role', ROLE], `role ${ROLE}`],
    ['of a tenant', ['--tenant', 'main'], 'tenant main'],
    ['there is', ['--all'], 'everything'],
  ])('%s is felt at the gateway within 2 s, and what is issued later is good', async (_what, option, named) => {
    const { credential, idToken, job } = await grantedJob(servers.stage);
    expect(await isGood(credential)).toBe(true);
    expect(await said('sessions', 'end', ...option)).toMatch(
      new RegExp(`^ended  ${named}: what was issued up to \\d{4}-.* UTC, [1-9][0-9]* sessions?\n$`),
    );
    console.info(`epoch of ${named} → refused at the gateway: ${Math.round(await msUntilRefused(credential))} ms`);
    const old = await exchange(servers.stage, idToken);
    expect(old).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    expect(await said('decisions', 'show', String(old.body.decision_id))).toContain('epoch_raised');
    const again = String((await exchangeUntilGranted(job)).body.access_token);
    expect(await isGood(again)).toBe(true);
    expect(await said('sessions', 'epochs')).toContain(`${named}  ended what was issued up to`);
  });
});

describe('one session, and one job', () => {
  test('a session is found and ended by the beginning of its id; its job gets another', async () => {
    const { credential, job } = await grantedJob(servers.stage);
    const listed = await said('sessions', 'list', '--job', job.jobId);
    expect(listed).toMatch(new RegExp(`^S[0-9A-Z]+  ${ROLE}  job ${job.jobId} of http\\S+, .* left\n$`));
    const [id = ''] = listed.split(' ');
    const { stderr, stdout } = await cli(['sessions', 'end', id.slice(0, -1).toLowerCase()]);
    expect(stdout).toContain(`ended  ${id}`);
    expect(stderr).toContain('gateways refuse within 2 s; one that cannot hear its STS refuses everything after 10 s');
    expect(stderr).toContain(`jobpass sessions end --job ${job.jobId}`);
    await msUntilRefused(credential);
    expect((await exchangeAnew(job)).status).toBe(200);
  });

  test('a job is ended with all it holds, though its CI says that it runs', async () => {
    const { credential, job } = await grantedJob(servers.stage);
    expect(await said('sessions', 'end', '--job', job.jobId)).toMatch(
      new RegExp(`^ended {2}job ${job.jobId}: 1 session, and it gets no more\n {2}S`),
    );
    await msUntilRefused(credential);
    const late = await exchangeAnew(job);
    expect(await said('decisions', 'show', String(late.body.decision_id))).toContain('job_ended');
    const other = await startJob(servers.stage);
    expect((await exchangeAnew(other)).status).toBe(200);
    const body = JSON.parse(await said('sessions', 'list', '--job', other.jobId, '--json'));
    expect(body).toMatchObject({ sessions: [{ job_id: other.jobId, role: ROLE }], next: null });
  });
});

describe('the end of a job', () => {
  test('comes with who hears of it, and with what cannot be called back', async () => {
    const { stage } = servers;
    const cloud = 'https://cloud.example.com';
    const job = await startJob(stage, { audiences: [stage.urls.sts, cloud] });
    for (const audience of [cloud, stage.urls.sts]) await askIdToken(stage, job, audience);
    const env = { JOBPASS_CONTROLLER_FILE: stage.controllerFile };
    const { code, stderr, stdout } = await jobpass(['job', 'finish', job.jobId], { folder: stage.folder, env });
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain(`${stage.urls.sts}: told; what the job holds there ends within 2 s\n`);
    expect(stderr).toMatch(
      new RegExp(
        `${cloud}: nobody listens there; .* expires by itself, and its ID token may be used there for (9|10) min`,
      ),
    );
    const again = await jobpass(['job', 'finish', job.jobId, '--json'], { folder: stage.folder, env });
    expect(JSON.parse(again.stdout).told).toMatchObject([{ heard: 'event' }, { audience: cloud, heard: 'nobody' }]);
  });
});

describe('without anybody’s word', () => {
  test('a job that misses its heartbeat loses all it holds', async () => {
    const job = await startJob(servers.stage, { heartbeat_seconds: HEARTBEAT_SECONDS });
    const credential = String((await exchangeAnew(job)).body.access_token);
    const since = performance.now();
    expect(await isGood(credential)).toBe(true);
    await msUntilRefused(credential, (HEARTBEAT_SECONDS + 1) * 1000 + FELT_WITHIN_MS);
    const late = performance.now() - since - HEARTBEAT_SECONDS * 1000;
    console.info(`missed heartbeat → refused at the gateway: ${Math.round(late)} ms after it was due`);
    expect((await askIdToken(servers.stage, job)).status).toBe(403);
  });
});

describe('what is under way', () => {
  /** An upload of which the first part has gone; settles with how long after `cut` it was answered or broken off. */
  async function cutUpload(
    credential: string,
    cut: () => Promise<unknown>,
  ): Promise<{ ms: number; status: number | undefined }> {
    const upload = request(`${servers.stage.urls.gateway}/web/large.bin`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${credential}`, 'content-length': '1000000' },
    });
    let status: number | undefined;
    const ended = new Promise<void>((resolve) => {
      upload.once('response', (response) => {
        status = response.statusCode;
        response.resume();
        resolve();
      });
      upload.once('error', () => resolve());
      upload.once('close', () => resolve());
    });
    upload.write(Buffer.alloc(100_000));
    await pause(300);
    expect(status).toBeUndefined();
    await cut();
    const since = performance.now();
    await Promise.race([ended, pause(FELT_WITHIN_MS)]);
    const ms = performance.now() - since;
    upload.destroy();
    return { ms, status };
  }

  test.each([
    ['the job ends', (job: StartedJob) => finishJob(servers.stage, job.jobId)],
    ['an operator ends everything of its role', () => said('sessions', 'end', '--role', ROLE)],
  ])('is cut when %s, and nothing of it is kept', async (what, end) => {
    const job = await startJob(servers.stage);
    const credential = String((await exchangeUntilGranted(job)).body.access_token);
    const { ms, status } = await cutUpload(credential, () => end(job));
    console.info(`${what} → an upload under way is cut: ${Math.round(ms)} ms`);
    expect([ms < FELT_WITHIN_MS, status === undefined || status === 403]).toEqual([true, true]);
    const other = String((await exchangeUntilGranted(await startJob(servers.stage))).body.access_token);
    expect((await useCredential(servers.stage, other, '/web/large.bin', 'GET')).status).toBe(404);
  });
});

describe('a command that cannot be carried out says why, by its exit code too', () => {
  test.each<[string, readonly string[], number, RegExp]>([
    ['without anything to end', ['sessions', 'end'], 2, /what is to end\?/],
    ['with two things to end', ['sessions', 'end', 'SABCD', '--all'], 2, /what is to end\?/],
    ['with two scopes', ['freeze', '--all', '--tenant', 'main'], 2, /more than one thing is named/],
    ['that freezes nothing off', ['freeze', '--off'], 2, /what is to be frozen/],
    ['about a role that there is not', ['sessions', 'end', '--role', 'main/x'], 1, /no role is called main\/x/],
    ['about a session that there is not', ['sessions', 'end', 'S00000'], 1, /no session in force has this id/],
  ])('%s', async (_what, args, code, message) => {
    const ended = await cli(args);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(ended.stderr).toMatch(message);
  });

  test('by who may not: 3, and nothing is changed', async () => {
    const { folder, operatorFile } = servers.stage;
    const { socket } = JSON.parse(readFileSync(operatorFile, 'utf8'));
    const secret = readFileSync(join(folder, 'gateway/.jobpass/gateway.secret'), 'utf8').trim();
    const file = join(folder, 'not-an-operator.json');
    writeFileSync(file, JSON.stringify({ socket, client: 'artifacts', secret }), { mode: 0o600 });
    for (const args of [
      ['freeze', '--all'],
      ['sessions', 'end', '--all'],
      ['sessions', 'list'],
    ]) {
      const ended = await cli(args, file);
      expect([ended.code, ended.stderr]).toEqual([3, expect.stringContaining('may.')]);
    }
    expect((await cli(['freeze'])).stderr).toContain('nothing is frozen');
  });

  test('at a server that does not answer: 4', async () => {
    const file = join(servers.stage.folder, 'elsewhere.json');
    const nowhere = { socket: join(servers.stage.folder, 'none.sock'), client: 'operator', secret: 'x' };
    writeFileSync(file, JSON.stringify(nowhere), { mode: 0o600 });
    expect((await cli(['freeze'], file)).code).toBe(4);
  });
});
