// `jobpass backup`: an encrypted file of its owner's, made while the server runs, or none at all.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { grantOf } from '../../src/storage/conformance/fixtures.ts';
import { openSqliteSts } from '../../src/storage/sqlite/open.ts';
import { freePorts } from '../fakes/free-port.ts';
import { type Ended, inFreshFolder, jobpass } from './jobpass.ts';

const INIT = [
  'init',
  '--owner',
  'acme@42',
  '--pipeline',
  'web@7',
  '--upstream',
  'http://127.0.0.1:18080',
  '--port',
  String(await freePorts(3)),
];

/** A project whose STS has granted once. */
const inProject = (use: (folder: string) => Promise<void>): Promise<void> =>
  inFreshFolder(async (folder) => {
    await jobpass(INIT, { folder });
    const store = await openSqliteSts({ path: join(folder, 'data/sts.db') });
    await store.grant(grantOf('1'));
    await store.close();
    await use(folder);
  });

const run = (folder: string, ...args: string[]): Promise<Ended> => jobpass(args, { folder });

describe('jobpass backup', () => {
  test('makes one file for its owner, with nothing readable in it', () =>
    inProject(async (folder) => {
      const ended = await run(folder, 'backup', '--sts', '--to', 'sts.backup', '--json');
      expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining('read back and found whole') });
      expect(JSON.parse(ended.stdout)).toMatchObject({ file: 'sts.backup', kind: 'sts', locked_by: 'encryption-key' });
      const file = join(folder, 'sts.backup');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(file).includes('publish-web')).toBe(false);
      expect(readFileSync(join(folder, 'data/sts.db')).includes('publish-web')).toBe(true);
      // Nothing is left beside the database or the file.
      expect(readdirSync(join(folder, 'data')).filter((name) => name.includes('copy'))).toEqual([]);
      expect(readdirSync(folder).filter((name) => name.startsWith('sts.'))).toEqual(['sts.backup']);
    }));

  test('works beside the running servers', () =>
    inProject(async (folder) => {
      const backups: Ended[] = [];
      await jobpass(['serve'], {
        folder,
        stopAt: /^ready/m,
        onReady: async () => {
          backups.push(await run(folder, 'backup', '--sts', '--to', 'sts.backup'));
          backups.push(await run(folder, 'backup', '--issuer', '--to', 'issuer.backup'));
        },
      });
      expect(backups.map(({ code }) => code)).toEqual([0, 0]);
    }));

  test('asks whose database where there are two, and overwrites nothing', () =>
    inProject(async (folder) => {
      expect(await run(folder, 'backup', '--to', 'x')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--issuer or --sts'),
      });
      expect(await run(folder, 'backup', '--sts')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('which file?'),
      });
      writeFileSync(join(folder, 'x'), 'mine');
      expect(await run(folder, 'backup', '--sts', '--to', 'x')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('not overwritten'),
      });
      expect(readFileSync(join(folder, 'x'), 'utf8')).toBe('mine');
    }));

  test('before the first start says that there is no database yet, and leaves nothing', () =>
    inFreshFolder(async (folder) => {
      await jobpass(INIT, { folder });
      const ended = await run(folder, 'backup', '--sts', '--to', 'sts.backup');
      expect(ended).toMatchObject({ code: 4, stdout: '' });
      expect(ended.stderr).toMatch(
        /^jobpass: error: there is no database \S+data\/sts\.db to back up \(ERR_STORE_UNAVAILABLE\) {3}hint: a server makes its database/,
      );
      expect(readdirSync(folder).filter((name) => name.startsWith('sts.backup'))).toEqual([]);
    }));

  test('takes a passphrase from a file that nobody else may read, and no short one', () =>
    inProject(async (folder) => {
      const withPassphrase = (text: string, mode: number): Promise<Ended> => {
        writeFileSync(join(folder, `phrase-${mode}`), text, { mode });
        return run(folder, 'backup', '--sts', '--to', 'x', '--passphrase-file', `phrase-${mode}`, '--json');
      };
      expect(await withPassphrase('correct horse battery', 0o644)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('chmod 600'),
      });
      expect(await withPassphrase('short', 0o600)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('shorter than 16'),
      });
      writeFileSync(join(folder, 'phrase-384'), 'correct horse battery');
      const ended = await run(folder, 'backup', '--sts', '--to', 'x', '--passphrase-file', 'phrase-384', '--json');
      expect(JSON.parse(ended.stdout)).toMatchObject({ locked_by: 'passphrase' });
    }));
});
