// Looking sessions up, and the uses that made them. Making and ending them is done elsewhere.
import type { StsStore } from '../../sts/store.ts';
import { decodeUse } from '../rows/epochs.ts';
import { inForce } from '../rows/in-force.ts';
import { decodeSession, SESSION_COLUMNS } from '../rows/sessions.ts';
import type { SqliteDatabase } from './database.ts';

/** One session, many of them, and the session of a used token. */
export function stsSessions(database: SqliteDatabase): Pick<StsStore, 'findSession' | 'listSessions' | 'findUse'> {
  const find = database.prepare(`SELECT ${SESSION_COLUMNS} FROM session WHERE id = ? AND ${inForce()}`);
  const list = database.prepare(`
    SELECT ${SESSION_COLUMNS} FROM session
    WHERE id > $after AND expires_at > $now AND role_tenant IN (SELECT value FROM json_each($tenants))
      AND ($roleName IS NULL OR (role_tenant = $tenant AND role_name = $roleName))
      AND ($issuer IS NULL OR issuer = $issuer) AND ($jobId IS NULL OR job_id = $jobId) AND ${inForce()}
    ORDER BY id LIMIT $limit`);
  const use = database.prepare(`
    SELECT session_id, client, used_at, session.decision_id FROM token_use LEFT JOIN session ON session.id = session_id
    WHERE exp = ? AND iss = ? AND jti = ?`);
  return {
    findSession: (id) =>
      database.read(() => {
        const row = find.get(id);
        return row === undefined ? undefined : decodeSession(row);
      }),
    listSessions: ({ issuer, jobId, now, role, tenants }, after, limit) => {
      const asked = {
        after: after ?? '',
        now,
        tenants: JSON.stringify(tenants),
        tenant: role?.tenant ?? null,
        roleName: role?.name ?? null,
        issuer: issuer ?? null,
        jobId: jobId ?? null,
        limit,
      };
      return database.read(() => list.all(asked).map(decodeSession));
    },
    findUse: ({ exp, iss, jti }) =>
      database.read(() => {
        const row = use.get(exp, iss, jti);
        return row === undefined ? undefined : decodeUse(row);
      }),
  };
}
