// An epoch at the command line, felt by a client of AWS at the S3 gateway: the old key pair is dead, a new one is good.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobpass } from '../cli/jobpass.ts';
import { type S3Keys, sendSigned, signAsk } from '../fakes/s3-caller.ts';
import { askIdToken, type StartedJob, startJob, startThreeServers, type ThreeServers } from './three-servers.ts';

const ROLE_ARN = 'arn:aws:iam::000000000042:role/publish-web';
/** Healthy servers (design, section 1). */
const FELT_WITHIN_MS = 2000;

let servers: ThreeServers;
beforeAll(async () => {
  servers = await startThreeServers({ resource: 's3' });
});
afterAll(() => servers?.close());

/** A key pair for a new ID token of the job; undefined when it is refused. */
async function assumeRole(job: StartedJob): Promise<S3Keys | undefined> {
  const token = String((await askIdToken(servers.stage, job)).body.value);
  const answer = await fetch(servers.stage.urls.sts, {
    method: 'POST',
    body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: ROLE_ARN,
      RoleSessionName: 'job-1',
      WebIdentityToken: token,
    }),
  });
  const text = await answer.text();
  const member = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(text)?.[1] ?? '';
  if (answer.status !== 200) return undefined;
  return {
    accessKeyId: member('AccessKeyId'),
    secret: member('SecretAccessKey'),
    sessionToken: member('SessionToken'),
  };
}

async function put(keys: S3Keys): Promise<string> {
  const { gateway } = servers.stage.urls;
  const ask = { method: 'PUT', target: '/web-shop/releases/7/a.txt', body: 'hello', keys, region: 'us-east-1' };
  const { code, status } = await sendSigned(gateway, signAsk(gateway, ask));
  return `${status} ${code ?? ''}`.trim();
}

async function until<T>(look: () => Promise<T | undefined>, withinMs: number): Promise<T> {
  const since = performance.now();
  while (performance.now() - since < withinMs) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come in time');
}

test('an epoch of a role ends its AWS sessions within 2 s, and a new ID token is good', async () => {
  const { folder, operatorFile } = servers.stage;
  const job = await startJob(servers.stage);
  const keys = await assumeRole(job);
  if (keys === undefined) throw new Error('the role was refused');
  expect(await put(keys)).toBe('200');
  const env = { JOBPASS_OPERATOR_FILE: operatorFile };
  const ended = await jobpass(['sessions', 'end', '--role', 'main/publish-web'], { folder, env });
  expect(ended.code).toBe(0);
  await until(async () => ((await put(keys)) === '400 ExpiredToken' ? true : undefined), FELT_WITHIN_MS);
  const again = await until(() => assumeRole(job), 5000);
  expect(await put(again)).toBe('200');
  expect(await put(keys)).toBe('400 ExpiredToken');
});
