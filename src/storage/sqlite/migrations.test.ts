// Databases of earlier versions: what they knew is still known after the newer steps.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UNCHAINED } from '../../base/audit/chain.ts';
import type { DecisionRecord } from '../../sts/store.ts';
import { grantedRecord, refusedRecord } from '../conformance/fixtures.ts';
import { openDatabase } from './database.ts';
import type { Schema } from './migrate.ts';
import { GATEWAY_SCHEMA } from './migrations/gateway.ts';
import { ISSUER_SCHEMA } from './migrations/issuer.ts';
import { STS_SCHEMA } from './migrations/sts.ts';
import { openSqliteIssuer, openSqliteKeys, openSqliteSts } from './open.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-migrations-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A database as `version` of the schema left it. */
async function leave(schema: Schema, version: number, rows: readonly string[]): Promise<string> {
  const path = join(folder, `${schema.kind}.db`);
  const database = openDatabase({ path }, { ...schema, migrations: schema.migrations.slice(0, version) });
  await database.write(() => {
    for (const sql of rows) database.prepare(sql).run();
  });
  await database.close();
  return path;
}

test('what a client of the issuer acknowledged before receivers had names is its nameless receiver’s', async () => {
  const job = (
    id: string,
  ): string => `INSERT INTO job (id, controller, idempotency_key, request_digest, facts, audiences,
    started_at, deadline, last_heartbeat_at, ended_at, end_reason)
    VALUES ('${id}', 'c', '${id}', 'd', '{}', '[]', 1, 2, 1, 2, 'finished')`;
  const event = (sequence: number): string =>
    `INSERT INTO job_ended_event VALUES (${sequence}, 'E${sequence}', 'J${sequence}', 'a', 2, 'finished', 99)`;
  const path = await leave(ISSUER_SCHEMA, 2, [
    ...[1, 2, 3, 4].flatMap((n) => [job(`J${n}`), event(n)]),
    `INSERT INTO event_floor VALUES ('sts', 'a', 1)`,
    `INSERT INTO event_acknowledgement VALUES ('sts', 3)`,
  ]);
  const store = await openSqliteIssuer({ path });
  const waiting = async (client: string, receiver: string) =>
    (await store.listEvents({ client, receiver }, ['a'], 10)).map(({ id }) => id);
  expect(await waiting('sts', '')).toEqual(['E2', 'E4']);
  expect(await waiting('sts', 'named')).toEqual(['E1', 'E2', 'E3', 'E4']);
  await store.close();
});

test('an STS’s sessions of before have no tags, no name and no session policy', async () => {
  const decision = `INSERT INTO decision (id, at, outcome, wire, issuer, subject, detail, session_id, remote_address, claims,
    trace) VALUES ('D1', 1, 'granted', 'rfc8693', 'i', 's', '', 'S1', '', '{}', '{}')`;
  const session = `INSERT INTO session VALUES ('S1', 'D1', 'main', 'r', 'artifacts', 'i', 's', 'J1', 1, 1, 99, '{}')`;
  const store = await openSqliteSts({ path: await leave(STS_SCHEMA, 4, [decision, session]) });
  expect(await store.findSession('S1')).toMatchObject({ tags: {}, sourceIdentity: null, name: null, policy: null });
  await store.close();
});

test('an STS’s ended sessions get the group of their session, and the store an identity', async () => {
  const decision = `INSERT INTO decision (id, at, outcome, wire, issuer, subject, detail, session_id, remote_address, claims,
    trace) VALUES ('D1', 1, 'granted', 'rfc8693', 'i', 's', '', 'S1', '', '{}', '{}')`;
  const session = `INSERT INTO session VALUES ('S1', 'D1', 'main', 'r', 'artifacts', 'i', 's', 'J1', 1, 1, 99, '{}')`;
  const ended = `INSERT INTO ended_session (session_id, expires_at) VALUES ('S1', 99)`;
  const store = await openSqliteSts({ path: await leave(STS_SCHEMA, 2, [decision, session, ended]) });
  expect((await store.listEndedSessions('artifacts', 0, 1, 10)).map((end) => end.sessionId)).toEqual(['S1']);
  expect((await store.identity()).id).toMatch(/^[0-9a-f]{32}$/);
  await store.close();
});

test('a key ring of before is at version 1, and its key in its state since it was made', async () => {
  const key = `INSERT INTO key (kid, ring, algorithm, state, created_at, public_jwk, sealed)
    VALUES ('k', 'id-token', 'RS256', 'active', 7, '{}', x'00')`;
  const store = await openSqliteIssuer({ path: await leave(ISSUER_SCHEMA, 3, [key]) });
  const ring = await store.readRing('id-token');
  expect(ring).toMatchObject({ version: 1, keys: [{ kid: 'k', createdAt: 7, stateSince: 7 }] });
  expect(await store.listRingVersions()).toEqual(new Map([['id-token', 1]]));
  const change = { ring: 'id-token', keys: ring.keys, record: null };
  expect(await store.replaceRing({ ...change, expectedVersion: 0 })).toBe(false);
  expect(await store.replaceRing({ ...change, expectedVersion: 1 })).toBe(true);
  expect(await store.listRingVersions()).toEqual(new Map([['id-token', 2]]));
  await store.close();
});

/** A decision's row as version 6 had it. */
function decisionRow(record: DecisionRecord): string {
  const { role, claims, trace, ...rest } = record;
  const columns = {
    id: rest.id,
    at: rest.at,
    outcome: rest.outcome,
    wire: rest.wire,
    role_tenant: role?.tenant ?? null,
    role_name: role?.name ?? null,
    issuer: rest.issuer,
    subject: rest.subject,
    job_id: rest.jobId,
    token_id: rest.tokenId,
    reason: rest.reason,
    detail: rest.detail,
    session_id: rest.sessionId,
    remote_address: rest.remoteAddress,
    claims: JSON.stringify(claims),
    trace: JSON.stringify(trace),
  };
  const literal = (value: string | number | null): string =>
    value === null ? 'NULL' : typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
  return `INSERT INTO decision (${Object.keys(columns).join()}) VALUES (${Object.values(columns).map(literal).join()})`;
}

test('an STS’s decisions of before are found as they were; they stand outside every chain, and sessions live on', async () => {
  const granted = grantedRecord('1');
  const refused = refusedRecord('2', { detail: "it's late" });
  const session = `INSERT INTO session (id, decision_id, role_tenant, role_name, gateway_group, issuer, subject, job_id,
    job_bound, issued_at, expires_at, claims) VALUES ('S1', 'D1', 'main', 'r', 'artifacts', 'i', 's', 'J1', 1, 1, 99, '{}')`;
  const path = await leave(STS_SCHEMA, 6, [decisionRow(granted), decisionRow(refused), session]);
  const store = await openSqliteSts({ path });
  expect(await store.findDecisions('D1')).toStrictEqual([granted]);
  expect(await store.listDecisions(10)).toStrictEqual([refused, granted]);
  expect(await store.listDecisions(10, { tenants: ['main'] })).toStrictEqual([granted]);
  expect(await store.findSession('S1')).toMatchObject({ decisionId: 'D1', issuer: 'i', parentId: null });
  expect(await store.listHeads()).toEqual([
    { writer: UNCHAINED, sequence: 2, hash: '', pruned: { sequence: 0, hash: '' } },
  ]);
  await store.recordRefusal(refusedRecord('3'));
  expect((await store.listHeads()).map(({ sequence }) => sequence).toSorted()).toEqual([1, 2]);
  await store.close();
});

test('a server without decisions of before has no writer', async () => {
  const stores = [
    await openSqliteSts({ path: await leave(STS_SCHEMA, 6, []) }),
    await openSqliteIssuer({ path: await leave(ISSUER_SCHEMA, 3, []) }),
    await openSqliteKeys({ path: await leave(GATEWAY_SCHEMA, 1, []) }),
  ];
  for (const store of stores) {
    expect(await store.listHeads()).toEqual([]);
    await store.close();
  }
});

test('of a token that an STS’s role took before, nothing is known but its use, and of an identity not since when it was', async () => {
  const use = `INSERT INTO token_use (exp, iss, jti) VALUES (99, 'i', 'j')`;
  const federation = JSON.stringify({ provider: '//p', claims: {}, tokenExpiresAt: 99 });
  const session = `INSERT INTO session (id, decision_id, role_tenant, role_name, gateway_group, issuer, subject, job_bound,
    issued_at, expires_at, claims, tags, federation) VALUES ('S1', 'D1', '', '', '', 'i', 's', 0, 1, 99, '{}', '{}', '${federation}')`;
  const store = await openSqliteSts({ path: await leave(STS_SCHEMA, 8, [use, session]) });
  const known = { sessionId: '', decisionId: null, client: null, usedAt: 0 };
  expect(await store.findUse({ exp: 99, iss: 'i', jti: 'j' })).toEqual(known);
  expect(await store.findSession('S1')).toMatchObject({ federation: { tokenIssuedAt: 0 } });
  await store.close();
});

test('a freeze of before counts as set by the authority over all tenants, and so does one that an earlier version sets', async () => {
  const freeze = (name: string): string => `INSERT INTO freeze (scope, name, since) VALUES ('tenant', '${name}', 7)`;
  const path = await leave(STS_SCHEMA, 11, [freeze('before')]);
  await (await openSqliteSts({ path })).close();
  const store = await openSqliteSts({ path: await leave(STS_SCHEMA, 11, [freeze('later')]) });
  expect(await store.listFreezes()).toEqual([
    { scope: 'tenant', name: 'before', since: 7, reach: 'all' },
    { scope: 'tenant', name: 'later', since: 7, reach: 'all' },
  ]);
  await store.close();
});
