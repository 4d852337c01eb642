// kill -9 of a writing process: every object is its last answered version or the next one, whole, and nothing else is left.
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ObjectStore } from '../../src/gateway/objects/store.ts';
import { must } from '../conformance/objects/engine.ts';
import { type TemporaryDisk, temporaryDisk } from '../fakes/disk-objects.ts';
import { bytesOf, md5, multipartEtag } from '../fakes/object-content.ts';
import { dataOf, KEYS, partsOf } from './object-versions.ts';

const ROUNDS = 20;
const LONGEST_LIFE_MS = 250;
const CHILD = fileURLToPath(new URL('./object-load.ts', import.meta.url));
const { signal } = new AbortController();

let disk: TemporaryDisk;

beforeEach(() => {
  // A real disk, not memory.
  disk = temporaryDisk(tmpdir());
});

afterEach(() => disk.remove());

/** Runs a child until a random moment after its first answer, kills it, and gives back all lines that it wrote. */
function killAtRandomPoint(): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, disk.folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8');
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), Math.random() * LONGEST_LIFE_MS));
    child.stdout.on('data', (chunk: string) => {
      text += chunk;
    });
    child.once('close', (_, ended) => {
      if (ended !== 'SIGKILL') reject(new Error(`the child ended by itself (${ended})`));
      resolve(text.slice(0, text.lastIndexOf('\n')).split('\n'));
    });
  });
}

/** The newest version of each name that was answered. */
function note(answered: Map<string, number>, lines: readonly string[]): void {
  for (const line of lines) {
    const [what = '', key = '', version = ''] = line.split(' ');
    answered.set(what === 'copied' ? `${key}-copy` : key, Number(version));
  }
}

/** The version that stands there, after its bytes were compared with what that version was. 0: none. */
async function standingVersion(store: ObjectStore, name: string): Promise<number> {
  const opened = await store.get({ bucket: 'alpha', key: name }, { signal });
  if (!opened.ok) {
    expect(opened.error.problem).toBe('key_unknown');
    return 0;
  }
  const { info, body } = opened.value;
  const version = Number(info.metadata.version);
  const data = dataOf(name.replace('-copy', ''), version);
  expect((await bytesOf(body)).equals(data)).toBe(true);
  expect(info.etag).toBe(version % 3 === 0 ? multipartEtag(partsOf(data)) : md5(data));
  return version;
}

async function expectKept(store: ObjectStore, answered: ReadonlyMap<string, number>): Promise<void> {
  for (const key of KEYS) {
    const last = answered.get(key) ?? 0;
    expect([last, last + 1]).toContain(await standingVersion(store, key));
    const copied = answered.get(`${key}-copy`) ?? 0;
    expect([copied, last - (last % 7)]).toContain(await standingVersion(store, `${key}-copy`));
  }
}

/** Facts about the folder that the port does not show. */
function expectNothingElse(): void {
  const raw = new DatabaseSync(join(disk.folder, 'index.db'), { readOnly: true });
  try {
    expect(raw.prepare('PRAGMA integrity_check').get()).toMatchObject({ integrity_check: 'ok' });
    const blobs = raw.prepare('SELECT blob FROM segment UNION SELECT blob FROM part WHERE blob IS NOT NULL').all();
    expect(disk.blobs().toSorted()).toEqual(blobs.map((row) => row.blob).toSorted());
    const sums = raw
      .prepare(`SELECT bytes,
      (SELECT coalesce(sum(size), 0) FROM object) + (SELECT coalesce(sum(size), 0) FROM part) AS counted FROM bucket
      WHERE name = 'alpha'`)
      .get();
    expect(sums?.bytes).toBe(sums?.counted);
  } finally {
    raw.close();
  }
}

test(`after kill -9 at ${ROUNDS} random points every object is the old one or the new one`, async () => {
  const answered = new Map<string, number>();
  let lines = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const told = await killAtRandomPoint();
    lines += told.length;
    note(answered, told);
    const store = await disk.open();
    await expectKept(store, answered);
    // A version that was stored and not answered is the last one from here on.
    for (const key of KEYS) answered.set(key, await standingVersion(store, key));
    for (const key of KEYS) answered.set(`${key}-copy`, await standingVersion(store, `${key}-copy`));
    await store.close();
    expectNothingElse();
  }
  // The load was real, and something was under way when it was cut.
  expect(lines).toBeGreaterThan(ROUNDS * 5);
  const orphans = disk.log.lines.filter((line) => 'orphans' in line.fields);
  expect(orphans.length).toBeGreaterThan(0);
});

test('another process cannot open the store while one lives, and can when it was killed', async () => {
  const child = spawn(process.execPath, [CHILD, disk.folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await expect(disk.open()).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' });
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
  const store = await disk.open();
  expect(must(await store.hasBucket('alpha'))).toBe(true);
  await store.close();
});
