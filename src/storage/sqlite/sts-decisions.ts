// The STS's decision records: appended, found again, never changed or deleted here.

import { WIRES } from '../../base/audit/record.ts';
import type { RoleRef } from '../../base/core/decision.ts';
import { JobpassError } from '../../base/core/errors.ts';
import { REASONS, type Reason } from '../../base/core/reasons.ts';
import type { DecisionRecord, StsStore } from '../../sts/store.ts';
import type { SqliteDatabase } from './database.ts';
import { corrupt } from './errors.ts';
import { integer, json, nullableText, oneOf, type Row, text } from './row.ts';
import { decisionTrace, jsonObject } from './shapes.ts';

const COLUMNS = `id, at, outcome, wire, role_tenant, role_name, issuer, subject, job_id, token_id, reason, detail,
  session_id, remote_address, claims, trace`;
const OUTCOMES: readonly DecisionRecord['outcome'][] = ['granted', 'refused'];

const isReason = (value: string): value is Reason => Object.hasOwn(REASONS, value);

function decodeReason(row: Row): Reason | null {
  const value = nullableText(row, 'reason');
  if (value === null || isReason(value)) return value;
  throw corrupt('the column reason does not hold what was written');
}

function decodeRole(row: Row): RoleRef | null {
  const tenant = nullableText(row, 'role_tenant');
  return tenant === null ? null : { tenant, name: text(row, 'role_name') };
}

const decodeDecision = (row: Row): DecisionRecord => ({
  id: text(row, 'id'),
  at: integer(row, 'at'),
  outcome: oneOf(row, 'outcome', OUTCOMES),
  wire: oneOf(row, 'wire', WIRES),
  role: decodeRole(row),
  issuer: text(row, 'issuer'),
  subject: text(row, 'subject'),
  jobId: nullableText(row, 'job_id'),
  tokenId: nullableText(row, 'token_id'),
  reason: decodeReason(row),
  detail: text(row, 'detail'),
  sessionId: nullableText(row, 'session_id'),
  remoteAddress: text(row, 'remote_address'),
  claims: json(row, 'claims', jsonObject),
  trace: json(row, 'trace', decisionTrace),
});

const encodeDecision = ({ role, claims, trace, ...record }: DecisionRecord) => ({
  ...record,
  tenant: role?.tenant ?? null,
  name: role?.name ?? null,
  claims: JSON.stringify(claims),
  trace: JSON.stringify(trace),
});

/** Encoding happens before the transaction, so that a record that cannot be written fails alone. */
export function decisionWriter(database: SqliteDatabase) {
  const insert = database.prepare(`
    INSERT INTO decision (${COLUMNS})
    VALUES ($id, $at, $outcome, $wire, $tenant, $name, $issuer, $subject, $jobId, $tokenId, $reason, $detail,
      $sessionId, $remoteAddress, $claims, $trace)`);
  return {
    encode: encodeDecision,
    insert: (row: ReturnType<typeof encodeDecision>): void => {
      insert.run(row);
    },
  };
}

type DecisionMethods = Pick<StsStore, 'recordRefusal' | 'findDecisions' | 'listDecisions'>;

/** Refusals, and looking decisions up. */
export function stsDecisions(database: SqliteDatabase): DecisionMethods {
  const decisions = decisionWriter(database);
  // The last code point sorts after every text that goes on from the prefix; no pattern, so nothing to escape.
  const find = database.prepare(`
    SELECT ${COLUMNS} FROM decision WHERE id >= $prefix AND id < $prefix || char(0x10FFFF)
      AND ($tenants IS NULL OR role_tenant IN (SELECT value FROM json_each($tenants)))
    ORDER BY id LIMIT 2`);
  const list = database.prepare(`SELECT ${COLUMNS} FROM decision ORDER BY position DESC LIMIT ?`);
  const positionsOf = database.prepare(
    'SELECT position FROM decision WHERE role_tenant = ? ORDER BY position DESC LIMIT ?',
  );
  const ofPositions = database.prepare(`
    SELECT ${COLUMNS} FROM decision WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position DESC`);
  // Positions come from the index alone, so no record is read that is not shown.
  const newest = (tenants: readonly string[], limit: number): string => {
    const rows = [...new Set(tenants)].flatMap((tenant) => positionsOf.all(tenant, limit));
    const positions = rows.map((row) => integer(row, 'position')).sort((a, b) => b - a);
    return JSON.stringify(positions.slice(0, limit));
  };
  return {
    recordRefusal: async (record) => {
      if (record.outcome !== 'refused') {
        throw new JobpassError('ERR_STORE_MISUSE', 'a grant was to be recorded as a refusal');
      }
      const row = decisions.encode(record);
      return database.write(() => decisions.insert(row));
    },
    findDecisions: (prefix, only) => {
      const tenants = only === undefined ? null : JSON.stringify(only.tenants);
      return database.read(() => find.all({ prefix, tenants }).map(decodeDecision));
    },
    listDecisions: (limit, only) =>
      database.read(() => {
        const rows = only === undefined ? list.all(limit) : ofPositions.all(newest(only.tenants, limit));
        return rows.map(decodeDecision);
      }),
  };
}
