// What operators may do with key rings, through the routes that they use.
import { randomBytes, X509Certificate } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryKeyStore } from '../../test/fakes/memory-key-store.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { ClientRegistry } from '../base/client-auth/authenticate.ts';
import { hashClientSecret } from '../base/client-auth/secret.ts';
import type { JsonObject } from '../base/core/json.ts';
import { MAX_RING_KEYS } from '../base/core/limits.ts';
import { Secret } from '../base/core/secret.ts';
import type { HttpRequest } from '../base/ports/http.ts';
import { RefusalDesk } from '../base/refusal/desk.ts';
import { keyRoutes } from './admin-routes.ts';
import { groupKind } from './group-key.ts';
import { KeyKeeper } from './keeper.ts';
import { KeyEncryptionKey } from './kek.ts';
import { retainSecondsFor } from './lifecycle.ts';
import { LiveRing, signingKind } from './live-ring.ts';
import type { StoredKey } from './store.ts';

const kek = KeyEncryptionKey.fromBytes(Buffer.alloc(32, 7));
const random = { bytes: randomBytes };
const schedule = { rotateEverySeconds: 7_776_000, publishSeconds: 86_400, retainSeconds: retainSecondsFor(3600) };
const secret = new Secret('the-secret-of-every-operator-here');

let clock: FrozenClock;
let store: MemoryKeyStore;
let keeper: KeyKeeper;
let routes: ReturnType<typeof keyRoutes>;

beforeEach(async () => {
  clock = new FrozenClock();
  store = new MemoryKeyStore();
  const log = new MemoryLog();
  const deps = { store, clock, random };
  const rings = [
    await LiveRing.open(signingKind({ ring: 'id-token', algorithm: 'ES256', kek }, schedule), deps),
    await LiveRing.open(groupKind({ ring: 'group/artifacts', kek, random }, schedule), deps),
  ];
  keeper = new KeyKeeper({ store, rings, clock, log, server: 'sts' });
  const client = (name: string, keys: readonly string[]) => ({
    name,
    secretHashes: [hashClientSecret(secret)],
    jwks: null,
    expiresAt: null,
    may: { keys },
  });
  const clients = new ClientRegistry({
    clients: [client('ann', ['*']), client('bob', ['group/artifacts']), client('eve', [])],
    audience: 'https://sts.example.com',
    clock,
  });
  const rewrap = { store, kek, clock, random };
  const files = () => new Map([['.well-known/jwks', '{"keys":[]}']]);
  routes = keyRoutes({ clients, refusals: new RefusalDesk({ clock, random, log }) }, { keeper, rewrap, files });
});

async function ask(verb: string | null, body: JsonObject | null = null, as = 'ann') {
  const path = verb === null ? '/admin/v1/keys' : `/admin/v1/keys/${verb}`;
  const route = routes.find((one) => one.path === path);
  if (route === undefined) throw new Error(`no route ${path}`);
  const authorization = `Basic ${Buffer.from(`${as}:${secret.reveal()}`).toString('base64')}`;
  const request = {
    method: route.method,
    params: {},
    query: '',
    headers: as === '' ? {} : { authorization },
    body: Buffer.from(body === null ? '' : JSON.stringify(body)),
    remoteAddress: '',
    signal: new AbortController().signal,
  } satisfies HttpRequest;
  const { body: text, status } = await route.handle(request);
  return { status, json: JSON.parse(String(text)) };
}

const ringNow = async (ring = 'id-token'): Promise<readonly StoredKey[]> => (await store.readRing(ring)).keys;
const states = async (ring = 'id-token') => (await ringNow(ring)).map(({ state }) => state);
const nth = async (at: number, ring = 'id-token') => (await ringNow(ring))[at]?.kid ?? '';

describe('the list', () => {
  test('tells every key, what comes next and when, and the fingerprints that clouds pin', async () => {
    await ask('prepare', { ring: 'id-token' });
    const { json, status } = await ask(null);
    expect(status).toBe(200);
    const [idToken, group] = json.rings;
    const now = clock.nowSeconds();
    expect(idToken).toMatchObject({
      ring: 'id-token',
      version: 2,
      rotate_every_seconds: 7_776_000,
      publish_seconds: 86_400,
      retain_seconds: 4260,
      cache_seconds: 300,
      steps: [{ kind: 'activate', kid: await nth(1), at: now + 7_776_000 }],
      keys: [{ state: 'active' }, { state: 'prepared', since: now, created_at: now }],
    });
    const certificate = new X509Certificate(Buffer.from(idToken.keys[0].public_jwk.x5c[0], 'base64'));
    expect(idToken.keys[0].certificate).toEqual({
      sha1: certificate.fingerprint.replaceAll(':', ''),
      sha256: certificate.fingerprint256.replaceAll(':', ''),
    });
    expect(group.keys).toEqual([expect.not.objectContaining({ public_jwk: expect.anything() })]);
    expect(JSON.stringify(json)).not.toMatch(/sealed|"d"/);
  });

  test('shows an operator the rings of their entry, and others none', async () => {
    const { json } = await ask(null, null, 'bob');
    expect(json.rings.map(({ ring }: { ring: string }) => ring)).toEqual(['group/artifacts']);
    expect((await ask(null, null, 'eve')).status).toBe(403);
    expect((await ask(null, null, '')).status).toBe(401);
  });

  test('still tells the public part of a key that is gone, and never one that was planted there', async () => {
    await ask('revoke', { ring: 'id-token', kid: await nth(0) });
    const { json } = await ask(null);
    expect(json.rings[0].keys[0]).toMatchObject({ state: 'revoked', public_jwk: { kid: await nth(0) } });
    const [gone, active] = await ringNow();
    if (gone === undefined || active === undefined) throw new Error('no keys');
    for (const planted of [
      { ...gone, kid: 'other' },
      { ...gone, publicJwk: active.publicJwk },
    ]) {
      await store.replaceRing({
        ring: 'id-token',
        expectedVersion: (await store.readRing('id-token')).version,
        keys: [planted, active],
        record: null,
      });
      expect((await ask(null)).status).toBe(503);
    }
  });
});

describe('a rotation by hand', () => {
  test('is prepared, activated once caches know the key, and the old key goes by itself', async () => {
    expect((await ask('prepare', { ring: 'id-token' })).json.ring.keys).toHaveLength(2);
    clock.advance(86_399);
    const early = await ask('activate', { ring: 'id-token' });
    expect([early.status, early.json.message]).toEqual([409, expect.stringMatching(/1 s are missing/)]);
    clock.advance(1);
    expect((await ask('activate', { ring: 'id-token' })).json.done).toEqual({
      action: 'key.activate',
      key: await nth(1),
      detail: {},
    });
    expect(await states()).toEqual(['retired', 'active']);
    clock.advance(4260);
    await keeper.tick();
    expect(await states()).toEqual(['expired', 'active']);
  });

  test('takes effect in this server at once, and is on record under the operator’s name', async () => {
    const told: number[] = [];
    keeper.onChange(() => told.push(keeper.rings[0]?.version ?? 0));
    await ask('prepare', { ring: 'id-token' });
    await ask('activate', { ring: 'id-token', early: true });
    expect(told).toEqual([2, 3]);
    const target = `ring id-token key ${await nth(1)}`;
    const actor = { kind: 'client', name: 'ann' };
    expect(store.actions).toMatchObject([
      { action: 'key.prepare', target, actor, tenant: null, detail: {} },
      { action: 'key.activate', target, actor, tenant: null, detail: { early: true } },
    ]);
  });

  test('may name a key by the beginning of its id', async () => {
    await ask('prepare', { ring: 'id-token' });
    await ask('prepare', { ring: 'id-token' });
    const kid = await nth(2);
    await ask('activate', { ring: 'id-token', kid: kid.slice(0, 6), early: true });
    expect(await states()).toEqual(['retired', 'prepared', 'active']);
    expect((await ask('activate', { ring: 'id-token', kid: kid.slice(0, 3) })).status).toBe(404);
  });
});

describe('retiring', () => {
  test('takes back a prepared key at once, and a retired one only early', async () => {
    await ask('prepare', { ring: 'id-token' });
    await ask('prepare', { ring: 'id-token' });
    expect((await ask('retire', { ring: 'id-token', kid: await nth(2) })).status).toBe(200);
    await ask('activate', { ring: 'id-token', early: true });
    const refused = await ask('retire', { ring: 'id-token', kid: await nth(0) });
    expect([refused.status, refused.json.message]).toEqual([
      409,
      expect.stringMatching(/may be alive for another 1 h 11 min/),
    ]);
    expect((await ask('retire', { ring: 'id-token', kid: await nth(0), early: true })).status).toBe(200);
    expect(await states()).toEqual(['expired', 'active', 'expired']);
  });
});

describe('revoking', () => {
  test('the active key takes it away at once, and another one signs', async () => {
    const kid = await nth(0);
    const { json } = await ask('revoke', { ring: 'id-token', kid });
    expect(json.done).toEqual({
      action: 'key.revoke',
      key: kid,
      detail: { was: 'active', signing: await nth(1) },
    });
    expect(await states()).toEqual(['revoked', 'active']);
    const [gone] = await ringNow();
    // Nonce and tag, and nothing between them.
    expect(gone?.sealed).toHaveLength(28);
  });

  test('lets the prepared key sign, which others know already', async () => {
    await ask('prepare', { ring: 'group/artifacts' });
    await ask('revoke', { ring: 'group/artifacts', kid: await nth(0, 'group/artifacts') }, 'bob');
    expect(await states('group/artifacts')).toEqual(['revoked', 'active']);
    expect(store.actions.at(-1)).toMatchObject({ action: 'key.revoke', actor: { name: 'bob' } });
  });
});

test('what a web host serves is told to any operator of keys', async () => {
  expect((await ask('files')).json).toEqual({ files: { '.well-known/jwks': '{"keys":[]}' } });
  expect((await ask('files', null, 'eve')).status).toBe(403);
});

describe('sealing anew', () => {
  test('is for operators of all rings, and reaches every key of the store', async () => {
    await ask('revoke', { ring: 'id-token', kid: await nth(0) });
    const before = store.keys.map(({ sealed }) => Buffer.from(sealed).toString('hex'));
    expect((await ask('rewrap', {}, 'bob')).status).toBe(403);
    expect((await ask('rewrap', {})).json).toEqual({ rewrapped: { 'id-token': 2, 'group/artifacts': 1 } });
    expect(store.keys.filter(({ sealed }) => before.includes(Buffer.from(sealed).toString('hex')))).toEqual([]);
    const anew = (target: string, keys: number) =>
      expect.objectContaining({
        action: 'key.rewrap',
        target,
        actor: { kind: 'client', name: 'ann' },
        detail: { keys },
      });
    expect(store.actions.slice(1)).toEqual(
      expect.arrayContaining([anew('ring id-token', 2), anew('ring group/artifacts', 1)]),
    );
  });
});

describe('is refused, and changes and records nothing', () => {
  test.each([
    ['an operator without the ring', 'prepare', { ring: 'id-token' }, 'bob', 403],
    ['an operator of no ring', 'revoke', { ring: 'group/artifacts', kid: 'x' }, 'eve', 403],
    ['a stranger', 'prepare', { ring: 'id-token' }, '', 401],
    ['a ring that is not here', 'prepare', { ring: 'access-token' }, 'ann', 404],
    ['no ring', 'prepare', {}, 'ann', 400],
    ['what nobody knows', 'prepare', { ring: 'id-token', force: true }, 'ann', 400],
    ['activating without a prepared key', 'activate', { ring: 'id-token' }, 'ann', 409],
    ['a key that is not there', 'revoke', { ring: 'id-token', kid: 'nothing' }, 'ann', 404],
    ['revoking nothing', 'revoke', { ring: 'id-token' }, 'ann', 409],
    ['retiring nothing', 'retire', { ring: 'id-token' }, 'ann', 409],
  ] as const)('%s', async (_what, verb, body, as, status) => {
    expect((await ask(verb, body, as)).status).toBe(status);
    expect([await states(), await states('group/artifacts'), store.actions]).toEqual([['active'], ['active'], []]);
  });

  test('activating or retiring the key that signs, and doing a thing twice', async () => {
    const kid = await nth(0);
    expect((await ask('activate', { ring: 'id-token', kid, early: true })).status).toBe(409);
    expect((await ask('retire', { ring: 'id-token', kid, early: true })).status).toBe(409);
    await ask('revoke', { ring: 'id-token', kid });
    for (const verb of ['revoke', 'retire', 'activate']) {
      expect((await ask(verb, { ring: 'id-token', kid, early: true })).status).toBe(409);
    }
    expect(store.actions).toHaveLength(1);
  });

  test('more keys than one key set and one feed message hold', async () => {
    for (let made = 1; made < MAX_RING_KEYS; made += 1) await ask('prepare', { ring: 'group/artifacts' });
    expect((await ask('prepare', { ring: 'group/artifacts' })).status).toBe(409);
    expect(await states('group/artifacts')).toHaveLength(MAX_RING_KEYS);
  });
});
