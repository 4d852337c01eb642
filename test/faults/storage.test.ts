// The STS's database and its disk fail in every way there is: nothing is granted that is not kept, callers hear it soon, and it comes back.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { audit, CLEAN, readSqlite } from './tools/auditor.ts';
import { exchangeAt, type RunningJob, runJob, untilServed } from './tools/calls.ts';
import { bound } from './tools/counts.ts';
import { ExchangeLoad } from './tools/exchange-load.ts';
import { type DiskState, failingDisk } from './tools/failing-disk.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';
import { BACK_LIMIT_MS, liveThrough } from './tools/outage.ts';

const REFUSED_LIMIT_MS = bound(2000);

const disk = failingDisk('/data/sts.db');
if (disk === undefined) console.warn('test/faults: no C compiler: skipped a disk that fails');
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
if (!canMount) console.warn('test/faults: no right to mount a file system: skipped disks that are full or read-only');

let fleet: Fleet;
let folder: string;
let database: string;
let jobs: readonly RunningJob[];

/** Starts issuer and STS, its data on a small file system of its own where that can be had. */
beforeAll(async () => {
  fleet = await makeFleet({
    stsPrefix: disk?.prefix ?? [],
    prepare: (at) => {
      folder = join(at, 'sts-1/data');
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (!canMount) return () => {};
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=700', 'tmpfs', folder]).status).toBe(0);
      return () => void spawnSync('umount', ['-l', folder]);
    },
  });
  database = join(folder, 'sts.db');
  await fleet.issuers[0]?.start();
  await sts().start();
  jobs = await Promise.all([runJob(fleet), runJob(fleet)]);
  // A backup of a database in which nothing ever was is not put back without being asked about.
  await untilServed(fleet);
});

afterAll(async () => {
  await fleet?.close();
  disk?.remove();
});

const sts = () => {
  const [server] = fleet.stss;
  if (server === undefined) throw new Error('the fleet has no STS');
  return server;
};

/** Breaks it under load, repairs it, and holds the ledger against the database. */
async function outage(name: string, breakIt: () => void, repair: () => void): Promise<void> {
  const load = new ExchangeLoad(fleet.doors.sts, jobs);
  load.start(8);
  await liveThrough(load, { name, lastsMs: 1000, refusedLimitMs: REFUSED_LIMIT_MS, breakIt, repair });
  expect(audit(readSqlite(database), load.granted)).toEqual(CLEAN);
}

describe.skipIf(disk === undefined)('a disk that', () => {
  test.each<[string, DiskState]>([
    ['does not flush', 'no flush'],
    ['takes no writes', 'read-only'],
    ['has no room', 'full'],
  ])('%s: nothing is granted until it does again', async (name, state) => {
    await outage(
      `a disk that ${name}`,
      () => disk?.turn(state),
      () => disk?.turn('good'),
    );
  });
});

test.skipIf(!canMount)('a disk that is really full grants nothing, and goes on when there is room', async () => {
  const filler = join(folder, 'filler');
  await outage(
    'a full disk',
    () => void spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k']),
    () => rmSync(filler),
  );
});

describe('a database that', () => {
  test('is moved away grants nothing, and goes on when it is back', async () => {
    await outage(
      'a database moved away',
      () => renameSync(`${database}`, `${database}.away`),
      () => renameSync(`${database}.away`, `${database}`),
    );
  });

  test('lost its log grants nothing, and goes on when it is back', async () => {
    await outage(
      'a log moved away',
      () => renameSync(`${database}-wal`, `${database}.away`),
      () => renameSync(`${database}.away`, `${database}-wal`),
    );
  });
});

/** Starts the STS, which must refuse to, and gives what it said. */
const refusalToStart = (): Promise<string> =>
  sts()
    .start()
    .then(
      () => 'it started',
      (error: unknown) => String(error),
    );

describe('with a backup', () => {
  let backup: string;

  beforeEach(async () => {
    await sts().end();
    backup = `${database}.backup`;
    copyFileSync(database, backup);
  });

  /** Puts the backup in the place of what is broken, and waits until tokens are exchanged again. */
  async function putBack(): Promise<void> {
    await sts().end();
    for (const part of ['-wal', '-shm']) rmSync(`${database}${part}`, { force: true });
    copyFileSync(backup, database);
    const back = (await sts().start()) + (await untilServed(fleet)).tookMs;
    console.info(`granting again ${Math.round(back)} ms after the repair`);
    expect(back).toBeLessThan(BACK_LIMIT_MS);
  }

  test.each(['', '-wal'])('a database cut short while it is open (%s) grants nothing any more', async (part) => {
    await sts().start();
    const { token } = await untilServed(fleet);
    for (let grants = 0; grants < 4; grants += 1) expect((await exchangeAt(fleet.doors.sts, token))?.status).toBe(200);
    truncateSync(`${database}${part}`, Math.floor(statSync(`${database}${part}`).size / 3));
    for (let refusals = 0; refusals < 4; refusals += 1) {
      const reply = await exchangeAt(fleet.doors.sts, token);
      expect([reply?.status, reply?.body.reason, reply?.retryAfter]).toEqual([503, 'unavailable', '1']);
      expect(reply?.tookMs).toBeLessThan(REFUSED_LIMIT_MS);
    }
    await putBack();
  });

  test('a start on a database cut short is refused with what repairs it', async () => {
    truncateSync(database, Math.floor(statSync(database).size / 2));
    expect(await refusalToStart()).toMatch(/ERR_STORE_CORRUPT.*jobpass restore FILE/);
    await putBack();
  });

  test('a start on a file that is no database is refused with what repairs it', async () => {
    writeFileSync(database, 'a letter\n'.repeat(1000));
    expect(await refusalToStart()).toMatch(/ERR_STORE_CORRUPT.*jobpass restore FILE/);
    await putBack();
  });

  test('a start without the database that there was is refused with what repairs it', async () => {
    rmSync(database);
    expect(await refusalToStart()).toMatch(/jobpass restore FILE/);
    await putBack();
  });

  test.skipIf(!canMount)('a start on a read-only file system is refused and says what to look at', async () => {
    expect(spawnSync('mount', ['-o', 'remount,ro', folder]).status).toBe(0);
    expect(await refusalToStart()).toMatch(/ERR_STORE_UNAVAILABLE.*hint/);
    expect(spawnSync('mount', ['-o', 'remount,rw', folder]).status).toBe(0);
    await putBack();
  });

  test.skipIf(!canMount)('a start on a full disk is refused and says what to look at', async () => {
    const filler = join(folder, 'filler');
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']);
    expect(await refusalToStart()).toMatch(/ERR_STORE_UNAVAILABLE.*hint/);
    rmSync(filler);
    await putBack();
  });
});
