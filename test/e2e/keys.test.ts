// Keys change while jobs run: three servers as processes of their own, and an operator at the command line.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, jobpass } from '../cli/jobpass.ts';
import {
  askIdToken,
  exchange,
  grantedJob,
  startJob,
  startThreeServers,
  type ThreeServers,
  useCredential,
} from './three-servers.ts';

/** An issuer with a feed is asked for its keys every 30 s. */
const KNOWN_AT_THE_STS_MS = 35_000;
const KNOWN_AT_GATEWAYS_MS = 4000;
/** What a revoked key signed is refused within this at our servers. */
const REVOKED_WITHIN_MS = 60_000;

let servers: ThreeServers;

beforeAll(async () => {
  servers = await startThreeServers();
});
afterAll(() => servers?.close());

function keys(...args: readonly string[]): Promise<Ended> {
  const { folder, issuerOperatorFile, operatorFile } = servers.stage;
  const env = { JOBPASS_OPERATOR_FILE: operatorFile, JOBPASS_ISSUER_OPERATOR_FILE: issuerOperatorFile };
  return jobpass(['keys', ...args], { folder, env });
}

interface ListedKey {
  readonly kid: string;
  readonly state: string;
}

async function ringOf(name: string): Promise<readonly ListedKey[]> {
  const listed = await keys('list', '--json');
  const { rings }: { rings: { ring: string; keys: ListedKey[] }[] } = JSON.parse(listed.stdout);
  return rings.find(({ ring }) => ring === name)?.keys ?? [];
}

const kidOf = async (ring: string, state: string): Promise<string> =>
  (await ringOf(ring)).find((key) => key.state === state)?.kid ?? '';

/** Written anew, or written over. */
const isUsed = ({ status }: { readonly status: number }): boolean => status === 201 || status === 200;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Jobs that get an identity, exchange it and use what they got, until stopped; gives what went wrong, and how many there were. */
function load(): { stop(): Promise<{ readonly jobs: number; readonly problems: readonly string[] }> } {
  let isOver = false;
  let jobs = 0;
  const problems: string[] = [];
  const worker = async (): Promise<void> => {
    while (!isOver) {
      jobs += 1;
      try {
        const { credential } = await grantedJob(servers.stage);
        const used = await useCredential(servers.stage, credential);
        if (!isUsed(used)) problems.push(`use: ${used.status} ${JSON.stringify(used.body)}`);
      } catch (error) {
        problems.push(String(error));
      }
      await sleep(50);
    }
  };
  const running = Promise.all([worker(), worker()]);
  return {
    stop: async () => {
      isOver = true;
      await running;
      return { jobs, problems };
    },
  };
}

/** How long until `isRefused`; more than the bound when it never was. */
async function timeUntil(isRefused: () => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < REVOKED_WITHIN_MS) {
    if (await isRefused()) break;
    await sleep(250);
  }
  return performance.now() - startedAt;
}

describe('an operator at the command line', () => {
  test('rotates the keys of issuer, STS and group under load, and no job notices', async () => {
    const before = await grantedJob(servers.stage);
    const jobs = load();
    const said = await keys('prepare', 'id-token');
    expect(said.stderr).toMatch(/^id-token: \S+ is prepared: published from now on, it signs nothing yet/);
    expect(said.stderr).toMatch(/pinned, SHA-1 +[0-9A-F]{40}/);
    for (let round = 0; round < 3; round += 1) {
      await keys('prepare', 'access-token');
      await keys('prepare', 'group/artifacts');
      await sleep(KNOWN_AT_GATEWAYS_MS);
      const tooEarly = await keys('activate', 'access-token');
      expect([tooEarly.code, tooEarly.stderr]).toEqual([1, expect.stringContaining('--early')]);
      expect(await keys('activate', 'access-token', '--early')).toMatchObject({ code: 0 });
      expect(await keys('activate', 'group/artifacts', '--early')).toMatchObject({ code: 0 });
    }
    await sleep(KNOWN_AT_THE_STS_MS - 3 * KNOWN_AT_GATEWAYS_MS);
    expect(await keys('activate', 'id-token', '--early')).toMatchObject({ code: 0 });
    await sleep(2000);
    const { jobs: done, problems } = await jobs.stop();
    expect(problems).toEqual([]);
    expect(done).toBeGreaterThan(20);
    expect((await ringOf('access-token')).map(({ state }) => state)).toEqual([
      'retired',
      'retired',
      'retired',
      'active',
    ]);
    // What was granted with the first keys is as good as before.
    expect(isUsed(await useCredential(servers.stage, before.credential))).toBe(true);
    expect(await exchange(servers.stage, before.idToken)).toMatchObject({ status: 200 });
    const listed = await keys('list');
    expect(listed.stdout).toMatch(
      /id-token +rotates every 90 d · published 1 d before it signs · kept 1 h 11 min after/,
    );
  }, 180_000);

  test('revokes the STS’s key: what it signed is refused at the gateway within a minute, and work goes on', async () => {
    const { credential } = await grantedJob(servers.stage);
    expect(isUsed(await useCredential(servers.stage, credential))).toBe(true);
    const kid = await kidOf('access-token', 'active');
    expect(await keys('revoke', 'access-token', kid)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    });
    const revoked = await keys('revoke', 'access-token', kid, '--yes');
    expect([revoked.code, revoked.stderr]).toEqual([0, expect.stringContaining('what it signed is good no more')]);
    const ms = await timeUntil(async () => (await useCredential(servers.stage, credential)).status === 401);
    expect(ms).toBeLessThan(REVOKED_WITHIN_MS);
    const again = await timeUntil(async () => {
      const next = await grantedJob(servers.stage);
      return isUsed(await useCredential(servers.stage, next.credential));
    });
    expect(again).toBeLessThan(REVOKED_WITHIN_MS);
    process.stderr.write(
      `revoked STS key: refused after ${Math.round(ms)} ms, work goes on after ${Math.round(again)} ms more\n`,
    );
  }, 150_000);

  test('revokes the issuer’s key: the STS refuses its tokens within a minute, and takes those of the next key', async () => {
    const idToken = String((await askIdToken(servers.stage, await startJob(servers.stage))).body.value);
    expect(await exchange(servers.stage, idToken)).toMatchObject({ status: 200 });
    const kid = await kidOf('id-token', 'active');
    expect(await keys('revoke', 'id-token', kid, '--yes')).toMatchObject({ code: 0 });
    const jwks = await fetch(`${servers.stage.urls.issuer}/.well-known/jwks`);
    const published = await jwks.text();
    expect(published).not.toContain(kid);
    expect(await keys('export', 'web')).toMatchObject({ code: 0 });
    expect(readFileSync(join(servers.stage.folder, 'web/.well-known/jwks'), 'utf8')).toBe(published);
    const ms = await timeUntil(async () => (await exchange(servers.stage, idToken)).status !== 200);
    expect(ms).toBeLessThan(REVOKED_WITHIN_MS);
    const again = await timeUntil(async () => {
      const next = String((await askIdToken(servers.stage, await startJob(servers.stage))).body.value);
      return (await exchange(servers.stage, next)).status === 200;
    });
    expect(again).toBeLessThan(REVOKED_WITHIN_MS);
    process.stderr.write(
      `revoked issuer key: refused after ${Math.round(ms)} ms, work goes on after ${Math.round(again)} ms more\n`,
    );
  }, 150_000);
});
