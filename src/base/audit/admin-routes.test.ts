// The operator's routes to the audit chains: who may ask for what, and what comes.
import { beforeEach, describe, expect, test } from 'vitest';
import { CountingRandom } from '../../../test/fakes/counting-random.ts';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { matchPath } from '../../../test/fakes/match-path.ts';
import { MemoryAuditStore } from '../../../test/fakes/memory-audit-store.ts';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import { actionRecord } from '../../storage/conformance/fixtures.ts';
import { ClientRegistry } from '../client-auth/authenticate.ts';
import { hashClientSecret } from '../client-auth/secret.ts';
import type { JsonObject } from '../core/json.ts';
import { Secret } from '../core/secret.ts';
import { RefusalDesk } from '../refusal/desk.ts';
import { type AuditGrant, auditRoutes } from './admin-routes.ts';
import { appendEntry } from './chain.ts';

const SECRET = 'a-secret-of-an-operator';
const clients: readonly (readonly [string, AuditGrant])[] = [
  ['auditor', { audit: true }],
  ['reader', { audit: false, read: ['main'] }],
  ['nobody', { audit: false, read: [] }],
];
const KEYS = [{ state: 'expired', jwk: { kty: 'EC', kid: 'k1' } }];

let clock: FrozenClock;
let store: MemoryAuditStore;
let pruned: unknown[];
let call: (name: string, route: string, json?: unknown) => Promise<{ status: number; json: JsonObject }>;

beforeEach(() => {
  clock = new FrozenClock();
  store = new MemoryAuditStore();
  pruned = [];
  const ports = { clock, random: new CountingRandom(), log: new MemoryLog() };
  const entry = ([name, may]: readonly [string, AuditGrant]) => ({
    name,
    secretHashes: [hashClientSecret(new Secret(SECRET))],
    jwks: null,
    expiresAt: null,
    may,
  });
  const routes = auditRoutes({
    ...ports,
    clients: new ClientRegistry({ clients: clients.map(entry), audience: 'https://sts.example.com', clock }),
    refusals: new RefusalDesk(ports),
    store,
    upkeep: {
      prune: async (asked) => {
        pruned.push(asked);
        return { records: 7 };
      },
    },
    issuer: 'https://sts.example.com',
    checkpointKeys: async () => KEYS,
  });
  call = async (name, route, json) => {
    const [method = '', path = ''] = route.split(' ');
    for (const candidate of routes) {
      const params = candidate.method === method ? matchPath(candidate.path, path) : undefined;
      if (params === undefined) continue;
      const answer = await candidate.handle({
        method,
        params,
        query: '',
        headers: { authorization: `Basic ${Buffer.from(`${name}:${SECRET}`).toString('base64')}` },
        body: Buffer.from(json === undefined ? '' : JSON.stringify(json)),
        remoteAddress: '',
        signal: new AbortController().signal,
      });
      return { status: answer.status, json: JSON.parse(String(answer.body)) };
    }
    throw new Error(`no route for ${route}`);
  };
});

const record = (name: string, tenant: string | null = 'main') =>
  store.recordAction(actionRecord(name, { tenant, at: clock.nowMs() }));
const ids = ({ json }: { json: JsonObject }) =>
  (json.entries as unknown as { index: { id: string } }[]).map(({ index }) => index.id);
const tail = (name: string, json: JsonObject) => call(name, 'POST /admin/v1/audit/tail', json);

describe('whoever may audit', () => {
  test('reads heads, entries page by page, checkpoints and keys', async () => {
    await record('1');
    await record('2', null);
    await store.insertCheckpoint({ at: 5, jws: 'jws' });
    const heads = await call('auditor', 'GET /admin/v1/audit/heads');
    expect(heads).toEqual({ status: 200, json: { issuer: 'https://sts.example.com', heads: await store.listHeads() } });
    const writer = (await store.listHeads())[0]?.writer;
    const page = await call('auditor', `GET /admin/v1/audit/entries/${writer}/0`);
    expect(page.json.entries).toEqual(JSON.parse(JSON.stringify(store.entries)));
    expect(ids(await call('auditor', `GET /admin/v1/audit/entries/${writer}/1`))).toEqual(['A2']);
    expect(ids(await call('auditor', `GET /admin/v1/audit/entries/${writer}/2`))).toEqual([]);
    expect((await call('auditor', 'GET /admin/v1/audit/checkpoints/4')).json).toEqual({
      checkpoints: [{ at: 5, jws: 'jws' }],
    });
    expect((await call('auditor', 'GET /admin/v1/audit/keys')).json).toEqual({ keys: KEYS });
  });

  test('prunes what is older than a day, in their own name', async () => {
    const before = clock.nowMs() - 86_400_000;
    const answer = await call('auditor', 'POST /admin/v1/audit/prune', { before });
    expect(answer).toEqual({ status: 200, json: { records: 7 } });
    expect(pruned).toEqual([{ before, actor: { kind: 'client', name: 'auditor' } }]);
    expect((await call('auditor', 'POST /admin/v1/audit/prune', { before: before + 1 })).status).toBe(400);
    expect((await call('auditor', 'POST /admin/v1/audit/prune', { before: '1' })).status).toBe(400);
    expect(pruned).toHaveLength(1);
  });

  test('gets a page that is not too large, and never an empty one for a large record', async () => {
    const large = 'x'.repeat(5 * 1024 * 1024);
    for (const name of ['1', '2']) await store.recordAction(actionRecord(name, { detail: { large } }));
    const writer = (await store.listHeads())[0]?.writer;
    expect(ids(await call('auditor', `GET /admin/v1/audit/entries/${writer}/0`))).toEqual(['A1']);
    expect(ids(await call('auditor', `GET /admin/v1/audit/entries/${writer}/1`))).toEqual(['A2']);
  });

  test('misses nothing of a tail that is too large for one answer', async () => {
    const large = 'x'.repeat(5 * 1024 * 1024);
    await record('0');
    const begun = (await tail('auditor', { limit: 9 })).json.after as JsonObject;
    for (const name of ['1', '2']) await store.recordAction(actionRecord(name, { detail: { large } }));
    const first = await tail('auditor', { limit: 9, after: begun });
    expect(ids(first)).toEqual(['A1']);
    expect(ids(await tail('auditor', { limit: 9, after: first.json.after as JsonObject }))).toEqual(['A2']);
    // Of the newest, those that are left out are the oldest.
    expect(ids(await tail('auditor', { limit: 9 }))).toEqual(['A2']);
  });

  test.each(['entries/W/x', 'entries/W/-1', 'entries/W/01', 'checkpoints/1.5', 'checkpoints/99999999999999999'])(
    'is told of a place that is none: %s',
    async (path) => {
      expect((await call('auditor', `GET /admin/v1/audit/${path}`)).status).toBe(400);
    },
  );
});

describe('the tail', () => {
  test('is the newest records, oldest first, then everything after them, each once', async () => {
    for (const name of ['1', '2', '3']) await record(name);
    const first = await tail('auditor', { limit: 2 });
    expect(ids(first)).toEqual(['A2', 'A3']);
    const { after } = first.json;
    expect(ids(await tail('auditor', { limit: 2, after: after ?? null }))).toEqual([]);
    for (const name of ['4', '5', '6']) await record(name);
    const second = await tail('auditor', { limit: 2, after: after ?? null });
    expect(ids(second)).toEqual(['A4', 'A5']);
    expect(ids(await tail('auditor', { limit: 2, after: second.json.after ?? null }))).toEqual(['A6']);
  });

  test('of whoever reads a tenant has that tenant’s records alone', async () => {
    await record('1');
    await record('2', 'other');
    await record('3', null);
    const first = await tail('reader', { limit: 10 });
    expect(ids(first)).toEqual(['A1']);
    await record('4', 'other');
    await record('5');
    expect(ids(await tail('reader', { limit: 10, after: first.json.after ?? null }))).toEqual(['A5']);
  });

  test('of a chain that began meanwhile comes from its beginning', async () => {
    const { after } = (await tail('auditor', { limit: 10 })).json;
    expect(after).toEqual({});
    await record('1');
    expect(ids(await tail('auditor', { limit: 10, after: after ?? null }))).toEqual(['A1']);
  });

  test('does not tell twice what came while it was read', async () => {
    await record('1');
    const { listNewestEntries } = store;
    store.listNewestEntries = async (limit, only) => {
      await record('2');
      return listNewestEntries.call(store, limit, only);
    };
    const first = await tail('auditor', { limit: 10 });
    expect(ids(first)).toEqual(['A1']);
    expect(ids(await tail('auditor', { limit: 10, after: first.json.after ?? null }))).toEqual(['A2']);
  });

  test.each([{}, { limit: 0 }, { limit: 1000 }, { limit: 1, after: { W: -1 } }, { limit: 1, more: 1 }])(
    'wants limit and perhaps after: %j',
    async (json) => {
      expect((await tail('auditor', json)).status).toBe(400);
    },
  );
});

describe('nobody else', () => {
  test.each([
    'GET /admin/v1/audit/heads',
    'GET /admin/v1/audit/entries/W/0',
    'GET /admin/v1/audit/checkpoints/0',
    'GET /admin/v1/audit/keys',
    'POST /admin/v1/audit/prune',
  ])('may ask %s', async (route) => {
    const json = route.startsWith('POST') ? { before: 0 } : undefined;
    for (const name of ['reader', 'nobody'])
      expect(await call(name, route, json)).toMatchObject({ status: 403, json: { message: /may\.audit/ } });
    expect((await call('stranger', route, json)).status).toBe(401);
    expect(pruned).toEqual([]);
  });

  test('may see the tail', async () => {
    expect((await tail('nobody', { limit: 1 })).status).toBe(403);
    expect((await tail('stranger', { limit: 1 })).status).toBe(401);
  });
});

test('an entry as it is answered proves itself', async () => {
  await record('1');
  const writer = (await store.listHeads())[0]?.writer ?? '';
  const { json } = await call('auditor', `GET /admin/v1/audit/entries/${writer}/0`);
  const [{ body, hash }] = json.entries as unknown as [{ body: string; hash: string }];
  expect(appendEntry({ writer, sequence: 0, hash: '' }, body).hash).toBe(hash);
});
