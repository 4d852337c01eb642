// Puts an STS together from its plan: storage, keys, policies, clients, routes, listeners.
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreWatch } from '../../base/audit/store-watch.ts';
import { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { Log } from '../../base/ports/log.ts';
import { watchStsStore } from '../../sts/begin-anew.ts';
import { ceilingsOf } from '../../sts/judge.ts';
import type { PolicySource } from '../../sts/policy-source.ts';
import { SharedPolicies } from '../../sts/shared-policies.ts';
import { createSts } from '../../sts/sts.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { ListenAddress, StsPlan, TlsIdentity } from '../config/plan.ts';
import { createGuardedFetch } from '../net/guarded-fetch.ts';
import { Drain } from '../server/drain.ts';
import { serveRoutes } from '../server/serve-routes.ts';
import { setUpAudit } from './audit.ts';
import { boundsOf, type Host, limitsOf, timed } from './host.ts';
import { runningKekOf } from './kek-of.ts';
import { type Listener, listenAll, operatorsListener, publicListener } from './listeners.ts';
import { type Opened, startWhole } from './opened.ts';
import { policyFolder } from './policy-folder.ts';
import { keyAdminRoutes, openStsKeys } from './rings.ts';
import type { RunningServer } from './running.ts';
import { isShared, openStsStorage } from './storage.ts';
import { witnessFile } from './witness-file.ts';

/** How long the start waits for the issuers' first answers. */
const FIRST_ANSWERS_MS = 2000;

type StsStorage = Awaited<ReturnType<typeof openStsStorage>>;

/** Whose writes are measured. */
const TIMED = [
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
] as const;

const ports = { clock: systemClock, random: systemRandom };

/** Starts the STS. Throws a JobpassError when its database, key, policies or addresses cannot be had; nothing is left running then. */
export function startSts(plan: StsPlan, host: Host): Promise<RunningServer> {
  return startWhole(host.log, async (opened) => {
    const drain = new Drain();
    const parts = await openParts(plan, { host, opened });
    const { keeper, sts, upkeep } = parts;
    const { letGo, ready } = sts;
    await sts.start();
    // Issuers that answer are heard before the first request; one that is away must not hold up the others.
    await Promise.race([sts.issuersAsked(), sleep(FIRST_ANSWERS_MS, undefined, { ref: false })]);
    const listening = { name: 'sts', url: plan.settings.url, drain, letGo, ready };
    const running = await listenAll(listenersOf(plan, host, { ...parts, drain }), listening, { host, opened });
    // Not before the addresses are its own: what runs by itself takes steps of keys and signs checkpoints.
    await keeper.tick();
    keeper.start();
    upkeep.start();
    return running;
  });
}

type Parts = Awaited<ReturnType<typeof openParts>>;

/** What the STS is made of, on its store. Nothing runs yet. */
async function openParts(plan: StsPlan, { host, opened }: { readonly host: Host; readonly opened: Opened }) {
  const { settings } = plan;
  const { log, metrics } = host;
  const store = opened.own(timed(host, 'sts', { store: await openStsStorage(plan.database), operations: TIMED }));
  const { fetch } = opened.own(createGuardedFetch());
  const storeWatch = await openedWatch(store, plan, log);
  const { groupKeys, keeper, keys } = await openStsKeys(plan, store, log);
  const limits = limitsOf(host, { clock: systemClock, name: 'sts' });
  const clients = new ClientRegistry({ clients: plan.clients, audience: settings.url, clock: systemClock, limits });
  const common = { url: settings.url, plan: plan.audit, kek: runningKekOf(plan), store, keys, clients, log };
  const audit = setUpAudit({ ...common, server: 'sts', ring: 'access-token' });
  const upkeep = opened.own(audit.upkeep);
  const on = { settings, store, keys, groupKeys, clients, limits, storeWatch, fetch, log };
  const observer = metrics.stsObserver();
  const sts = opened.own(createSts({ ...ports, ...on, observer, policySource: policySource(store, plan, log) }));
  opened.own(keeper);
  metrics.watchAges(() => sts.ages());
  metrics.watchRing('sts', 'access-token', store);
  const keyRoutes = keyAdminRoutes(plan, { clients, keeper, store, log });
  return { keeper, limits, operatorRoutes: [...sts.adminRoutes, ...keyRoutes, ...audit.routes], sts, upkeep };
}

/** The folder, and where replicas share a store, the set that all of them decide by. */
function policySource(store: StsStorage, { database, settings }: StsPlan, log: Log): PolicySource {
  const folder = policyFolder(settings.policiesFolder);
  if (!isShared(database)) return folder;
  const ceilings = ceilingsOf(settings.tenants);
  return new SharedPolicies({ ...ports, folder, store, ceilings, log });
}

/** The watch over the store, after its first look: nothing is made in a store that is not the one it seems to be. */
async function openedWatch(store: StsStorage, plan: StsPlan, log: Log): Promise<StoreWatch> {
  const witness = witnessFile(plan.witnessPath, log);
  const watch = watchStsStore({ ...ports, store, witness, isShared: isShared(plan.database), log });
  await watch.open();
  return watch;
}

/** The operators' socket, the public address, and https beside it where there is such a one. */
function listenersOf(
  plan: StsPlan,
  host: Host,
  { drain, limits, operatorRoutes, sts }: Pick<Parts, 'limits' | 'operatorRoutes' | 'sts'> & { readonly drain: Drain },
): readonly Listener[] {
  const { adminSocket, alsoHttps, listen, tls } = plan;
  const { ready, routes } = sts;
  const bounds = { ...boundsOf(host, { drain, name: 'sts' }), limits };
  const served = (at: { readonly listen: ListenAddress; readonly tls: TlsIdentity | null }, what: string): Listener =>
    publicListener(serveRoutes({ ...bounds, routes, ready, tls: at.tls }), { ...at, what });
  return [
    operatorsListener(operatorRoutes, { host, path: adminSocket, ready }),
    served({ listen, tls }, 'the STS'),
    ...(alsoHttps === null ? [] : [served(alsoHttps, 'the STS over https')]),
  ];
}
