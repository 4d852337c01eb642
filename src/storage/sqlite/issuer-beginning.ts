// The issuer begins anew: whatever ran is over. Its high-water mark says how far its time has come.
import { encodeRecord } from '../../base/audit/record.ts';
import type { IssuerStore } from '../../issuer/store.ts';
import { integer, text } from '../rows/row.ts';
import type { AuditChain } from './audit-chain.ts';
import { beginningCounter } from './beginning.ts';
import type { SqliteDatabase } from './database.ts';
import { jobEnder } from './issuer-events.ts';
import { markRaiser } from './mark.ts';

/** The port's part about beginnings that is the issuer's own. */
export function issuerBeginning(
  database: SqliteDatabase,
  chain: AuditChain,
): Pick<IssuerStore, 'beginAnew' | 'highWaterMark'> {
  const count = beginningCounter(database);
  const raiseMark = markRaiser(database);
  const endJob = jobEnder(database);
  const running = database.prepare('SELECT id FROM job WHERE ended_at IS NULL ORDER BY id');
  const mark = database.prepare('SELECT at FROM high_water WHERE only_row = 1');
  return {
    beginAnew: async ({ eventExpiresAt, expectedGeneration, history, now, record }) => {
      const entry = encodeRecord(record);
      return database.write(() => {
        if (!count({ expectedGeneration, history, at: now })) return undefined;
        raiseMark(now);
        const ids = running.all().map((row) => text(row, 'id'));
        for (const id of ids) endJob(id, { at: now, reason: 'store_restored', eventExpiresAt });
        chain.append(entry);
        return ids.length;
      });
    },
    highWaterMark: () => database.read(() => integer(mark.get() ?? {}, 'at')),
  };
}
