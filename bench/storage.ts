// Whether the commit rate holds as the audit log grows: grants into a database with millions of records and used tokens, against grants into an
// empty one, in turn. JOBPASS_BENCH_AUDIT_ROWS (10,000,000) and JOBPASS_BENCH_LIVE_USES (1,000,000) set the size: `node bench/storage.ts`, about ten minutes
// and 20 GB; with a tenth of both, one minute.
import { randomBytes, randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ID_RANDOM_BYTES, newIdAt } from '../src/base/core/ids.ts';
import { grantedRecord, grantOf, ISSUER, NOW } from '../src/storage/conformance/fixtures.ts';
import { openSqliteSts } from '../src/storage/sqlite/open.ts';
import { measure, printRates, printRatio, type Subject } from './measure.ts';
import { temporaryFolder } from './parts.ts';

const AUDIT_ROWS = Number(process.env.JOBPASS_BENCH_AUDIT_ROWS ?? 10_000_000);
const LIVE_USES = Number(process.env.JOBPASS_BENCH_LIVE_USES ?? 1_000_000);
const PLAN = { rounds: 25, millisecondsEach: 200 };
/** An issuer's tokens live ten minutes: used ones expire within as many seconds from now on. */
const USE_LIFETIME_SECONDS = 600;
/** A million jobs an hour. */
const GRANTS_PER_SECOND = 280;
const BATCH = 50_000;

type Store = Awaited<ReturnType<typeof openSqliteSts>>;

/** As the STS makes them. */
const idAt = (kind: 'D' | 'S', second: number): string => newIdAt(kind, second, randomBytes(ID_RANDOM_BYTES));

/** Runs `each` for every number below `many`, in big transactions. */
function inBulk(db: DatabaseSync, many: number, each: (at: number) => void): void {
  for (let from = 0; from < many; from += BATCH) {
    db.exec('BEGIN');
    for (let at = from; at < Math.min(many, from + BATCH); at += 1) each(at);
    db.exec('COMMIT');
  }
}

/** Fills a database as years of grants would have. */
async function fill(path: string): Promise<void> {
  await (await openSqliteSts({ path })).close();
  const db = new DatabaseSync(path);
  db.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY');
  const [head = '', tail = ''] = JSON.stringify({ kind: 'decision', ...grantedRecord('@') }).split('"D@"');
  const entry = db.prepare(`
    INSERT INTO audit_entry (writer, sequence, hash, kind, id, at, tenant, body) VALUES ('Wfilled', ?, ?, 'decision', ?, ?, 'main', ?)`);
  inBulk(db, AUDIT_ROWS, (at) => {
    const id = idAt('D', NOW - Math.ceil((AUDIT_ROWS - at) / GRANTS_PER_SECOND));
    entry.run(at + 1, randomBytes(32).toString('base64url'), id, NOW * 1000, `${head}"${id}"${tail}`);
  });
  db.prepare("INSERT INTO audit_writer (writer, sequence, hash) VALUES ('Wfilled', ?, 'filled')").run(AUDIT_ROWS);
  const use = db.prepare('INSERT INTO token_use (exp, iss, jti, session_id, used_at) VALUES (?, ?, ?, ?, ?)');
  inBulk(db, LIVE_USES, (at) => {
    const exp = NOW + Math.floor((at * USE_LIFETIME_SECONDS) / LIVE_USES);
    use.run(exp, ISSUER, `filled-${at}`, idAt('S', NOW - USE_LIFETIME_SECONDS), NOW);
  });
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}

/** Grants of single-use tokens. */
function grantsOn(store: Store): () => Promise<void> {
  return async () => {
    const now = NOW + Math.floor(performance.now() / 1000);
    const [sessionId, decisionId] = [idAt('S', now), idAt('D', now)];
    const exp = NOW + USE_LIFETIME_SECONDS;
    const grant = grantOf(sessionId, {
      session: { id: sessionId, decisionId },
      uses: [{ exp, iss: ISSUER, jti: randomUUID() }],
    });
    const outcome = await store.grant({ ...grant, record: { ...grant.record, id: decisionId, sessionId } });
    if (outcome !== 'granted') throw new Error(outcome);
  };
}

const folder = temporaryFolder();
const paths = { full: join(folder.path, 'full.db'), empty: join(folder.path, 'empty.db') };
try {
  const begin = performance.now();
  await fill(paths.full);
  const seconds = Math.round((performance.now() - begin) / 1000);
  const gigabytes = (statSync(paths.full).size / 1e9).toFixed(1);
  console.log(`${AUDIT_ROWS} audit rows and ${LIVE_USES} live uses: ${gigabytes} GB, filled in ${seconds} s\n`);
  const full = await openSqliteSts({ path: paths.full });
  const empty = await openSqliteSts({ path: paths.empty });
  const at = (many: number): readonly Subject[] => [
    { name: `full, ${many} at once`, concurrency: many, run: grantsOn(full) },
    { name: `empty, ${many} at once`, concurrency: many, run: grantsOn(empty) },
  ];
  const subjects = [...at(1), ...at(32), ...at(256)];
  const rates = await measure(subjects, PLAN);
  printRates(rates);
  console.log('\nratios, formed round by round');
  for (const many of [1, 32, 256]) printRatio(rates, [`full, ${many} at once`, `empty, ${many} at once`], 'bound 0.90');
  await Promise.all([full.close(), empty.close()]);
} finally {
  folder.remove();
}
