// Terraform's state and lock in the gateway by its gcs backend.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireClient } from '../../clients.ts';
import { finishJob } from '../../e2e/three-servers.ts';
import { until } from '../../fakes/guarded-resource.ts';
import { type ClientRun, runClient } from '../client-processes.ts';
import { BUCKET, type GcsJob, type GcsSetting } from './setting.ts';

const terraform = requireClient('terraform');

const QUIET = ['-no-color', '-input=false'];

/** Nothing that a provider would have to be fetched for. While it is made, who else wants the state must wait. */
const resource = (seconds: number): string => `
resource "terraform_data" "web" {
  input            = "made"
  triggers_replace = timestamp()
  provisioner "local-exec" { command = "touch working; sleep ${seconds}" }
}
`;

/** What Terraform must be able to do, and what it must be told. */
export function terraformCases(setting: GcsSetting): void {
  let states = 0;

  const run = ({ home, credentialsFile }: GcsJob, path: string, ...args: string[]): Promise<ClientRun> =>
    runClient(terraform ?? '', [`-chdir=${path}`, ...args], {
      ...home.variables,
      GOOGLE_APPLICATION_CREDENTIALS: credentialsFile,
      CHECKPOINT_DISABLE: '1',
      TF_IN_AUTOMATION: '1',
    });
  const apply = (path: string): Promise<ClientRun> => run(setting.job, path, 'apply', '-auto-approve', ...QUIET);

  /** A working folder on a state, ready to be applied. */
  async function initialized(state: number, name: string, seconds = 0): Promise<string> {
    const path = join(setting.job.home.folder, name);
    mkdirSync(path);
    const backend = `terraform {
  backend "gcs" {
    bucket                  = "${BUCKET}"
    prefix                  = "state/${state}"
    storage_custom_endpoint = "${setting.servers.urls.gcs}/storage/v1/b"
  }
}`;
    writeFileSync(join(path, 'main.tf'), `${backend}${resource(seconds)}`);
    expect(await run(setting.job, path, 'init', ...QUIET)).toMatchObject({ status: 0, stderr: '' });
    return path;
  }

  test.skipIf(terraform === undefined)(
    'keeps its state in the gateway, and finds it again from elsewhere',
    async () => {
      states += 1;
      const first = await initialized(states, 'first');
      expect(await apply(first)).toMatchObject({ status: 0, stderr: '' });
      const second = await initialized(states, 'second');
      expect((await run(setting.job, second, 'state', 'list')).stdout.trim()).toBe('terraform_data.web');
      expect(await run(setting.job, second, 'workspace', 'new', 'dev')).toMatchObject({ status: 0 });
      expect((await run(setting.job, first, 'workspace', 'list')).stdout).toContain('dev');
    },
  );

  test.skipIf(terraform === undefined)(
    'lets one of two at once have the lock, and the other when the first is done',
    async () => {
      states += 1;
      const one = await initialized(states, 'one', 2);
      const other = await initialized(states, 'other', 2);
      const runs = await Promise.all([apply(one), apply(other)]);
      expect(runs.map(({ status }) => status).toSorted()).toEqual([0, 1]);
      const refused = runs.find(({ status }) => status === 1);
      expect(refused?.stderr).toContain('Error acquiring the state lock');
      expect(refused?.stderr).toContain('conditionNotMet');
      const loser = existsSync(join(one, 'working')) ? other : one;
      expect(await apply(loser)).toMatchObject({ status: 0, stderr: '' });
    },
  );

  test.skipIf(terraform === undefined)('can do nothing more when its job has ended', async () => {
    states += 1;
    const path = await initialized(states, 'last');
    await finishJob(setting.servers, setting.job.job.jobId);
    await until(async () => (await run(setting.job, path, 'state', 'list')).status !== 0, 10_000);
  });
}
