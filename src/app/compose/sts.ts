// Puts an STS together from its plan: storage, keys, policies, clients, routes, listeners.
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { StoreWatch } from '../../base/audit/store-watch.ts';
import { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { Route } from '../../base/ports/http.ts';
import type { Log } from '../../base/ports/log.ts';
import { watchStsStore } from '../../sts/begin-anew.ts';
import { ceilingsOf } from '../../sts/judge.ts';
import type { PolicySource } from '../../sts/policy-source.ts';
import { SharedPolicies } from '../../sts/shared-policies.ts';
import { createSts, type Sts } from '../../sts/sts.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { StsPlan, TlsIdentity } from '../config/plan.ts';
import { createGuardedFetch } from '../net/guarded-fetch.ts';
import { Drain } from '../server/drain.ts';
import { type ServeRoutesOptions, serveRoutes } from '../server/serve-routes.ts';
import { setUpAudit } from './audit.ts';
import { boundsOf, type Host, keepCertificates, limitsOf, timed } from './host.ts';
import { runningKekOf } from './kek-of.ts';
import { listenOn, listenOnSocket } from './listen.ts';
import { policyFolder } from './policy-folder.ts';
import { keyAdminRoutes, openStsKeys } from './rings.ts';
import type { RunningServer } from './running.ts';
import { isShared, openStsStorage } from './storage.ts';
import { witnessFile } from './witness-file.ts';

/** How long the start waits for the issuers' first answers. */
const FIRST_ANSWERS_MS = 2000;

type StsStorage = Awaited<ReturnType<typeof openStsStorage>>;

/** Starts the STS. Throws a JobpassError when its database, key, policies or addresses cannot be had; nothing is left running then. */
export async function startSts(plan: StsPlan, host: Host): Promise<RunningServer> {
  const store = timed(host, 'sts', {
    store: await openStsStorage(plan.database),
    operations: [
      'grant',
      'recordRefusal',
      'recordAction',
      'buryJobs',
      'endSession',
      'raiseEpoch',
      'setFreeze',
      'replaceRing',
      'activatePolicies',
      'beginAnew',
      'insertCheckpoint',
      'prune',
    ],
  });
  try {
    return await startOn(store, plan, host);
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

async function startOn(store: StsStorage, plan: StsPlan, host: Host): Promise<RunningServer> {
  const { settings } = plan;
  const { log } = host;
  const clock = systemClock;
  const outbound = createGuardedFetch();
  const storeWatch = await openedWatch(store, plan, log);
  const { groupKeys, keeper, keys } = await openStsKeys(plan, store, log);
  const limits = limitsOf(host, { clock, name: 'sts' });
  const clients = new ClientRegistry({ clients: plan.clients, audience: settings.url, clock, limits });
  const common = { url: settings.url, plan: plan.audit, kek: runningKekOf(plan), store, keys, clients, log };
  const audit = setUpAudit({ ...common, server: 'sts', ring: 'access-token' });
  const sts = createSts({
    settings,
    store,
    keys,
    groupKeys,
    clients,
    policySource: policySource(store, plan, log),
    storeWatch,
    fetch: outbound.fetch,
    limits,
    observer: host.metrics.stsObserver(),
    clock,
    random: systemRandom,
    log,
  });
  host.metrics.watchAges(() => sts.ages());
  host.metrics.watchRing('sts', 'access-token', store);
  const adminRoutes = [...sts.adminRoutes, ...keyAdminRoutes(plan, { clients, keeper, store, log }), ...audit.routes];
  const drain = new Drain();
  const listeners = listenersOf({ ...sts, adminRoutes }, plan, {
    ...boundsOf(host, { drain, name: 'sts' }),
    limits,
    onAdmin: (status) => host.metrics.answered('admin', status),
  });
  const certificates = keepCertificates(
    host,
    'sts',
    listeners.map(({ server, tls }) => ({ server: server.server, tls })),
  );
  const stop = async (): Promise<void> => {
    drain.begin();
    sts.letGo();
    certificates.close();
    await Promise.all(listeners.map(({ server }) => server.close()));
    await keeper.close();
    await sts.close();
    await audit.upkeep.close();
    outbound.close();
  };
  try {
    await sts.start();
    keeper.start();
    audit.upkeep.start();
    // Issuers that answer are heard before the first request; one that is away must not hold up the others.
    await Promise.race([sts.issuersAsked(), sleep(FIRST_ANSWERS_MS, undefined, { ref: false })]);
    await Promise.all(listeners.map(({ server }) => server.ready()));
    for (const { listen, server } of listeners) await listen(server.server);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return {
    name: 'sts',
    url: settings.url,
    ready: async () => !drain.begun && (await sts.ready()),
    drain: () => drain.begin(),
    reload: () => certificates.reload(),
    close: async () => {
      await stop();
      await store.close();
    },
  };
}

/** The folder, and where replicas share a store, the set that all of them decide by. */
function policySource(store: StsStorage, { database, settings }: StsPlan, log: Log): PolicySource {
  const folder = policyFolder(settings.policiesFolder);
  if (!isShared(database)) return folder;
  const ceilings = ceilingsOf(settings.tenants);
  return new SharedPolicies({ folder, store, ceilings, clock: systemClock, random: systemRandom, log });
}

/** The watch over the store, after its first look: nothing is made in a store that is not the one it seems to be. */
async function openedWatch(store: StsStorage, plan: StsPlan, log: Log): Promise<StoreWatch> {
  const witness = witnessFile(plan.witnessPath, log);
  const ports = { clock: systemClock, random: systemRandom, log };
  const watch = watchStsStore({ store, witness, isShared: isShared(plan.database), ...ports });
  await watch.open();
  return watch;
}

interface Listener {
  readonly server: FastifyInstance;
  readonly tls: TlsIdentity | null;
  readonly listen: (server: Server) => Promise<void>;
}

/** The operators' socket, the public address, and https beside it where there is such a one. None listens yet. */
function listenersOf(
  sts: Sts,
  plan: StsPlan,
  { onAdmin, ...bounds }: Omit<ServeRoutesOptions, 'routes' | 'ready' | 'tls'> & { onAdmin: (status: number) => void },
): readonly Listener[] {
  const ready = (): Promise<boolean> => sts.ready();
  const serve = (routes: readonly Route[], tls: TlsIdentity | null): FastifyInstance =>
    serveRoutes({ ...bounds, routes, ready, tls });
  const { adminSocket, alsoHttps, listen, tls } = plan;
  // Whoever reaches the socket has no address that could be counted.
  const operators = serveRoutes({ routes: sts.adminRoutes, ready, log: bounds.log, tls: null, onAnswered: onAdmin });
  const listeners: Listener[] = [
    { server: operators, tls: null, listen: (server) => listenOnSocket(server, adminSocket) },
    { server: serve(sts.routes, tls), tls, listen: (server) => listenOn(server, listen, 'the STS') },
  ];
  if (alsoHttps === null) return listeners;
  const secured = serve(sts.routes, alsoHttps.tls);
  const bind = (server: Server): Promise<void> => listenOn(server, alsoHttps.listen, 'the STS over https');
  return [...listeners, { server: secured, tls: alsoHttps.tls, listen: bind }];
}
