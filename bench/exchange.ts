// How an exchange compares with the raw signing rate, what durability costs it, and what each wire costs. `node bench/exchange.ts`, about 40 s.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ClientRegistry } from '../src/base/client-auth/authenticate.ts';
import type { StsGrant } from '../src/base/client-auth/client.ts';
import type { JsonObject } from '../src/base/core/json.ts';
import { ok } from '../src/base/core/result.ts';
import { identityClaims } from '../src/base/identity/claims.ts';
import { assembleJws } from '../src/base/jwt/assemble.ts';
import type { GuardedFetch } from '../src/base/ports/fetch.ts';
import { KeyEncryptionKey } from '../src/keys/kek.ts';
import { KeyRing } from '../src/keys/ring.ts';
import { FACTS, grantOf } from '../src/storage/conformance/fixtures.ts';
import { openSqliteIssuer, openSqliteSts } from '../src/storage/sqlite/open.ts';
import { createSts } from '../src/sts/sts.ts';
import { groupKeysOf } from '../test/fakes/group-keys.ts';
import { measure, printRates, printRatio, type Subject } from './measure.ts';
import { answering, clock, log, RAW, random, rawSigning, routeOf, temporaryFolder } from './parts.ts';
import { AZURE_CLIENT, AZURE_TENANT, PROVIDER, ROLE_ARN, toHttp, wireRequests } from './wire-requests.ts';

const ISSUER = 'https://ci.example.com';
const STS = 'https://sts.example.com';
/** Many short rounds: what disturbs a shared machine then hits both sides of a ratio. */
const PLAN = { rounds: 25, millisecondsEach: 120 };

const POLICY = `
role: publish-web
trust:
  - issuer: ${ISSUER}
    claims:
      owner_id: "42"
      pipeline_id: "7"
      ref: refs/heads/main
      environment: [production, staging]
session: { gateway: artifacts, max_duration: 30m }
permissions:
  - { effect: allow, actions: ["http:PUT"], resources: ["arn:jobpass:http:::artifacts/\${claims.pipeline_id}/*"] }
aws: { role_arn: "${ROLE_ARN}" }
gcp: { provider: "${PROVIDER}" }
azure: { tenant: "${AZURE_TENANT}", client_id: "${AZURE_CLIENT}" }
`;

const CEILING = {
  tenant: 'main',
  issuers: [ISSUER],
  actions: ['http:*'],
  resources: ['arn:jobpass:http:::artifacts/*'],
  gateways: ['artifacts'],
  maxDurationSeconds: 3600,
  awsAccounts: 'all' as const,
  gcpProjects: 'all' as const,
  azureTenants: 'all' as const,
};

type Store = Awaited<ReturnType<typeof openSqliteSts>>;
const kek = KeyEncryptionKey.fromBytes(randomBytes(32));

/** An RS256 ID token with every claim of a job, good for the length of the run, and the keys it is verified with. */
async function issuerSide() {
  const store = await openSqliteIssuer({ memory: true });
  const keys = await KeyRing.open({ ring: 'id-token', algorithm: 'RS256', store, kek, clock });
  const now = clock.nowSeconds();
  const identity = identityClaims(FACTS, { profile: 'jobpass', jobId: 'J1', deadline: now + 3600 });
  const registered = { iss: ISSUER, aud: STS, iat: now, nbf: now, exp: now + 600, jti: 'bench' };
  const token = await assembleJws({ typ: 'JWT' }, { ...identity, ...registered }, keys.signer());
  await store.close();
  return { token, jwks: keys.publicJwks() };
}

/** The issuer's discovery document and key set, and nothing else of it. */
const discoveryOf =
  (jwks: JsonObject): GuardedFetch =>
  async ({ url }) => {
    const document = { issuer: ISSUER, jwks_uri: `${ISSUER}/.well-known/jwks` };
    const body = url === document.jwks_uri ? jwks : document;
    return ok({ status: 200, headers: {}, body: new TextEncoder().encode(JSON.stringify(body)) });
  };

/** The wires of an STS on `store`. It fetches the issuer's keys once; its jobs' ends are not learnt. */
async function exchangeOn(store: Store, issuer: Awaited<ReturnType<typeof issuerSide>>) {
  const sts = createSts({
    settings: {
      url: STS,
      azureAuthority: STS,
      trustedIssuers: [
        {
          issuer: ISSUER,
          audiences: [STS],
          algorithms: ['RS256'],
          network: 'public',
          jobStatus: { kind: 'none' },
          maxSessionSeconds: null,
        },
      ],
      tenants: [CEILING],
      gateways: [],
      awsPolicies: new Map(),
      policiesFolder: 'policies',
      clockSkewSeconds: 30,
    },
    store,
    keys: await KeyRing.open({ ring: 'access-token', algorithm: 'ES256', store, kek, clock }),
    groupKeys: new Map([['artifacts', { view: groupKeysOf(1) }]]),
    clients: new ClientRegistry<StsGrant>({ clients: [], audience: STS, clock }),
    policySource: {
      list: async () => [{ path: 'main/publish-web.yaml', bytes: new TextEncoder().encode(POLICY) }],
      read: async () => undefined,
      watch: () => () => {},
    },
    fetch: discoveryOf(issuer.jwks),
    clock,
    random,
    log,
  });
  await sts.start();
  const requests = wireRequests(issuer.token);
  const over = (wire: keyof typeof requests): (() => Promise<string>) => {
    const route = routeOf(sts.routes, 'POST', requests[wire].path);
    const request = toHttp(requests[wire]);
    return () => answering(route, request, 200);
  };
  return { over, run: over('rfc8693'), close: () => sts.close() };
}

/** The transaction alone: session, record and mark. */
function grantsOn(store: Store): () => Promise<unknown> {
  let count = 0;
  return async () => {
    count += 1;
    const outcome = await store.grant(grantOf(`bench-${count}`, { now: clock.nowSeconds() }));
    if (outcome !== 'granted') throw new Error(outcome);
  };
}

/** Design: every cloud's wire within 15 % of the standard one, in the same rounds. */
async function compareWires(): Promise<void> {
  const wires = ['rfc8693', 'aws', 'gcp', 'azure'] as const;
  const nameOf = (wire: (typeof wires)[number]): string => `over ${wire}, 32 at once`;
  const subjects = wires.map((wire) => ({ name: nameOf(wire), concurrency: 32, run: real.over(wire) }));
  const rates = await measure(subjects, PLAN);
  console.log('\nthe same token for the same role over each wire, durable\n');
  printRates(rates);
  console.log('\nratios, formed round by round');
  for (const wire of wires.slice(1)) printRatio(rates, [nameOf(wire), nameOf('rfc8693')], 'bound 0.85');
}

const folder = temporaryFolder();
const durable = await openSqliteSts({ path: join(folder.path, 'sts.db') });
const inMemory = await openSqliteSts({ memory: true });
const issuer = await issuerSide();
const real = await exchangeOn(durable, issuer);
const fleeting = await exchangeOn(inMemory, issuer);
try {
  const [raw] = rawSigning();
  const grantOnDisk = grantsOn(durable);
  const subjects: readonly Subject[] = [
    ...(raw === undefined ? [] : [raw]),
    { name: 'exchange, 1 at once', concurrency: 1, run: real.run },
    { name: 'exchange, 32 at once', concurrency: 32, run: real.run },
    { name: 'exchange in memory, 32 at once', concurrency: 32, run: fleeting.run },
    { name: 'grant, 1 at once', concurrency: 1, run: grantOnDisk },
    { name: 'grant, 32 at once', concurrency: 32, run: grantOnDisk },
    { name: 'grant in memory, 32 at once', concurrency: 32, run: grantsOn(inMemory) },
  ];
  const rates = await measure(subjects, PLAN);
  console.log('RS256 ID token to ES256 access token by POST /token, session and audit record durable in SQLite');
  console.log('(WAL, FULL, group commit) before the answer; the same token each time; no HTTP server\n');
  printRates(rates);
  console.log('\nratios, formed round by round');
  printRatio(rates, ['exchange, 1 at once', RAW]);
  printRatio(rates, ['exchange, 32 at once', RAW]);
  printRatio(rates, ['exchange, 32 at once', 'exchange in memory, 32 at once']);
  printRatio(rates, ['grant, 32 at once', 'grant, 1 at once']);
  printRatio(rates, ['grant, 32 at once', 'grant in memory, 32 at once']);
  await compareWires();
} finally {
  await Promise.all([real.close(), fleeting.close()]);
  await Promise.all([durable.close(), inMemory.close()]);
  folder.remove();
}
