// The STS's database and its disk fail in every way there is: nothing is granted that is not kept, callers hear it soon, and it comes back.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { audit, CLEAN, readSqlite } from './tools/auditor.ts';
import { exchangeAt, type RunningJob, runJob } from './tools/calls.ts';
import { breathe, ExchangeLoad } from './tools/exchange-load.ts';
import { type DiskState, failingDisk } from './tools/failing-disk.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';

/** The bounds; a machine that is busy with other things is far below them, too. */
const REFUSED_LIMIT_MS = 2000;
const BACK_LIMIT_MS = 5000;
/** How long an outage is looked at. */
const OUTAGE_MS = 500;

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

interface Outage {
  readonly name: string;
  readonly breakIt: () => void;
  readonly repair: () => void | Promise<void>;
}

/** Breaks it under load, looks at the outage, repairs it, and holds the ledger against the database. */
async function liveThrough({ breakIt, name, repair }: Outage): Promise<void> {
  const load = new ExchangeLoad(fleet.doors.sts, jobs);
  load.start(8);
  await load.untilGranted(20);
  breakIt();
  const broken = performance.now();
  while (load.refused.length === 0) {
    expect(performance.now() - broken).toBeLessThan(BACK_LIMIT_MS);
    await breathe(5);
  }
  await breathe(OUTAGE_MS);
  const before = load.granted.length;
  await breathe(OUTAGE_MS);
  const during = load.granted.length - before;
  const refused = [...load.refused];
  await repair();
  const back = await load.untilGranted(1);
  await load.stop();
  const slowest = Math.max(...refused.map(({ tookMs }) => tookMs));
  console.info(
    `${name}: ${refused.length} calls refused, the slowest in ${Math.round(slowest)} ms; granting again ${Math.round(back)} ms after the repair`,
  );
  expect(during).toBe(0);
  for (const { body, retryAfter, status } of refused) {
    expect([status, body.reason, retryAfter]).toEqual([503, 'unavailable', '1']);
  }
  expect(slowest).toBeLessThan(REFUSED_LIMIT_MS);
  expect(back).toBeLessThan(BACK_LIMIT_MS);
  expect(audit(readSqlite(database), load.granted)).toEqual(CLEAN);
}

describe.skipIf(disk === undefined)('a disk that', () => {
  test.each<[string, DiskState]>([
    ['does not flush', 'no flush'],
    ['takes no writes', 'read-only'],
    ['has no room', 'full'],
  ])('%s: nothing is granted until it does again', async (name, state) => {
    await liveThrough({
      name: `a disk that ${name}`,
      breakIt: () => disk?.turn(state),
      repair: () => disk?.turn('good'),
    });
  });
});

test.skipIf(!canMount)('a disk that is really full grants nothing, and goes on when there is room', async () => {
  const filler = join(folder, 'filler');
  await liveThrough({
    name: 'a full disk',
    breakIt: () => void spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k']),
    repair: () => rmSync(filler),
  });
});

describe('a database that', () => {
  test('is moved away grants nothing, and goes on when it is back', async () => {
    await liveThrough({
      name: 'a database moved away',
      breakIt: () => renameSync(database, `${database}.away`),
      repair: () => renameSync(`${database}.away`, database),
    });
  });

  test('lost its log grants nothing, and goes on when it is back', async () => {
    await liveThrough({
      name: 'a log moved away',
      breakIt: () => renameSync(`${database}-wal`, `${database}-wal.away`),
      repair: () => renameSync(`${database}-wal.away`, `${database}-wal`),
    });
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
    const begin = performance.now();
    await sts().start();
    while ((await exchangeAt(fleet.doors.sts, jobs[0]?.token ?? ''))?.status !== 200) await breathe(20);
    const back = performance.now() - begin;
    console.info(`granting again ${Math.round(back)} ms after the repair`);
    expect(back).toBeLessThan(BACK_LIMIT_MS);
  }

  test.each(['', '-wal'])('a database cut short while it is open (%s) grants nothing any more', async (part) => {
    await sts().start();
    for (const { token } of [...jobs, ...jobs]) expect((await exchangeAt(fleet.doors.sts, token))?.status).toBe(200);
    truncateSync(`${database}${part}`, Math.floor(statSync(`${database}${part}`).size / 3));
    for (const { token } of [...jobs, ...jobs]) {
      const reply = await exchangeAt(fleet.doors.sts, token);
      expect([reply?.status, reply?.body.reason, reply?.retryAfter]).toEqual([503, 'unavailable', '1']);
      expect(reply?.tookMs).toBeLessThan(REFUSED_LIMIT_MS);
    }
    await putBack();
  });

  test('a start on a database cut short is refused with what repairs it', async () => {
    truncateSync(database, Math.floor(statSync(database).size / 2));
    expect(await refusalToStart()).toMatch(/ERR_STORE_CORRUPT.*restore/);
    await putBack();
  });

  test('a start on a file that is no database is refused with what repairs it', async () => {
    writeFileSync(database, 'a letter\n'.repeat(1000));
    expect(await refusalToStart()).toMatch(/ERR_STORE_CORRUPT.*restore/);
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
