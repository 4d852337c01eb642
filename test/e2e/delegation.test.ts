import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askOperator, credentialIn } from '../../src/app/cli/operator.ts';
import { readDecision } from '../../src/app/cli/read-decision.ts';
import {
  askIdToken,
  exchange,
  finishJob,
  grantedJob,
  startJob,
  startThreeServers,
  type ThreeServers,
  useCredential,
} from './three-servers.ts';

const JOBS = 100;
const AT_ONCE = 10;
/** The bound with every link cut (design, section 1); healthy servers are far below it, and the figures say how far. */
const GIVE_UP_MS = 12_000;

let servers: ThreeServers;

beforeAll(async () => {
  servers = await startThreeServers();
});

afterAll(async () => {
  await servers?.close();
});

describe('one job through three servers that share nothing', () => {
  test('gets an identity, exchanges it, uses the resource, and loses everything when it ends', async () => {
    const { stage } = servers;
    const job = await startJob(stage);
    const idToken = await askIdToken(stage, job);
    expect(idToken.status).toBe(200);
    const granted = await exchange(stage, String(idToken.body.value));
    expect(granted).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    const credential = String(granted.body.access_token);
    expect(await useCredential(stage, credential)).toMatchObject({ status: 201 });

    expect((await finishJob(stage, job.jobId)).status).toBe(200);
    expect((await askIdToken(stage, job)).status).toBe(403);
    await untilRefused(credential);
    const late = await exchange(stage, String(idToken.body.value));
    expect(late).toMatchObject({ status: 400, body: { error: 'invalid_target', reason: 'access_denied' } });
    expect((await useCredential(stage, credential)).body).toMatchObject({ error: 'access_denied' });
  });

  test('is refused by a role that does not trust it, and the operator sees which clause failed', async () => {
    const { stage } = servers;
    const job = await startJob(stage, { environment: 'staging' });
    const idToken = String((await askIdToken(stage, job)).body.value);
    const refused = await exchange(stage, idToken);
    expect(refused.status).toBe(400);
    const credential = credentialIn(stage.operatorFile);
    const { body } = await askOperator(credential, `/admin/v1/decisions/${String(refused.body.decision_id)}`);
    const decision = readDecision(body.decision);
    expect(decision).toMatchObject({ outcome: 'refused', reason: 'no_rule_matched', jobId: job.jobId });
    const failed = decision.trace.role?.rules
      .flatMap(({ clauses }) => clauses)
      .filter(({ outcome }) => outcome === 'failed');
    expect(failed).toMatchObject([{ subject: 'environment', wanted: ['production'], presented: 'staging' }]);
    expect(JSON.stringify(body)).not.toContain(idToken.split('.')[2]);
  });

  test('gets no more than the role permits', async () => {
    const { stage } = servers;
    const { credential } = await grantedJob(stage);
    expect(await useCredential(stage, credential, '/other/hello.txt')).toMatchObject({
      status: 403,
      body: { error: 'access_denied' },
    });
    expect(await useCredential(stage, credential, '/web/hello.txt', 'DELETE')).toMatchObject({ status: 403 });
    expect(await useCredential(stage, credential, '/web/..%2fother/hello.txt')).toMatchObject({
      status: 400,
    });
  });

  test('learns nothing from the difference between an unknown role and one that refuses it', async () => {
    const { stage } = servers;
    const job = await startJob(stage, { environment: 'staging' });
    const idToken = String((await askIdToken(stage, job)).body.value);
    const answers = await Promise.all(
      ['main/publish-web', 'main/no-such-role', 'elsewhere/publish-web'].map((role) => exchange(stage, idToken, role)),
    );
    const shown = answers.map(({ status, body }) => ({ status, body: { ...body, decision_id: 'D' } }));
    expect(new Set(shown.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });
});

test(`${JOBS} jobs: each loses its credential when it ends`, async () => {
  const times: number[] = [];
  for (let batch = 0; batch < JOBS / AT_ONCE; batch += 1)
    times.push(...(await Promise.all(Array.from({ length: AT_ONCE }, endAndMeasure))));
  times.sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(times[Math.ceil(times.length * share) - 1] ?? Number.NaN)} ms`;
  console.info(
    `job end → refused at the gateway, ${times.length} jobs: p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, max ${at(1)}`,
  );
  expect(times).toHaveLength(JOBS);
});

async function endAndMeasure(): Promise<number> {
  const { stage } = servers;
  const { job, credential } = await grantedJob(stage);
  expect((await useCredential(stage, credential, `/web/${job.jobId}.txt`)).status).toBe(201);
  await finishJob(stage, job.jobId);
  const ended = performance.now();
  await untilRefused(credential);
  return performance.now() - ended;
}

/** Resolves once the gateway refuses the credential because its session ended; throws when that takes too long. */
async function untilRefused(credential: string): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  while (performance.now() < giveUpAt) {
    const { status } = await useCredential(servers.stage, credential, '/web/poll.txt', 'GET');
    if (status === 403) return;
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
  throw new Error('the credential outlived its job');
}
