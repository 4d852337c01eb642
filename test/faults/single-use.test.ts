// Single use under fire, by one STS on SQLite.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ended, jobpass } from '../cli/jobpass.ts';
import { mostGrantsOfOneToken, readSqlite } from './tools/auditor.ts';
import { tokensOf } from './tools/calls.ts';
import { count, LIMIT_MS } from './tools/counts.ts';
import { breathe } from './tools/exchange-load.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';
import { Presentations } from './tools/presentations.ts';
import { proveSingleUse } from './tools/prove-single-use.ts';

const TOKENS = count(30, 1000);
const TIMES = count(6, 100);
/** A beginning takes tokens for a role of single use that are younger than it by the fleet's skew of a second. */
const YOUNGER_MS = 2500;

let fleet: Fleet;

beforeAll(async () => {
  fleet = await makeFleet();
  for (const server of [...fleet.issuers, ...fleet.stss]) await server.start();
});
afterAll(() => fleet?.close());

const database = (): string => join(fleet.folder, 'sts-1/data/sts.db');

const run = (...args: string[]): Promise<Ended> => jobpass(args, { folder: join(fleet.folder, 'sts-1') });

test(
  `${TOKENS} tokens, used before a backup or after it: when it is put back, none is granted again, however often it is presented`,
  async () => {
    const tokens = await tokensOf(fleet, TOKENS);
    const known = new Presentations(tokens.slice(TOKENS / 2));
    const forgotten = new Presentations(tokens.slice(0, TOKENS / 2));
    const expectGrantedOnce = (): void => {
      for (const half of [known, forgotten]) expect(half.grantedTimes(1)).toBe(TOKENS / 2);
    };
    await known.present(fleet.doors.sts, TIMES);
    expect(await run('backup', '--sts', '--to', 'earlier.backup')).toMatchObject({ code: 0 });
    await forgotten.present(fleet.doors.sts, TIMES);
    expectGrantedOnce();
    expect(mostGrantsOfOneToken(readSqlite(database()), 'once')).toBe(1);

    const [sts] = fleet.stss;
    await sts?.end();
    expect(await run('restore', 'earlier.backup')).toMatchObject({ code: 0 });
    await sts?.start();
    for (const half of [known, forgotten]) await half.present(fleet.doors.sts, TIMES);
    expectGrantedOnce();
    await breathe(YOUNGER_MS);
    const later = new Presentations(await tokensOf(fleet, TOKENS));
    await later.present(fleet.doors.sts, TIMES);
    expect(later.grantedTimes(1)).toBe(TOKENS);
    expectGrantedOnce();
  },
  LIMIT_MS,
);

proveSingleUse({
  fleet: () => fleet,
  rows: () => readSqlite(database()),
  raiseMark: () => {
    const raw = new DatabaseSync(database());
    raw.exec('UPDATE high_water SET at = at + 60');
    raw.close();
  },
});
