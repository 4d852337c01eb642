// The ends of single sessions. A job's end is in sts-grants.ts; both are rows of one table, in one order.
import { encodeRecord } from '../../base/audit/record.ts';
import type { StsStore } from '../../sts/store.ts';
import { inForce } from '../rows/in-force.ts';
import { decodeEnd } from '../rows/sessions.ts';
import type { AuditChain } from './audit-chain.ts';
import type { SqliteDatabase } from './database.ts';

/** Ending one session, once, with those that came of it and the record of who ended it. */
export function stsRevocations(database: SqliteDatabase, chain: AuditChain): Pick<StsStore, 'endSession'> {
  const end = database.prepare(`
    INSERT INTO ended_session (session_id, expires_at, gateway_group)
    SELECT id, expires_at, gateway_group FROM session
    WHERE id = ? AND ${inForce()}
    RETURNING sequence, session_id, expires_at`);
  const endOffspring = database.prepare(`
    INSERT INTO ended_session (session_id, expires_at, gateway_group)
    SELECT id, expires_at, gateway_group FROM session
    WHERE parent_id = ? AND ${inForce()}`);
  return {
    endSession: async (id, record) => {
      const entry = record === undefined ? undefined : encodeRecord(record);
      return database.write(() => {
        const row = end.get(id);
        if (row === undefined) return undefined;
        endOffspring.run(id);
        if (entry !== undefined) chain.append(entry);
        return decodeEnd(row);
      });
    },
  };
}
