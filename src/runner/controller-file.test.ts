import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseControllerFile, readControllerFile } from './controller-file.ts';

const GOOD = { url: 'http://127.0.0.1:8701/', client: 'laptop', secret: 's3cret-value' };
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobpass-test-'));
  file = join(folder, 'controller.json');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the controller file', () => {
  it('gives URL, client and secret', async () => {
    await writeFile(file, JSON.stringify(GOOD), { mode: 0o600 });
    const read = await readControllerFile(file);
    expect(read).toMatchObject({ ok: true, value: { url: 'http://127.0.0.1:8701', client: 'laptop', local: false } });
    expect(read.ok && read.value.secret.reveal()).toBe('s3cret-value');
    expect(inspect(read, { depth: 9 })).not.toContain('s3cret');
  });

  it.each([0o640, 0o604, 0o620, 0o601])('with mode %o is refused with what to do', async (mode) => {
    await writeFile(file, JSON.stringify(GOOD));
    await chmod(file, mode);
    const read = await readControllerFile(file);
    expect(read).toMatchObject({ ok: false, error: { kind: 'usage' } });
    expect(JSON.stringify(read)).toContain('chmod 600');
  });

  it('that is missing or a folder is refused', async () => {
    expect(await readControllerFile(file)).toMatchObject({ error: { kind: 'usage' } });
    expect(await readControllerFile(folder)).toMatchObject({ error: { kind: 'usage' } });
  });

  it('is local only when it says so', () => {
    expect(parseControllerFile('f', JSON.stringify({ ...GOOD, local: true }))).toMatchObject({
      value: { local: true },
    });
  });

  it('is refused with every problem at once, none of which repeats a value', () => {
    const bad = { url: 'http://me:pw@host/', client: '', secret: 'with space', local: 'true', sekret: 'x' };
    const read = parseControllerFile('f', JSON.stringify(bad));
    expect(read.ok ? '' : read.error.message.split('; ')).toHaveLength(5);
    expect(JSON.stringify(read)).not.toMatch(/with space|me:pw/);
  });

  it.each(['', '[]', '{"url":'])('with the text %j is refused', (text) => {
    expect(parseControllerFile('f', text)).toMatchObject({ error: { kind: 'usage' } });
  });
});
