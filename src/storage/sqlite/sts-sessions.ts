// Looking sessions up, and the uses that made them. Making and ending them is done elsewhere.
import type { StatementSync } from 'node:sqlite';
import type { StsStore } from '../../sts/store.ts';
import { decodeUse } from '../rows/epochs.ts';
import { inForce } from '../rows/in-force.ts';
import { askedColumns, decodeSession, OF_KNOWN_ISSUER, SESSION_COLUMNS } from '../rows/sessions.ts';
import type { SqliteDatabase } from './database.ts';

/** Sessions of these columns' values, by which their index is found. */
function listing(columns: readonly string[]): string {
  const asked = columns.map((column) => ` AND ${column} = $${column}`);
  const known = columns.includes('job_id') && !columns.includes('issuer') ? ` AND ${OF_KNOWN_ISSUER}` : '';
  return `
    SELECT ${SESSION_COLUMNS} FROM session
    WHERE id > $after AND expires_at > $now AND role_tenant IN (SELECT value FROM json_each($tenants))${asked.join('')}${known} AND ${inForce()}
    ORDER BY id LIMIT $limit`;
}

/** One session, many of them, and the session of a used token. */
export function stsSessions(database: SqliteDatabase): Pick<StsStore, 'findSession' | 'listSessions' | 'findUse'> {
  const find = database.prepare(`SELECT ${SESSION_COLUMNS} FROM session WHERE id = ? AND ${inForce()}`);
  const lists = new Map<string, StatementSync>();
  const listOf = (columns: readonly string[]): StatementSync => {
    const name = columns.join();
    const known = lists.get(name) ?? database.prepare(listing(columns));
    lists.set(name, known);
    return known;
  };
  const use = database.prepare(`
    SELECT session_id, client, used_at, session.decision_id FROM token_use LEFT JOIN session ON session.id = session_id
    WHERE exp = ? AND iss = ? AND jti = ?`);
  return {
    findSession: (id) =>
      database.read(() => {
        const row = find.get(id);
        return row === undefined ? undefined : decodeSession(row);
      }),
    listSessions: (filter, after, limit) => {
      const asked = askedColumns(filter);
      const { now, tenants } = filter;
      const values = { after: after ?? '', now, tenants: JSON.stringify(tenants), limit, ...asked };
      return database.read(() => listOf(Object.keys(asked)).all(values).map(decodeSession));
    },
    findUse: ({ exp, iss, jti }) =>
      database.read(() => {
        const row = use.get(exp, iss, jti);
        return row === undefined ? undefined : decodeUse(row);
      }),
  };
}
