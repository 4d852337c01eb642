// Reads an STS's database behind its back and holds it against what callers were answered. It changes nothing, and hashes by itself.
import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { PostgresServer } from '../../fakes/postgres-server.ts';
import type { AnsweredGrant } from './exchange-load.ts';

interface Head {
  readonly writer: string;
  readonly sequence: number | string;
  readonly hash: string;
}

interface Entry extends Head {
  readonly body: string;
}

/** What the database holds of decisions, the entries in the order of their chains. Nothing was pruned. */
export interface AuditRows {
  readonly entries: readonly Entry[];
  readonly heads: readonly Head[];
  readonly sessions: readonly { readonly id: string; readonly decision_id: string }[];
}

const QUERIES = {
  entries: 'SELECT writer, sequence, hash, body FROM audit_entry ORDER BY writer, sequence',
  heads: 'SELECT writer, sequence, hash FROM audit_writer WHERE sequence > 0',
  sessions: 'SELECT id, decision_id FROM session',
} as const;

/** Of the database in `path`, which its server may have open. Throws when SQLite finds it damaged. */
export function readSqlite(path: string): AuditRows {
  const raw = new DatabaseSync(path, { readOnly: true });
  try {
    const integrity = Object.values(raw.prepare('PRAGMA integrity_check').get() ?? {})[0];
    if (integrity !== 'ok') throw new Error(`${path}: ${integrity}`);
    return rowsOf(
      raw.prepare(QUERIES.entries).all(),
      raw.prepare(QUERIES.heads).all(),
      raw.prepare(QUERIES.sessions).all(),
    );
  } finally {
    raw.close();
  }
}

/** Of the STSs' schema in a database. */
export async function readPostgres(server: PostgresServer, database: string): Promise<AuditRows> {
  const read = (sql: string): Promise<readonly Record<string, unknown>[]> =>
    server.query(sql.replace(/ FROM /, ' FROM jobpass_sts.'), database);
  return rowsOf(await read(QUERIES.entries), await read(QUERIES.heads), await read(QUERIES.sessions));
}

type Rows = readonly Record<string, unknown>[];

const rowsOf = (entries: Rows, heads: Rows, sessions: Rows): AuditRows => ({
  entries: entries as unknown as AuditRows['entries'],
  heads: heads as unknown as AuditRows['heads'],
  sessions: sessions as unknown as AuditRows['sessions'],
});

/** What is wrong; all empty is what is wanted. */
export interface Findings {
  /** Answered grants without their record. */
  readonly unrecorded: readonly string[];
  /** Entries that do not follow from the one before, and writers whose head is not their last entry. */
  readonly broken: readonly string[];
  /** Sessions without the record of their grant. */
  readonly torn: number;
}

/** No finding. */
export const CLEAN: Findings = { unrecorded: [], broken: [], torn: 0 };

/** Checks every chain, and every answered grant against them. */
export function audit({ entries, heads, sessions }: AuditRows, answered: readonly AnsweredGrant[]): Findings {
  const grants = new Map(grantsIn(entries).map(({ id, sessionId }) => [id, sessionId]));
  return {
    unrecorded: answered.flatMap(({ decisionId, sessionId }) =>
      grants.get(decisionId) === sessionId ? [] : [decisionId],
    ),
    broken: brokenChains(entries, heads),
    torn: sessions.filter(({ id, decision_id }) => grants.get(decision_id) !== id).length,
  };
}

function brokenChains(entries: readonly Entry[], heads: readonly Head[]): readonly string[] {
  const ends = new Map<string, Entry>();
  const broken: string[] = [];
  for (const entry of entries) {
    const before = ends.get(entry.writer);
    const text = `${entry.writer}\n${Number(before?.sequence ?? 0) + 1}\n${before?.hash ?? ''}\n${entry.body}`;
    if (hash('sha256', text, 'base64url') !== entry.hash) broken.push(`${entry.writer} ${entry.sequence}`);
    ends.set(entry.writer, entry);
  }
  for (const { hash: newest, sequence, writer } of heads) {
    const end = ends.get(writer);
    if (end?.hash !== newest || Number(end.sequence) !== Number(sequence)) broken.push(`${writer}: head`);
  }
  if (heads.length !== ends.size) broken.push(`${heads.length} heads of ${ends.size} chains`);
  return broken;
}

interface RecordedGrant {
  readonly id: string;
  readonly sessionId: string;
  readonly tokenId: string;
  readonly role: string;
}

const grantsIn = (entries: readonly Entry[]): readonly RecordedGrant[] =>
  entries.flatMap(({ body }) => {
    const { id, outcome, role, sessionId, tokenId } = JSON.parse(body);
    return outcome === 'granted' ? [{ id, sessionId, tokenId, role: role?.name }] : [];
  });

/** The most grants of a role that were recorded of one token. */
export function mostGrantsOfOneToken({ entries }: AuditRows, role: string): number {
  const times = new Map<string, number>();
  for (const grant of grantsIn(entries))
    if (grant.role === role) times.set(grant.tokenId, (times.get(grant.tokenId) ?? 0) + 1);
  return Math.max(0, ...times.values());
}
