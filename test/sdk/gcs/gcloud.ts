// gcloud storage as a job uses it: logged in by its credentials file, with the gateway's address in the environment.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireClient } from '../../clients.ts';
import { type ClientRun, runClient } from '../client-processes.ts';
import { BUCKET, type GcsSetting } from './setting.ts';

// Debian has no package of it, so CI cannot install it: where it is missing, its tests are skipped in sight of everybody.
const gcloud = requireClient('gcloud');

/** Each call starts a Python of some seconds. */
const SLOW = { timeout: 180_000 };

/** What gcloud must be able to do, and what it must be told. */
export function gcloudCases(setting: GcsSetting): void {
  const run = (...args: string[]): Promise<ClientRun> => {
    const { home } = setting.job;
    const env = home.environment({
      CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${setting.servers.urls.gcs}/storage/v1/`,
      CLOUDSDK_CORE_PROJECT: 'acme',
    });
    return runClient(gcloud ?? '', [...args, '--quiet'], env);
  };
  const good = async (...args: string[]): Promise<ClientRun> => {
    const done = await run(...args);
    expect(done.status, done.stderr).toBe(0);
    return done;
  };
  const login = () => good('auth', 'login', `--cred-file=${setting.job.credentialsFile}`);
  const at = (name: string): string => `gs://${BUCKET}/${name}`;
  const lines = ({ stdout }: ClientRun): readonly string[] => stdout.split('\n').filter((line) => line !== '');

  test.skipIf(gcloud === undefined)('copies there and back, lists and removes', SLOW, async () => {
    await login();
    const { folder } = setting.job.home;
    const small = setting.job.home.write('a b+c é.txt', 'hello\n');
    const big = join(folder, 'big');
    writeFileSync(big, randomBytes(9_000_000));
    await good('storage', 'cp', small, at('cli/'));
    // Above 8 MiB it uploads resumably.
    await good('storage', 'cp', big, at('cli/big'));
    expect(lines(await good('storage', 'ls', at('cli/')))).toEqual([at('cli/a b+c é.txt'), at('cli/big')]);
    expect(lines(await good('storage', 'ls', at('')))).toContain(at('cli/'));
    await good('storage', 'cp', at('cli/a b+c é.txt'), join(folder, 'back.txt'));
    expect(readFileSync(join(folder, 'back.txt'), 'utf8')).toBe('hello\n');
    await good('storage', 'cp', at('cli/big'), join(folder, 'big.back'));
    expect(readFileSync(join(folder, 'big.back')).equals(readFileSync(big))).toBe(true);
    await good('storage', 'cp', at('cli/big'), at('cli/copy'));
    await good('storage', 'rm', at('cli/copy'));
    await good('storage', 'rm', '--recursive', at('cli'));
    const empty = await run('storage', 'ls', at('cli/'));
    expect([empty.status === 0, empty.stderr]).toEqual([false, expect.stringContaining('matched no objects')]);
  });

  test.skipIf(gcloud === undefined)('uploads 160 MB in one piece: composing is not served', SLOW, async () => {
    await login();
    const huge = join(setting.job.home.folder, 'huge');
    writeFileSync(huge, Buffer.alloc(160_000_000, 7));
    const { stderr } = await good('storage', 'cp', huge, at('huge'));
    expect(stderr).toContain('parallel composite upload will not be performed');
    expect((await good('storage', 'ls', '--long', at('huge'))).stdout).toContain('160000000');
  });

  test.skipIf(gcloud === undefined)('says what it may not, and where the operator finds more', SLOW, async () => {
    await login();
    const file = setting.job.home.write('x', 'x');
    const refused = await run('storage', 'cp', file, at('sealed/x'));
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(/D[0-9A-Z]{12}/);
  });
}
