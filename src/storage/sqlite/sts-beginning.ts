// The STS begins anew: everything that was granted is over, and the store is another one.
import { encodeRecord } from '../../base/audit/record.ts';
import type { StsStore } from '../../sts/store.ts';
import type { AuditChain } from './audit-chain.ts';
import { beginningCounter } from './beginning.ts';
import type { SqliteDatabase } from './database.ts';
import { epochRaiser } from './sts-epochs.ts';
import { identityRenewer } from './sts-identity.ts';

/** The port's part about beginnings that is the STS's own. */
export function stsBeginning(database: SqliteDatabase, chain: AuditChain): Pick<StsStore, 'beginAnew'> {
  const count = beginningCounter(database);
  const raise = epochRaiser(database);
  const renew = identityRenewer(database);
  return {
    beginAnew: async ({ expectedGeneration, history, identity, now, record }) => {
      const entry = encodeRecord(record);
      return database.write(() => {
        if (!count({ expectedGeneration, history, at: now })) return undefined;
        const epoch = raise({ scope: 'all' }, now);
        renew(identity);
        chain.append(entry);
        return epoch;
      });
    },
  };
}
