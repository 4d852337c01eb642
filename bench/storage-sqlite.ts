// Owns SQLite's part of the storage measurement: a database as years of grants would have it, and an empty one.
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ISSUER, NOW } from '../src/storage/conformance/fixtures.ts';
import { openSqliteSts } from '../src/storage/sqlite/open.ts';
import { temporaryFolder } from './parts.ts';
import {
  AUDIT_ROWS,
  GRANTS_PER_SECOND,
  idAt,
  LIVE_USES,
  type Pair,
  recordAround,
  USE_LIFETIME_SECONDS,
} from './storage-grants.ts';

const BATCH = 50_000;

/** Runs `each` for every number below `many`, in big transactions. */
function inBulk(db: DatabaseSync, many: number, each: (at: number) => void): void {
  for (let from = 0; from < many; from += BATCH) {
    db.exec('BEGIN');
    for (let at = from; at < Math.min(many, from + BATCH); at += 1) each(at);
    db.exec('COMMIT');
  }
}

async function fill(path: string): Promise<void> {
  await (await openSqliteSts({ path })).close();
  const db = new DatabaseSync(path);
  db.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY');
  const [head, tail] = recordAround();
  const entry = db.prepare(`
    INSERT INTO audit_entry (writer, sequence, hash, kind, id, at, tenant, body) VALUES ('Wfilled', ?, ?, 'decision', ?, ?, 'main', ?)`);
  inBulk(db, AUDIT_ROWS, (at) => {
    const id = idAt('D', NOW - Math.ceil((AUDIT_ROWS - at) / GRANTS_PER_SECOND));
    entry.run(at + 1, randomBytes(32).toString('base64url'), id, NOW * 1000, head + id + tail);
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

/** Fills the one, makes the other, and opens both. */
export async function sqlitePair(): Promise<Pair> {
  const folder = temporaryFolder();
  try {
    const paths = { full: join(folder.path, 'full.db'), empty: join(folder.path, 'empty.db') };
    await fill(paths.full);
    const [full, empty] = await Promise.all([
      openSqliteSts({ path: paths.full }),
      openSqliteSts({ path: paths.empty }),
    ]);
    const close = async (): Promise<void> => {
      await Promise.all([full.close(), empty.close()]);
      folder.remove();
    };
    return { full, empty, gigabytes: statSync(paths.full).size / 1e9, close };
  } catch (cause) {
    folder.remove();
    throw cause;
  }
}
