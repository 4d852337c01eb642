// `aws s3` as a job runs it, with nothing but its environment.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireClient } from '../../clients.ts';
import { finishJob } from '../../e2e/three-servers.ts';
import type { ClientRun } from '../client-processes.ts';
import type { Setting } from './setting.ts';

const aws = requireClient('aws');

/** Every one of them has another meaning somewhere between a shell, a URL and a form. */
const NAMES = ['a b+c~(1).txt', 'é.txt', 'x=1&y%2Fz.txt', '%20.txt', "it's; #1?.txt", 'plain.txt'];
/** Commands that show how far they are. */
const PROGRESS = new Set(['cp', 'mv', 'sync']);
const BUCKET = 's3://artifacts';
/** Above the client's threshold for multipart uploads, and not a multiple of its parts. */
const LARGE_BYTES = 20 * 1024 * 1024 + 17;

/** What `aws s3` must be able to do, and what it must be told. */
export function commandLineCases(setting: Setting): void {
  const s3 = (...args: string[]): Promise<ClientRun> => setting.job.run(aws ?? '', ['s3', ...args]);
  /** Runs it, and expects it to succeed without a word of complaint. */
  const done = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await s3(...args, ...(PROGRESS.has(args[0] ?? '') ? ['--no-progress'] : []));
    expect([args, status, stderr]).toEqual([args, 0, '']);
    return stdout;
  };

  test.skipIf(aws === undefined)('carries 20 MB in parts up and down, the same bytes', async () => {
    const data = randomBytes(LARGE_BYTES);
    const [up, down] = [join(setting.home.folder, 'up'), join(setting.home.folder, 'down')];
    writeFileSync(up, data);
    await done('cp', up, `${BUCKET}/big/web.tar`);
    await done('cp', `${BUCKET}/big/web.tar`, down);
    expect(readFileSync(down).equals(data)).toBe(true);
    expect(await done('ls', `${BUCKET}/big/`)).toMatch(new RegExp(`^[-0-9 :]+ ${LARGE_BYTES} web\\.tar\\n$`));
  });

  test.skipIf(aws === undefined)('keeps every name as it is, through sync, ls, mv and rm', async () => {
    const [from, to] = [join(setting.home.folder, 'from'), join(setting.home.folder, 'to')];
    mkdirSync(join(from, 'sub dir'), { recursive: true });
    const files = [...NAMES, ...NAMES.map((name) => join('sub dir', name))];
    for (const name of files) {
      writeFileSync(join(from, name), `this is ${name}`);
      // Older than any upload, whose time is told to the second: else a second `sync` takes it for changed.
      utimesSync(join(from, name), 1e9, 1e9);
    }
    await done('sync', from, `${BUCKET}/tree`);
    const listed = await done('ls', '--recursive', `${BUCKET}/tree/`);
    expect(
      listed
        .split('\n')
        .filter(Boolean)
        .map((line) => line.slice(31))
        .toSorted(),
    ).toEqual(files.map((name) => `tree/${name}`).toSorted());
    expect(await done('sync', from, `${BUCKET}/tree`)).toBe('');
    await done('sync', `${BUCKET}/tree`, to);
    const came = readdirSync(to, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(came).toHaveLength(files.length);
    for (const name of files) expect(readFileSync(join(to, name), 'utf8')).toBe(`this is ${name}`);
    await done('mv', `${BUCKET}/tree/${NAMES[2]}`, `${BUCKET}/moved/${NAMES[1]}`);
    expect(await done('cp', `${BUCKET}/moved/${NAMES[1]}`, '-')).toBe(`this is ${NAMES[2]}`);
    expect((await s3('ls', `${BUCKET}/tree/${NAMES[2]}`)).status).toBe(1);
    await done('rm', '--recursive', `${BUCKET}/tree`);
    await done('rm', `${BUCKET}/moved/${NAMES[1]}`);
    expect((await s3('ls', '--recursive', BUCKET)).stdout).not.toMatch(/tree|moved/);
  });

  // What does not depend on the scheme is shown once.
  if (setting.scheme === 'http') {
    test.skipIf(aws === undefined)('sees the buckets that the role may list', async () => {
      expect(await done('ls')).toMatch(/ artifacts\n/);
    });

    test.skipIf(aws === undefined)('is told of what the role does not let it do', async () => {
      const refused = await s3('cp', '/etc/hostname', 's3://other/x');
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain('(AccessDenied)');
    });
  }

  test.skipIf(aws === undefined)('is refused when its job has ended', async () => {
    await done('cp', '/etc/hostname', `${BUCKET}/last`);
    await finishJob(setting.servers, setting.job.job.jobId);
    const ended = performance.now();
    // The client keeps its credentials on the disk: it asks nobody again, and must be refused at the gateway.
    let run = await s3('ls', BUCKET);
    while (run.status === 0 && performance.now() - ended < 10_000) run = await s3('ls', BUCKET);
    expect(run.stderr).toContain('(ExpiredToken)');
    expect(performance.now() - ended).toBeLessThan(10_000);
  });
}
