// `jobpass keys rewrap --gateway`: a gateway's own key under another key-encryption key, and still the same key.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Ended, inFreshFolder, jobpass } from './jobpass.ts';

/** A gateway whose key-encryption keys are the files that `keys` names. */
const configure = (folder: string, keys: string): void =>
  writeFileSync(
    join(folder, 'jobpass.yaml'),
    `gateways: [{ name: web, keys: ${keys}, listen: "127.0.0.1:8703", upstream: "http://127.0.0.1:8080", sts: { url: "https://sts.example.com", secret: "file:secret" } }]\n`,
  );

function writeKeys(folder: string): void {
  for (const file of ['old.kek', 'new.kek', 'secret'])
    writeFileSync(join(folder, file), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
}

/** A folder with two key-encryption keys, and what the gateway's key is, which was made under the first. */
const withGateway = (use: (folder: string, publicKey: string) => Promise<void>): Promise<void> =>
  inFreshFolder(async (folder) => {
    writeKeys(folder);
    configure(folder, '{ encryption_key: "file:old.kek" }');
    const { code, stdout } = await publicKey(folder);
    expect(code).toBe(0);
    await use(folder, stdout);
  });

const publicKey = (folder: string): Promise<Ended> => jobpass(['keys', 'export', '--public', 'web'], { folder });
const rewrap = (folder: string, gateway = 'web'): Promise<Ended> =>
  jobpass(['keys', 'rewrap', '--gateway', gateway, '--json'], { folder });

describe('jobpass keys rewrap --gateway', () => {
  test('seals the gateway’s key with the new key-encryption key alone', () =>
    withGateway(async (folder, before) => {
      configure(folder, '{ encryption_key: "file:new.kek", encryption_key_before: "file:old.kek" }');
      const { code, stderr, stdout } = await rewrap(folder);
      expect({ code, rewrapped: JSON.parse(stdout) }).toEqual({
        code: 0,
        rewrapped: { rewrapped: { 'gateway web': { 'gateway/web': 1 } } },
      });
      expect(stderr).toContain('gateway web: 1 keys in 1 rings are sealed with the key-encryption key of now');

      configure(folder, '{ encryption_key: "file:new.kek" }');
      expect(await publicKey(folder)).toMatchObject({ code: 0, stdout: before });
      configure(folder, '{ encryption_key: "file:old.kek" }');
      expect(await publicKey(folder)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('ERR_KEY_UNREADABLE'),
      });
    }));

  test('changes nothing without the key-encryption key of before', () =>
    withGateway(async (folder, before) => {
      configure(folder, '{ encryption_key: "file:new.kek" }');
      expect(await rewrap(folder)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('jobpass: error:'),
      });
      configure(folder, '{ encryption_key: "file:old.kek" }');
      expect(await publicKey(folder)).toMatchObject({ code: 0, stdout: before });
    }));

  test('asks for a gateway that this configuration has', () =>
    inFreshFolder(async (folder) => {
      writeKeys(folder);
      configure(folder, '{ encryption_key: "file:old.kek" }');
      expect(await rewrap(folder, 'files')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('no gateway here is called files'),
      });
    }));
});
