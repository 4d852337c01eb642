// The STS's decision records: appended, found again, never changed or deleted here.

import { decisionEntry } from '../../base/audit/record.ts';
import { JobpassError } from '../../base/core/errors.ts';
import type { StsStore } from '../../sts/store.ts';
import { decodeDecision } from '../rows/audit.ts';
import { newestPositions } from './audit.ts';
import type { AuditChain } from './audit-chain.ts';
import type { SqliteDatabase } from './database.ts';

type DecisionMethods = Pick<StsStore, 'recordRefusal' | 'findDecisions' | 'listDecisions'>;

/** Refusals, and looking decisions up. */
export function stsDecisions(database: SqliteDatabase, chain: AuditChain): DecisionMethods {
  // The last code point sorts after every text that goes on from the prefix; no pattern, so nothing to escape.
  const find = database.prepare(`
    SELECT body FROM audit_entry WHERE id >= $prefix AND id < $prefix || char(0x10FFFF) AND kind = 'decision'
      AND ($tenants IS NULL OR tenant IN (SELECT value FROM json_each($tenants)))
    ORDER BY id LIMIT 2`);
  const list = database.prepare("SELECT body FROM audit_entry WHERE kind = 'decision' ORDER BY position DESC LIMIT ?");
  const ofPositions = database.prepare(`
    SELECT body FROM audit_entry WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position DESC`);
  const positionsOf = newestPositions(database, "kind = 'decision'");
  return {
    recordRefusal: async (record) => {
      if (record.outcome !== 'refused') {
        throw new JobpassError('ERR_STORE_MISUSE', 'a grant was to be recorded as a refusal');
      }
      const entry = decisionEntry(record);
      return database.write(() => chain.append(entry));
    },
    findDecisions: (prefix, only) => {
      const tenants = only === undefined ? null : JSON.stringify(only.tenants);
      return database.read(() => find.all({ prefix, tenants }).map(decodeDecision));
    },
    listDecisions: (limit, only) =>
      database.read(() => {
        const rows = only === undefined ? list.all(limit) : ofPositions.all(positionsOf(only.tenants, limit));
        return rows.map(decodeDecision);
      }),
  };
}
