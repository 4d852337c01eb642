// How much of the raw signing rate the issuer keeps when it mints ID tokens. `node bench/mint.ts`, about 20 s.
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ClientRegistry } from '../src/base/client-auth/authenticate.ts';
import type { IssuerGrant } from '../src/base/client-auth/client.ts';
import { RefusalDesk } from '../src/base/refusal/desk.ts';
import type { IssuerContext, IssuerDependencies } from '../src/issuer/context.ts';
import { EventBell } from '../src/issuer/event-bell.ts';
import { issueIdToken } from '../src/issuer/issue-id-token.ts';
import { createIssuer } from '../src/issuer/issuer.ts';
import { JobEnds } from '../src/issuer/job-ends.ts';
import { KeyEncryptionKey } from '../src/keys/kek.ts';
import { KeyRing } from '../src/keys/ring.ts';
import { openSqliteIssuer } from '../src/storage/sqlite/open.ts';
import { measure, printRates, printRatio, type Subject } from './measure.ts';
import {
  answering,
  clock,
  httpRequest,
  log,
  RAW,
  RAW_POOL,
  random,
  rawSigning,
  routeOf,
  temporaryFolder,
} from './parts.ts';

const AUDIENCE = 'https://sts.example.com';
const URL_OF_ISSUER = 'https://ci.example.com';
/** Many short rounds: what disturbs a shared machine then hits both sides of a ratio. */
const PLAN = { rounds: 25, millisecondsEach: 120 };

type Store = Awaited<ReturnType<typeof openSqliteIssuer>>;

async function issuerOn(store: Store, secret: string): Promise<IssuerDependencies> {
  const kek = KeyEncryptionKey.fromBytes(randomBytes(32));
  const may: IssuerGrant = {
    jobs: { owners: [{ name: 'acme', id: '42' }], extraClaimPrefix: null, localOnly: false },
    introspect: [],
    events: [],
    keys: [],
    audit: false,
  };
  const secretHashes = [createHash('sha256').update(secret).digest('hex')];
  return {
    settings: {
      url: URL_OF_ISSUER,
      algorithm: 'RS256',
      profile: 'jobpass',
      idTokenSeconds: 600,
      maxJobSeconds: 86_400,
      forks: { allow: false, audiences: [] },
    },
    store,
    keys: await KeyRing.open({ ring: 'id-token', algorithm: 'RS256', store, kek, clock }),
    clients: new ClientRegistry({
      clients: [{ name: 'controller', secretHashes, jwks: null, expiresAt: null, may }],
      audience: URL_OF_ISSUER,
      clock,
    }),
    clock,
    random,
    log,
  };
}

const START = {
  idempotency_key: 'bench',
  owner: { name: 'acme', id: '42' },
  pipeline: { name: 'web', id: '7' },
  workflow: 'release',
  job: 'publish',
  run_id: '1001',
  run_number: '12',
  run_attempt: '1',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  ref_protected: true,
  sha: '4be1f0c0d5f5ad8e9c1b8a7f6e5d4c3b2a190817',
  event: 'push',
  actor: { name: 'you', id: '5' },
  environment: 'production',
  environment_protected: true,
  runner_id: 'r1',
  runner_environment: 'self-hosted',
  fork: false,
  interactive: false,
  timeout_seconds: 3600,
  audiences: [AUDIENCE],
};

/** The two ways to a token on one store: the function alone, and the whole route handler with its look-ups. */
async function mintsOn(store: Store): Promise<{ mint(): Promise<unknown>; byRoute(): Promise<unknown> }> {
  const secret = randomBytes(32).toString('base64url');
  const dependencies = await issuerOn(store, secret);
  const { routes } = createIssuer(dependencies);
  const authorization = `Basic ${Buffer.from(`controller:${secret}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const body = new TextEncoder().encode(JSON.stringify(START));
  const started = JSON.parse(
    await answering(routeOf(routes, 'POST', '/v1/jobs'), httpRequest({ method: 'POST', headers, body }), 201),
  );
  const job = await store.findJob(started.job_id);
  if (job === undefined) throw new Error('the job is not there');
  const ends = new JobEnds({ store, clock, bell: new EventBell(), log });
  const context: IssuerContext = { ...dependencies, ends, refusals: new RefusalDesk(dependencies) };
  const requestToken = { hash: '', jobId: job.id, audiences: null };
  const mint = async () => {
    const issued = await issueIdToken(context, { job, requestToken }, { audience: AUDIENCE });
    if (!issued.ok) throw new Error(issued.error.detail);
  };
  const route = routeOf(routes, 'GET', '/v1/jobs/:id/id-token');
  const ask = httpRequest({
    params: { id: job.id },
    query: `v=1&audience=${encodeURIComponent(AUDIENCE)}`,
    headers: { authorization: `Bearer ${started.request_token}` },
  });
  return {
    mint,
    byRoute: () => answering(route, ask, 200),
  };
}

const folder = temporaryFolder();
const durable = await openSqliteIssuer({ path: join(folder.path, 'issuer.db') });
const inMemory = await openSqliteIssuer({ memory: true });
try {
  const real = await mintsOn(durable);
  const fleeting = await mintsOn(inMemory);
  const subjects: readonly Subject[] = [
    ...rawSigning(),
    { name: 'mint, 1 at once', concurrency: 1, run: real.mint },
    { name: 'mint, 32 at once', concurrency: 32, run: real.mint },
    { name: 'mint by its route, 32 at once', concurrency: 32, run: real.byRoute },
    { name: 'mint in memory, 32 at once', concurrency: 32, run: fleeting.mint },
  ];
  const rates = await measure(subjects, PLAN);
  console.log(
    'ID tokens, RS256-2048, each durable in SQLite (WAL, FULL, group commit) before it is given out; no HTTP server\n',
  );
  printRates(rates);
  console.log('\nratios, formed round by round');
  printRatio(rates, ['mint, 1 at once', RAW]);
  printRatio(rates, ['mint, 32 at once', RAW_POOL]);
  printRatio(rates, ['mint by its route, 32 at once', RAW_POOL]);
  printRatio(rates, ['mint, 32 at once', 'mint in memory, 32 at once']);
} finally {
  await Promise.all([durable.close(), inMemory.close()]);
  folder.remove();
}
