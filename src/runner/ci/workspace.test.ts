import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectOutputs, matchesName, placeOutputs, removeFolder, type Workspace } from './workspace.ts';

let root: string;
let workspace: Workspace;
let target: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'jobpass-test-'));
  workspace = { folder: root, checkout: join(root, 'work'), home: join(root, 'home'), tmp: join(root, 'tmp') };
  target = join(root, 'outputs');
  await mkdir(join(workspace.checkout, 'dist'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('the outputs of a job', () => {
  it('are copied by name and by star, with their sizes', async () => {
    await writeFile(join(workspace.checkout, 'dist/app-1.tar'), 'one');
    await writeFile(join(workspace.checkout, 'dist/app-2.tar'), 'four');
    await writeFile(join(workspace.checkout, 'notes'), '');
    const made = await collectOutputs(workspace, ['dist/app-*.tar', 'notes'], target);
    expect(made).toEqual({
      ok: true,
      value: [
        { name: 'dist/app-1.tar', bytes: 3 },
        { name: 'dist/app-2.tar', bytes: 4 },
        { name: 'notes', bytes: 0 },
      ],
    });
    expect(await readFile(join(target, 'dist/app-2.tar'), 'utf8')).toBe('four');
  });

  it.each(['missing', 'dist/*.zip', 'no/such/folder'])('that were not made (%s) fail the job', async (pattern) => {
    expect(await collectOutputs(workspace, [pattern], target)).toMatchObject({ ok: false, error: { kind: 'failed' } });
  });

  it('are never links, nor below a link that leads out', async () => {
    await writeFile(join(root, 'private'), 'secret');
    await symlink(join(root, 'private'), join(workspace.checkout, 'link'));
    await symlink(root, join(workspace.checkout, 'out'));
    for (const pattern of ['link', 'out/private', 'dist']) {
      expect(await collectOutputs(workspace, [pattern], target)).toMatchObject({ ok: false });
    }
  });

  it('stand in needs/<job>/ of a job that needs them', async () => {
    await mkdir(join(target, 'dist'), { recursive: true });
    await writeFile(join(target, 'dist/app'), 'one');
    expect(await placeOutputs(workspace, 'build', target)).toEqual({ ok: true, value: undefined });
    expect(await readFile(join(workspace.checkout, 'needs/build/dist/app'), 'utf8')).toBe('one');
  });

  it('are not written through a link of the commit, nor over its files', async () => {
    await mkdir(target);
    await symlink(tmpdir(), join(workspace.checkout, 'needs'));
    expect(await placeOutputs(workspace, 'build', target)).toMatchObject({ ok: false, error: { kind: 'failed' } });
    await rm(join(workspace.checkout, 'needs'));
    await mkdir(join(workspace.checkout, 'needs/build'), { recursive: true });
    expect(await placeOutputs(workspace, 'build', target)).toMatchObject({ ok: false, error: { kind: 'failed' } });
  });
});

it('a folder is deleted with what was made read-only in it, and links are not followed', async () => {
  const outside = join(root, 'outside');
  await writeFile(outside, 'stays');
  const folder = join(root, 'job');
  await mkdir(join(folder, 'cache/deep'), { recursive: true });
  await writeFile(join(folder, 'cache/deep/file'), '');
  await symlink(outside, join(folder, 'cache/link'));
  await chmod(join(folder, 'cache/deep'), 0o500);
  await chmod(join(folder, 'cache'), 0o500);
  expect(await removeFolder(folder)).toBeUndefined();
  await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readFile(outside, 'utf8')).toBe('stays');
});

it.each([
  ['a.tar', 'a.tar', true],
  ['a.tar', 'b.tar', false],
  ['web-1.tar', 'web-*.tar', true],
  ['web-.tar', 'web-*.tar', true],
  ['web.tar', 'web-*.tar', false],
  ['aba', 'ab*ba', false],
  ['a-b-c', '*-*-*', true],
  ['a-b', '*-*-*', false],
  ['anything', '*', true],
  ['axxbxxc', 'a*b*c', true],
  ['a'.repeat(10_000), `${'*a'.repeat(50)}b`, false],
])('%s against %s', (name, pattern, matches) => {
  expect(matchesName(name, pattern)).toBe(matches);
});
