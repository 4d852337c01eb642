import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_POLICY_BYTES } from '../../base/core/limits.ts';
import { policyFolder } from './policy-folder.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-policies-'));
  mkdirSync(join(folder, 'policies/main/clouds'), { recursive: true });
  mkdirSync(join(folder, 'policies/other'));
  writeFileSync(join(folder, 'secret.json'), 'secret');
  writeFileSync(join(folder, 'policies/main/web.yaml'), 'role: web');
  writeFileSync(join(folder, 'policies/main/web.test.yaml'), 'tests: []');
  writeFileSync(join(folder, 'policies/main/trust.json'), '{}');
  writeFileSync(join(folder, 'policies/main/clouds/trust.yaml'), 'a: b');
  writeFileSync(join(folder, 'policies/other/large.yaml'), ' '.repeat(MAX_POLICY_BYTES + 5));
  writeFileSync(join(folder, 'policies/stray.yaml'), 'role: stray');
});
afterEach(() => rmSync(folder, { recursive: true }));

const source = () => policyFolder(join(folder, 'policies'));
const read = async (path: string): Promise<string | undefined> => {
  const bytes = await source().read(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
};

describe('the policies folder', () => {
  it('lists the roles of its tenants, and of a large one no more than shows that it is too large', async () => {
    const files = await source().list();
    const sizes = Object.fromEntries(files.map(({ path, bytes }) => [path, bytes.length]));
    expect(sizes).toEqual({ 'main/web.yaml': 9, 'other/large.yaml': MAX_POLICY_BYTES + 1 });
  });

  it('reads the files that roles name', async () => {
    expect(await read('main/trust.json')).toBe('{}');
    expect(await read('main/clouds/trust.yaml')).toBe('a: b');
  });

  it('follows no link, neither of a file nor of a folder', async () => {
    symlinkSync(join(folder, 'secret.json'), join(folder, 'policies/main/link.json'));
    symlinkSync(folder, join(folder, 'policies/main/outside'));
    symlinkSync(join(folder, 'policies/main/web.yaml'), join(folder, 'policies/main/linked.yaml'));
    for (const path of ['main/link.json', 'main/outside/secret.json', 'main/../../secret.json']) {
      expect(await read(path)).toBeUndefined();
    }
    expect((await source().list()).map(({ path }) => path)).not.toContain('main/linked.yaml');
  });

  it('has nothing where no file is', async () => {
    for (const path of ['main/none.json', 'main/clouds', 'main/web.yaml/x']) expect(await read(path)).toBeUndefined();
  });

  it('may lie behind a link itself', async () => {
    symlinkSync(join(folder, 'policies'), join(folder, 'active'));
    const linked = policyFolder(join(folder, 'active'));
    expect(await linked.list()).toHaveLength(2);
    expect(await linked.read('main/trust.json')).toBeDefined();
  });

  it('that is not there is an error', async () => {
    await expect(policyFolder(join(folder, 'none')).list()).rejects.toMatchObject({ code: 'ERR_POLICIES_UNREADABLE' });
  });
});
