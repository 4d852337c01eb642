// Reads an STS's database behind its back and holds it against what callers were answered. It changes nothing, and hashes by itself.
import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { AnsweredGrant } from './exchange-load.ts';

/** What is wrong; all empty is what is wanted. */
export interface Findings {
  /** Answered grants without their record. */
  readonly unrecorded: readonly string[];
  /** Entries that do not follow from the one before, and writers whose head is not their last entry. */
  readonly broken: readonly string[];
  /** Sessions without the record of their grant, each the other way round. */
  readonly torn: number;
  readonly integrity: unknown;
}

/** No finding. */
export const CLEAN: Findings = { unrecorded: [], broken: [], torn: 0, integrity: 'ok' };

interface Entry {
  readonly writer: string;
  readonly sequence: number;
  readonly hash: string;
  readonly body: string;
}

/** Audits the database in `path`, which its server may have open. Nothing of it was pruned. */
export function auditSqlite(path: string, answered: readonly AnsweredGrant[]): Findings {
  const raw = new DatabaseSync(path, { readOnly: true });
  try {
    const entries = raw.prepare('SELECT writer, sequence, hash, body FROM audit_entry ORDER BY writer, sequence').all();
    const heads = raw.prepare('SELECT writer, sequence, hash FROM audit_writer WHERE sequence > 0').all();
    const sessions = raw.prepare('SELECT id, decision_id FROM session').all();
    return {
      ...auditRows(
        entries as unknown as Entry[],
        heads as unknown as Omit<Entry, 'body'>[],
        answered,
        sessions as never,
      ),
      integrity: Object.values(raw.prepare('PRAGMA integrity_check').get() ?? {})[0],
    };
  } finally {
    raw.close();
  }
}

/** The same of rows that were read from whatever engine. `entries` are in the order of their chains. */
function auditRows(
  entries: readonly Entry[],
  heads: readonly Omit<Entry, 'body'>[],
  answered: readonly AnsweredGrant[],
  sessions: readonly { readonly id: string; readonly decision_id: string }[],
): Omit<Findings, 'integrity'> {
  const grants = new Map<string, unknown>();
  const ends = new Map<string, Entry>();
  const broken: string[] = [];
  for (const entry of entries) {
    const before = ends.get(entry.writer);
    const text = `${entry.writer}\n${(before?.sequence ?? 0) + 1}\n${before?.hash ?? ''}\n${entry.body}`;
    if (hash('sha256', text, 'base64url') !== entry.hash) broken.push(`${entry.writer} ${entry.sequence}`);
    ends.set(entry.writer, entry);
    const record: Record<string, unknown> = JSON.parse(entry.body);
    if (record.outcome === 'granted') grants.set(String(record.id), record.sessionId);
  }
  for (const { hash, sequence, writer } of heads) {
    const end = ends.get(writer);
    if (end?.hash !== hash || Number(end.sequence) !== Number(sequence)) broken.push(`${writer}: head`);
  }
  if (heads.length !== ends.size) broken.push(`${heads.length} heads of ${ends.size} chains`);
  return {
    unrecorded: answered.flatMap(({ decisionId, sessionId }) =>
      grants.get(decisionId) === sessionId ? [] : [decisionId],
    ),
    broken,
    torn: sessions.filter(({ id, decision_id }) => grants.get(decision_id) !== id).length,
  };
}
