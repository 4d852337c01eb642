// Whether the commit rate holds as the audit log grows: grants into a database with millions of records and used tokens, against grants into an
// empty one, in turn. JOBPASS_BENCH_AUDIT_ROWS (10,000,000) and JOBPASS_BENCH_LIVE_USES (1,000,000) set the size: `node bench/storage.ts`, half an hour
// and 30 GB; with a tenth of both, ten minutes. `node bench/storage.ts sqlite` or `postgres` measures the one alone.
import { POSTGRES_VERSIONS, postgresPrograms } from '../test/fakes/postgres-programs.ts';
import { measure, type Plan, printRates, printRatio, type Rates } from './measure.ts';
import { AUDIT_ROWS, grantsOn, LIVE_USES, type Pair } from './storage-grants.ts';
import { postgresPair } from './storage-postgres.ts';
import { sqlitePair } from './storage-sqlite.ts';

/**
 * Both stores follow each other at once, in turn the one or the other first: what the disk does lately is the same for both. One at a
 * time, each grant waits for the disk, whose moods last longer: more rounds, and longer ones.
 */
const PLANS: ReadonlyMap<number, Plan> = new Map([
  [1, { rounds: 61, millisecondsEach: 1000 }],
  [32, { rounds: 31, millisecondsEach: 500 }],
  [256, { rounds: 31, millisecondsEach: 500 }],
]);

const namesOf = (many: number): readonly [string, string] => [`full, ${many} at once`, `empty, ${many} at once`];

async function ratesOf({ empty, full }: Pair): Promise<Rates> {
  const all = new Map<string, readonly number[]>();
  for (const [many, plan] of PLANS) {
    const [nameOfFull, nameOfEmpty] = namesOf(many);
    const rates = await measure(
      [
        { name: nameOfFull, concurrency: many, run: grantsOn(full) },
        { name: nameOfEmpty, concurrency: many, run: grantsOn(empty) },
      ],
      plan,
    );
    for (const [name, values] of rates) all.set(name, values);
  }
  return all;
}

async function measureStore(name: string, make: () => Promise<Pair>): Promise<void> {
  const begin = performance.now();
  const pair = await make();
  try {
    const seconds = Math.round((performance.now() - begin) / 1000);
    const size = `${AUDIT_ROWS} audit rows and ${LIVE_USES} live uses`;
    console.log(`\n${name}: ${size}: ${pair.gigabytes.toFixed(1)} GB, filled in ${seconds} s\n`);
    const rates = await ratesOf(pair);
    printRates(rates);
    console.log('\nratios, formed pair by pair: median and range');
    for (const many of PLANS.keys()) printRatio(rates, namesOf(many), 'bound 0.90');
  } finally {
    await pair.close();
  }
}

async function measurePostgres(): Promise<void> {
  const version = POSTGRES_VERSIONS.find((one) => postgresPrograms(one) !== undefined);
  if (version === undefined) console.log('\nPostgreSQL is not installed: not measured');
  else await measureStore(`PostgreSQL ${version}`, () => postgresPair(version));
}

const [, , asked = 'both'] = process.argv;
if (!['both', 'sqlite', 'postgres'].includes(asked)) throw new Error(`there is no store called ${asked}`);
if (asked !== 'postgres') await measureStore('SQLite', sqlitePair);
if (asked !== 'sqlite') await measurePostgres();
