// Terraform's state and lock in the gateway, with the backend as docs/integrations/aws.md has it but for addresses and names.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { requireClient } from '../../clients.ts';
import { S3_REGION } from '../../e2e/s3-servers.ts';
import { finishJob } from '../../e2e/three-servers.ts';
import { until } from '../../fakes/guarded-resource.ts';
import { type ClientRun, runClient } from '../client-processes.ts';
import { arnOf } from './job.ts';
import { settingOf } from './setting.ts';

const terraform = requireClient('terraform');

const PAGE = readFileSync(new URL('../../../docs/integrations/aws.md', import.meta.url), 'utf8');
const BACKEND = /^```hcl\n([\s\S]*?)^```$/m.exec(PAGE)?.[1] ?? '';

const QUIET = ['-no-color', '-input=false'];

/** Nothing that a provider would have to be fetched for. While it is made, who else wants the state must wait. */
const RESOURCE = (seconds: number): string => `
resource "terraform_data" "web" {
  input            = "made"
  triggers_replace = timestamp()
  provisioner "local-exec" { command = "touch working; sleep ${seconds}" }
}
`;

describe.skipIf(terraform === undefined)('terraform', () => {
  const setting = settingOf('https');
  let state = 0;

  beforeEach(() => {
    state += 1;
  });

  /** A working folder on the state of this test. */
  const folder = (name: string, seconds = 0): string => {
    const { job, home, servers } = setting;
    const path = join(home.folder, name);
    mkdirSync(path);
    const backend = BACKEND.replace('https://artifacts.example.com', servers.urls.s3)
      .replace('https://sts.example.com', servers.urls.sts)
      .replace('arn:aws:iam::111122223333:role/publish-web', arnOf('deploy'))
      .replace('us-east-1', S3_REGION)
      .replace('web/terraform.tfstate', `web/${state}/terraform.tfstate`);
    writeFileSync(join(path, 'main.tf'), `${backend}${RESOURCE(seconds)}`);
    writeFileSync(join(path, 'token'), `${job.token}\n`);
    return path;
  };

  /** Nothing of AWS but what the backend says, and the authority. */
  const run = async (path: string, ...args: string[]): Promise<ClientRun> => {
    const { PATH = '', HOME = '', SSL_CERT_FILE = '' } = setting.job.env;
    const env = { PATH, HOME, SSL_CERT_FILE, CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };
    return await runClient(terraform ?? '', [`-chdir=${path}`, ...args], env);
  };
  const apply = (path: string): Promise<ClientRun> => run(path, 'apply', '-auto-approve', ...QUIET);
  const initialized = async (name: string, seconds = 0): Promise<string> => {
    const path = folder(name, seconds);
    expect(await run(path, 'init', ...QUIET)).toMatchObject({ status: 0, stderr: '' });
    return path;
  };

  test('keeps its state in the gateway, and finds it again from elsewhere', async () => {
    const first = await initialized('first');
    expect(await apply(first)).toMatchObject({ status: 0, stderr: '' });
    const second = await initialized('second');
    expect((await run(second, 'state', 'list').then(({ stdout }) => stdout)).trim()).toBe('terraform_data.web');
  });

  test('lets one of two at once have the lock, and the other when the first is done', async () => {
    const one = await initialized('one', 2);
    const other = await initialized('other', 2);
    const runs = await Promise.all([apply(one), apply(other)]);
    expect(runs.map(({ status }) => status).toSorted()).toEqual([0, 1]);
    const refused = runs.find(({ status }) => status === 1);
    expect(refused?.stderr).toContain('Error acquiring the state lock');
    expect(refused?.stderr).toMatch(/StatusCode: 412/);
    expect([existsSync(join(one, 'working')), existsSync(join(other, 'working'))].toSorted()).toEqual([false, true]);
    const loser = existsSync(join(one, 'working')) ? other : one;
    expect(await apply(loser)).toMatchObject({ status: 0, stderr: '' });
  });

  test('can do nothing more when its job has ended', async () => {
    const path = await initialized('last');
    await finishJob(setting.servers, setting.job.job.jobId);
    let late = await run(path, 'state', 'list');
    await until(async () => {
      late = await run(path, 'state', 'list');
      return late.status !== 0;
    }, 10_000);
    expect(late.stderr).toContain('AssumeRoleWithWebIdentity');
  });
});
