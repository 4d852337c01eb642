// A gateway on the real STS's feed: real client authentication, real wrapping of the group key, a real socket between them.
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGuardedFetch } from '../../src/app/net/guarded-fetch.ts';
import { ClientRegistry } from '../../src/base/client-auth/authenticate.ts';
import type { StsGrant } from '../../src/base/client-auth/client.ts';
import { hashClientSecret, newClientSecret } from '../../src/base/client-auth/secret.ts';
import { ACCESS_TOKEN_TYPE, accessTokenClaims } from '../../src/base/credential/access-token.ts';
import { assembleJws } from '../../src/base/jwt/assemble.ts';
import { createGateway, createGatewayServer, type Gateway } from '../../src/gateway/gateway.ts';
import { KeyEncryptionKey } from '../../src/keys/kek.ts';
import { KeyRing } from '../../src/keys/ring.ts';
import { GatewayKey } from '../../src/keys/wrap.ts';
import { createSts, type Sts } from '../../src/sts/sts.ts';
import { gatewaySettings } from '../fakes/feed-sts.ts';
import { groupKeysOf } from '../fakes/group-keys.ts';
import { listen, until } from '../fakes/guarded-resource.ts';
import { MemoryKeyStore } from '../fakes/memory-key-store.ts';
import { MemoryLog } from '../fakes/memory-log.ts';
import { MemoryStsStore } from '../fakes/memory-sts-store.ts';
import { MovingClock } from '../fakes/moving-clock.ts';
import { roleText, wideCeiling } from '../fakes/roles.ts';
import { type LoopbackServer, serveOnLoopback } from '../fakes/serve-on-loopback.ts';

const clock = new MovingClock();
const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
const kek = KeyEncryptionKey.fromBytes(random.bytes(32));

let store: MemoryStsStore;
let keys: KeyRing;
let sts: Sts;
let server: LoopbackServer;
let gateway: Gateway;
let upstream: Server;
let guard: Server;
let guardUrl: string;
let log: MemoryLog;

/** The gateway's key and the one that the STS wraps to: the same, unless a test says otherwise. */
async function startAll(o: { readonly wrapToAnother?: boolean } = {}): Promise<void> {
  const own = await openKey();
  const registered = o.wrapToAnother === true ? await openKey() : own;
  const secret = newClientSecret(random);
  store = new MemoryStsStore();
  log = new MemoryLog();
  keys = await KeyRing.open({ ring: 'access-token', algorithm: 'ES256', store: new MemoryKeyStore(), kek, clock });
  server = await serveOnLoopback(async (url) => {
    const may: StsGrant = {
      feed: 'store',
      read: [],
      evaluate: [],
      introspect: [],
      revoke: [],
      operate: false,
      keys: [],
      audit: false,
    };
    const client = {
      name: 'gateway store',
      secretHashes: [hashClientSecret(secret)],
      jwks: null,
      expiresAt: null,
      may,
    };
    const permissions = '[{ effect: allow, actions: ["http:GET"], resources: ["arn:jobpass:http:::store/web/*"] }]';
    const trust = '[{ issuer: "https://ci.example.com", claims: { owner_id: "42" } }]';
    sts = createSts({
      settings: {
        url,
        azureAuthority: url,
        trustedIssuers: [],
        tenants: [wideCeiling()],
        gateways: [{ name: 'store', group: 'artifacts', url: null, publicKeys: [registered.publicJwk] }],
        awsPolicies: new Map(),
        policiesFolder: '',
        clockSkewSeconds: 30,
      },
      ...{ store, keys, clock, random, log, fetch: createGuardedFetch().fetch },
      groupKeys: new Map([['artifacts', { view: groupKeysOf(7) }]]),
      clients: new ClientRegistry({ clients: [client], audience: url, clock }),
      policySource: {
        list: async () => [
          { path: 'main/publish-web.yaml', bytes: new TextEncoder().encode(roleText({ trust, permissions })) },
        ],
        read: async () => undefined,
        watch: () => () => {},
      },
    });
    await sts.start();
    return sts.routes;
  });
  upstream = createServer((_req, res) => res.end('content'));
  gateway = createGateway({
    settings: gatewaySettings({
      sts: { url: server.url, network: 'loopback', client: 'gateway store', secret },
      upstream: `http://127.0.0.1:${await listen(upstream)}`,
    }),
    ...{ key: own, clock, random, log, fetch: createGuardedFetch().fetch },
  });
  if (gateway.front === null) throw new Error('the gateway has no guard');
  guard = createGatewayServer(gateway.front);
  guardUrl = `http://127.0.0.1:${await listen(guard)}`;
  gateway.start();
}

async function stopAll(): Promise<void> {
  guard.closeAllConnections();
  guard.close();
  upstream.close();
  await gateway.close();
  await sts.close();
  await server.close();
}

const openKey = () => GatewayKey.open({ ring: 'gateway/store', store: new MemoryKeyStore(), kek, clock });

async function get(path: string, sessionId = 'S1'): Promise<number> {
  const now = clock.nowSeconds();
  const session = {
    issuer: server.url,
    sessionId,
    role: 'main/publish-web',
    group: 'artifacts',
    subject: 'owner:acme@42:pipeline:web@7',
    jobIssuer: 'https://ci.example.com',
    jobId: 'J1',
    jobBound: false,
    claims: {},
    issuedAt: now,
    expiresAt: now + 600,
    tags: {},
    sourceIdentity: null,
    policy: null,
  };
  const token = await assembleJws({ typ: ACCESS_TOKEN_TYPE }, accessTokenClaims(session), keys.signer());
  return (await fetch(`${guardUrl}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
}

describe('a gateway on the feed of the STS', () => {
  beforeEach(() => startAll());
  afterEach(stopAll);

  test('becomes ready, and decides by the policies of the STS', async () => {
    await until(() => gateway.ready());
    expect([await get('/web/a'), await get('/other/a')]).toEqual([200, 403]);
  });

  test('is told to wait for nothing: a heartbeat each second, not a storm of polls', async () => {
    await until(() => gateway.ready());
    const before = server.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const polls = server.requests.length - before;
    expect(polls).toBeGreaterThanOrEqual(2);
    expect(polls).toBeLessThanOrEqual(4);
    expect(server.requests.filter((line) => line.includes('/.well-known/jwks'))).toHaveLength(1);
  });

  test('refuses a session within 2 s of its end', async () => {
    await until(() => gateway.ready());
    expect(await get('/web/a')).toBe(200);
    store.endedGroups.set('S1', 'artifacts');
    store.ended.push({ sequence: 1, sessionId: 'S1', expiresAt: clock.nowSeconds() + 600 });
    const tookMs = await until(async () => (await get('/web/a')) === 403);
    expect(tookMs).toBeLessThan(2000);
    expect(await get('/web/a', 'S2')).toBe(200);
  });
});

describe('a gateway whose public key the STS does not have', () => {
  afterEach(stopAll);

  test('judges sessions and says that it is not ready', async () => {
    await startAll({ wrapToAnother: true });
    await until(async () => (await get('/web/a')) === 200);
    expect(await gateway.ready()).toBe(false);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});
