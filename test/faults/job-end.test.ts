// The end of a job reaches gateways that are other processes: soon while all is well, within 12 s with any link cut.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endJob, exchangeAt, runJob, untilRefused, useAt } from './tools/calls.ts';
import { bound, count, isSoak, LIMIT_MS, percentile, spread } from './tools/counts.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';

const JOBS = count(100, 500);
const AT_ONCE = 10;
const GATEWAYS = 2;
const BACK_LIMIT_MS = bound(5000);

let fleet: Fleet;

beforeAll(async () => {
  fleet = await makeFleet({ gateways: GATEWAYS });
  await fleet.start();
});
afterAll(() => fleet?.close());

/** A job whose credential opens every gateway. */
async function grantedJob(): Promise<{ readonly jobId: string; readonly credential: string }> {
  const { jobId, token } = await runJob(fleet);
  const granted = await exchangeAt(fleet.doors.sts, token);
  const credential = String(granted?.body.access_token);
  for (const gateway of fleet.gatewayUrls) expect((await useAt(gateway, credential))?.status).toBe(200);
  return { jobId, credential };
}

/** How long each gateway went on taking the credential. Throws when one takes it for longer than 12 s. */
const refusedBy = (credential: string, since: number): Promise<readonly number[]> =>
  Promise.all(fleet.gatewayUrls.map((gateway) => untilRefused(() => useAt(gateway, credential), since)));

async function endAndMeasure(): Promise<readonly number[]> {
  const { credential, jobId } = await grantedJob();
  await endJob(fleet, jobId);
  const times = await refusedBy(credential, performance.now());
  // It stays refused.
  for (const gateway of fleet.gatewayUrls) expect((await useAt(gateway, credential))?.status).not.toBe(200);
  return times;
}

test(
  `${JOBS} jobs: every gateway refuses the credential of each when it has ended`,
  async () => {
    const times: number[] = [];
    for (let batch = 0; batch < JOBS / AT_ONCE; batch += 1)
      times.push(...(await Promise.all(Array.from({ length: AT_ONCE }, endAndMeasure))).flat());
    console.info(`job end → refused at ${GATEWAYS} gateways, ${JOBS} jobs: ${spread(times)}`);
    expect(times).toHaveLength(JOBS * GATEWAYS);
    if (!isSoak) return;
    expect(percentile(times, 0.95)).toBeLessThan(1000);
    expect(percentile(times, 0.99)).toBeLessThan(2000);
  },
  LIMIT_MS,
);

interface Cut {
  readonly link: 'issuer' | 'sts';
  readonly how: 'cut' | 'black hole';
}

const BRIEF: readonly Cut[] = [
  { link: 'issuer', how: 'black hole' },
  { link: 'sts', how: 'cut' },
];
const WHOLE: readonly Cut[] = [...BRIEF, { link: 'issuer', how: 'cut' }, { link: 'sts', how: 'black hole' }];

test.each(isSoak ? WHOLE : BRIEF)(
  'link to the $link: $how; no gateway takes the credential for longer than 12 s',
  async (one) => {
    const link = fleet.links[one.link];
    const { credential, jobId } = await grantedJob();
    if (one.how === 'cut') link.cut();
    else link.blackHole();
    try {
      await endJob(fleet, jobId);
      const times = await refusedBy(credential, performance.now());
      console.info(
        `link to the ${one.link} ${one.how}: refused after ${times.map((ms) => Math.round(ms)).join(' and ')} ms`,
      );
    } finally {
      link.mend();
    }
    // What was cut comes back by itself, and the dead credential does not.
    const { credential: other, jobId: otherJob } = await untilGranted();
    await endJob(fleet, otherJob);
    await refusedBy(other, performance.now());
    for (const gateway of fleet.gatewayUrls) expect((await useAt(gateway, credential))?.status).not.toBe(200);
  },
  LIMIT_MS,
);

/** As `grantedJob`, once the servers have heard each other again. */
async function untilGranted(): ReturnType<typeof grantedJob> {
  const { jobId, token } = await runJob(fleet);
  const begin = performance.now();
  for (;;) {
    const granted = await exchangeAt(fleet.doors.sts, token);
    const credential = String(granted?.body.access_token);
    const uses = await Promise.all(fleet.gatewayUrls.map((gateway) => useAt(gateway, credential)));
    if (uses.every((use) => use?.status === 200)) return { jobId, credential };
    expect(performance.now() - begin).toBeLessThan(BACK_LIMIT_MS);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
