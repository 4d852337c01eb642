// Puts an issuer together from its plan: storage, keys, clients, routes, listeners.
import { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import { watchIssuerStore } from '../../issuer/begin-anew.ts';
import { createIssuer } from '../../issuer/issuer.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { IssuerPlan } from '../config/plan.ts';
import { Drain } from '../server/drain.ts';
import { serveRoutes } from '../server/serve-routes.ts';
import { setUpAudit } from './audit.ts';
import { boundsOf, type Host, limitsOf, timed } from './host.ts';
import { runningKekOf } from './kek-of.ts';
import { type Listener, listenAll, operatorsListener, publicListener } from './listeners.ts';
import { type Opened, startWhole } from './opened.ts';
import { keyAdminRoutes, openIssuerKeys } from './rings.ts';
import type { RunningServer } from './running.ts';
import { isShared, openIssuerStorage } from './storage.ts';
import { witnessFile } from './witness-file.ts';

/** Whose writes are measured. */
const TIMED = [
  'startJob',
  'addRequestToken',
  'heartbeat',
  'recordToken',
  'endJob',
  'acknowledgeEvents',
  'replaceRing',
  'prune',
] as const;

const ports = { clock: systemClock, random: systemRandom };

/** Starts the issuer. Throws a JobpassError when its database, key or address cannot be had; nothing is left running then. */
export function startIssuer(plan: IssuerPlan, host: Host): Promise<RunningServer> {
  return startWhole(host.log, async (opened) => {
    const drain = new Drain();
    const parts = await openParts(plan, { host, opened });
    const { exporter, issuer, keeper, upkeep } = parts;
    const { letGo, ready } = issuer;
    const listening = { name: 'issuer', url: plan.settings.url, drain, letGo, ready };
    const running = await listenAll(listenersOf(plan, host, { ...parts, drain }), listening, { host, opened });
    // Not before the addresses are its own: what runs by itself ends jobs, makes keys and tells web hosts of them.
    issuer.start();
    keeper.start();
    void exporter?.export();
    upkeep.start();
    return running;
  });
}

type Parts = Awaited<ReturnType<typeof openParts>>;

/** What the issuer is made of, on its store. Nothing runs yet. */
async function openParts(plan: IssuerPlan, { host, opened }: { readonly host: Host; readonly opened: Opened }) {
  const { settings } = plan;
  const { log } = host;
  const store = opened.own(timed(host, 'issuer', { store: await openIssuerStorage(plan.database), operations: TIMED }));
  const storeWatch = watchIssuerStore({
    ...ports,
    store,
    witness: witnessFile(plan.witnessPath, log),
    isShared: isShared(plan.database),
    log,
  });
  // Before anything is made in it: nothing is made in a store that is not the one it seems to be.
  await storeWatch.open();
  const { exporter, files, keeper, keys } = await openIssuerKeys(plan, store, log);
  const limits = limitsOf(host, { clock: systemClock, name: 'issuer' });
  const clients = new ClientRegistry({ clients: plan.clients, audience: settings.url, clock: systemClock, limits });
  const common = { url: settings.url, plan: plan.audit, kek: runningKekOf(plan), store, keys, clients, log };
  const audit = setUpAudit({ ...common, server: 'issuer', ring: 'id-token' });
  const upkeep = opened.own(audit.upkeep);
  const issuer = opened.own(createIssuer({ ...ports, settings, store, keys, clients, limits, storeWatch, log }));
  if (exporter !== null) opened.own(exporter);
  opened.own(keeper);
  host.metrics.watchRing('issuer', 'id-token', store);
  const operatorRoutes = [...keyAdminRoutes(plan, { clients, keeper, store, log, files }), ...audit.routes];
  return { exporter, issuer, keeper, limits, operatorRoutes, upkeep };
}

/** The operators' socket and the public address. */
function listenersOf(
  plan: IssuerPlan,
  host: Host,
  { drain, issuer, limits, operatorRoutes }: Pick<Parts, 'issuer' | 'limits' | 'operatorRoutes'> & { drain: Drain },
): readonly Listener[] {
  const { adminSocket, listen, tls } = plan;
  const { ready, routes } = issuer;
  const bounds = boundsOf(host, { drain, name: 'issuer' });
  return [
    operatorsListener(operatorRoutes, { host, path: adminSocket, ready }),
    publicListener(serveRoutes({ ...bounds, routes, ready, tls, limits }), { listen, tls, what: 'the issuer' }),
  ];
}
