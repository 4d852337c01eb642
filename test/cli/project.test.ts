import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePorts } from '../fakes/free-port.ts';
import { inFreshFolder, jobpass } from './jobpass.ts';

const PORT = await freePorts(3);
const INIT = [
  'init',
  '--owner',
  'acme@42',
  '--pipeline',
  'web@7',
  '--upstream',
  'http://127.0.0.1:18080',
  '--port',
  String(PORT),
];

describe('a new project', () => {
  test('is thirteen lines of configuration, one role that its test proves, and keys for nobody else', () =>
    inFreshFolder(async (folder) => {
      expect(await jobpass(INIT, { folder })).toMatchObject({ code: 0 });
      const config = readFileSync(join(folder, 'jobpass.yaml'), 'utf8');
      expect(config.trimEnd().split('\n')).toHaveLength(13);
      expect(config).toMatch(/^# yaml-language-server: \$schema=\.jobpass\/jobpass\.schema\.json\n/);
      for (const file of [
        'issuer.kek',
        'sts.kek',
        'sts.secret',
        'controller.json',
        'operator.json',
        'issuer-operator.json',
      ])
        expect(statSync(join(folder, '.jobpass', file)).mode & 0o777, file).toBe(0o600);
      const tested = await jobpass(['policy', 'test'], { folder });
      expect(tested).toMatchObject({ code: 0, stdout: expect.stringContaining('2 passed, 0 failed') });
    }));

  test('is never written over', () =>
    inFreshFolder(async (folder) => {
      await jobpass(INIT, { folder });
      const before = readFileSync(join(folder, 'jobpass.yaml'), 'utf8');
      expect(await jobpass(INIT, { folder })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('is not overwritten'),
      });
      expect(readFileSync(join(folder, 'jobpass.yaml'), 'utf8')).toBe(before);
    }));

  test('without a terminal asks nothing and names the flags', () =>
    inFreshFolder(async (folder) => {
      expect(await jobpass(['init'], { folder })).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--owner acme@42'),
      });
    }));

  test('serves, becomes ready, and stops on a signal', () =>
    inFreshFolder(async (folder) => {
      await jobpass(INIT, { folder });
      const served = await jobpass(['serve'], { folder, stopAt: /^ready/m });
      expect(served).toMatchObject({ code: 0, stderr: expect.stringContaining(`http://127.0.0.1:${PORT}`) });
    }));

  test('whose role’s test fails says what was wanted and got', () =>
    inFreshFolder(async (folder) => {
      await jobpass(INIT, { folder });
      const role = join(folder, 'policies/main/deploy.yaml');
      writeFileSync(role, readFileSync(role, 'utf8').replace('refs/heads/main', 'refs/heads/Main'));
      const tested = await jobpass(['policy', 'test'], { folder });
      expect(tested.code).toBe(1);
      expect(tested.stdout).toContain('wanted allow, got deny');
    }));
});

describe('a configuration with problems', () => {
  const served = (config: string) =>
    inFreshFolder((folder) => {
      writeFileSync(join(folder, 'jobpass.yaml'), config);
      return jobpass(['serve'], { folder });
    });

  test('is refused with all of them at once, each with file, line and hint; nothing starts', async () => {
    const { code, stderr } = await served(
      'issuer:\n  url: http://issuer.example.com\n  listen: 127.0.0.1:99999\n  clients: []\n  client: []\n',
    );
    expect(code).toBe(2);
    expect(stderr).toContain('jobpass.yaml:3:');
    expect(stderr).toContain('jobpass.yaml:5:');
    expect(stderr).toMatch(/unknown key.+clients/);
    expect(stderr).not.toContain('ready');
  });

  test('that is absent says how to get one', async () => {
    const ended = await inFreshFolder((folder) => jobpass(['serve'], { folder }));
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('jobpass init') });
  });

  test('whose key others may read is refused', () =>
    inFreshFolder(async (folder) => {
      await jobpass(INIT, { folder });
      chmodSync(join(folder, '.jobpass/issuer.kek'), 0o644);
      expect(await jobpass(['serve'], { folder })).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/issuer\.kek can be read.+chmod 600/s),
      });
    }));

  test('whose key is another one than the database was made with does not start', () =>
    inFreshFolder(async (folder) => {
      await jobpass(INIT, { folder });
      await jobpass(['serve'], { folder, stopAt: /^ready/m });
      writeFileSync(join(folder, '.jobpass/issuer.kek'), `${Buffer.alloc(32, 7).toString('base64url')}\n`);
      expect(await jobpass(['serve'], { folder })).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('ERR_KEY_UNREADABLE'),
      });
    }));

  test('whose port is taken says which', () =>
    inFreshFolder(async (folder) => {
      await jobpass(INIT, { folder });
      const other = createServer().listen(PORT, '127.0.0.1');
      try {
        const ended = await jobpass(['serve'], { folder });
        expect(ended).toMatchObject({ code: 4, stderr: expect.stringContaining(`127.0.0.1:${PORT}: it is taken`) });
      } finally {
        other.close();
      }
    }));

  test('whose policies are broken is refused with their lines', () =>
    inFreshFolder(async (folder) => {
      await jobpass(INIT, { folder });
      writeFileSync(join(folder, 'policies/main/broken.yaml'), 'role: broken\ntrust: []\nsession: {}\n');
      const ended = await jobpass(['serve'], { folder });
      expect(ended.code).toBe(2);
      expect(ended.stderr).toContain('main/broken.yaml:');
    }));
});
