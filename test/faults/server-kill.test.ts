// kill -9 of a granting STS at random points under load: every grant that was answered has its record, and the server is back soon.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StartedJob } from '../e2e/three-servers.ts';
import { audit, CLEAN, readSqlite } from './tools/auditor.ts';
import { askForToken, beginJob, endJob, exchangeAt, runJob, tokenOf, untilRefused } from './tools/calls.ts';
import { bound, count, LIMIT_MS, percentile, spread } from './tools/counts.ts';
import { breathe, ExchangeLoad } from './tools/exchange-load.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';

const ROUNDS = count(10, 200);
const ISSUER_ROUNDS = count(3, 20);
const LONGEST_LIFE_MS = 400;
const READY_LIMIT_MS = bound(5000);

let fleet: Fleet;

beforeAll(async () => {
  fleet = await makeFleet();
  await fleet.start();
});
afterAll(() => fleet?.close());

test(
  `after kill -9 of the STS at ${ROUNDS} random points every answered grant has its record`,
  async () => {
    const [sts] = fleet.stss;
    const database = join(fleet.folder, 'sts-1/data/sts.db');
    const jobs = await Promise.all([runJob(fleet), runJob(fleet), runJob(fleet)]);
    const load = new ExchangeLoad(fleet.doors.sts, jobs);
    const starts: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      load.start();
      await load.untilGranted(10);
      await breathe(Math.random() * LONGEST_LIFE_MS);
      await sts?.end('SIGKILL');
      await load.stop();
      starts.push((await sts?.start()) ?? Number.NaN);
    }
    console.info(
      `kill -9 of the STS × ${ROUNDS}: ${load.granted.length} grants answered, ${load.unanswered} calls cut off; ready again ${spread(starts)}`,
    );
    expect(audit(readSqlite(database), load.granted)).toEqual(CLEAN);
    expect(new Set(load.granted.map(({ decisionId }) => decisionId)).size).toBe(load.granted.length);
    expect(percentile(starts, 1)).toBeLessThan(READY_LIMIT_MS);
    // The load was real, and calls were under way when they were cut.
    expect(load.unanswered).toBeGreaterThan(ROUNDS / 2);
  },
  LIMIT_MS,
);

/** Ends a job while its issuer may be killed; null when the end was not answered. */
async function endedJob(): Promise<{ readonly job: StartedJob; readonly token: string } | null> {
  const job = await beginJob(fleet);
  const token = await tokenOf(fleet, job);
  const answer = await endJob(fleet, job.jobId).catch(() => undefined);
  return answer?.status === 200 ? { job, token } : null;
}

test(
  `after kill -9 of the issuer at ${ISSUER_ROUNDS} random points every job whose end was answered is over`,
  async () => {
    const [issuer] = fleet.issuers;
    const starts: number[] = [];
    let over = 0;
    for (let round = 0; round < ISSUER_ROUNDS; round += 1) {
      const ends = Array.from({ length: 12 }, () => endedJob().catch(() => null));
      await Promise.race(ends);
      await issuer?.end('SIGKILL');
      starts.push((await issuer?.start()) ?? Number.NaN);
      for (const ended of await Promise.all(ends)) {
        if (ended === null) continue;
        over += 1;
        expect((await askForToken(fleet, ended.job))?.status).toBe(403);
        await untilRefused(() => exchangeAt(fleet.doors.sts, ended.token));
      }
    }
    console.info(`kill -9 of the issuer × ${ISSUER_ROUNDS}: ${over} ends answered; ready again ${spread(starts)}`);
    expect(over).toBeGreaterThanOrEqual(ISSUER_ROUNDS);
    expect(percentile(starts, 1)).toBeLessThan(READY_LIMIT_MS);
  },
  LIMIT_MS,
);
