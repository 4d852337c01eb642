// Puts an issuer together from its plan: storage, keys, clients, routes, listener.
import type { FastifyInstance } from 'fastify';
import { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import { watchIssuerStore } from '../../issuer/begin-anew.ts';
import { createIssuer } from '../../issuer/issuer.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { IssuerPlan } from '../config/plan.ts';
import { Drain } from '../server/drain.ts';
import { serveRoutes } from '../server/serve-routes.ts';
import { setUpAudit } from './audit.ts';
import { boundsOf, type Host, keepCertificates, limitsOf, timed } from './host.ts';
import { runningKekOf } from './kek-of.ts';
import { listenOn, listenOnSocket } from './listen.ts';
import { keyAdminRoutes, openIssuerKeys } from './rings.ts';
import type { RunningServer } from './running.ts';
import { isShared, openIssuerStorage } from './storage.ts';
import { witnessFile } from './witness-file.ts';

/** Starts the issuer. Throws a JobpassError when its database, key or address cannot be had; nothing is left running then. */
export async function startIssuer(plan: IssuerPlan, host: Host): Promise<RunningServer> {
  const { settings } = plan;
  const { log, metrics } = host;
  const store = timed(host, 'issuer', {
    store: await openIssuerStorage(plan.database),
    operations: [
      'startJob',
      'addRequestToken',
      'heartbeat',
      'recordToken',
      'endJob',
      'acknowledgeEvents',
      'replaceRing',
      'prune',
    ],
  });
  try {
    const clock = systemClock;
    // Before anything is made in it: nothing is made in a store that is not the one it seems to be.
    const storeWatch = watchIssuerStore({
      store,
      witness: witnessFile(plan.witnessPath, log),
      isShared: isShared(plan.database),
      clock,
      random: systemRandom,
      log,
    });
    await storeWatch.open();
    const { exporter, files, keeper, keys } = await openIssuerKeys(plan, store, log);
    const limits = limitsOf(host, { clock, name: 'issuer' });
    const clients = new ClientRegistry({ clients: plan.clients, audience: settings.url, clock, limits });
    const issuer = createIssuer({
      settings,
      store,
      keys,
      clients,
      limits,
      storeWatch,
      clock,
      random: systemRandom,
      log,
    });
    const drain = new Drain();
    const common = { url: settings.url, plan: plan.audit, kek: runningKekOf(plan), store, keys, clients, log };
    const audit = setUpAudit({ ...common, server: 'issuer', ring: 'id-token' });
    const server = serveRoutes({
      ...boundsOf(host, { drain, name: 'issuer' }),
      routes: issuer.routes,
      ready: () => issuer.ready(),
      tls: plan.tls,
      limits,
    });
    metrics.watchRing('issuer', 'id-token', store);
    const operators = serveRoutes({
      routes: [...keyAdminRoutes(plan, { clients, keeper, store, log, files }), ...audit.routes],
      ready: () => issuer.ready(),
      log,
      tls: null,
      onAnswered: (status) => metrics.answered('admin', status),
    });
    await Promise.all([server.ready(), operators.ready()]);
    await listen(plan, { operators, server });
    const certificates = keepCertificates(host, 'issuer', [{ server: server.server, tls: plan.tls }]);
    issuer.start();
    keeper.start();
    void exporter?.export();
    audit.upkeep.start();
    return {
      name: 'issuer',
      url: settings.url,
      ready: async () => !drain.begun && (await issuer.ready()),
      drain: () => drain.begin(),
      reload: () => certificates.reload(),
      close: async () => {
        drain.begin();
        issuer.letGo();
        certificates.close();
        await Promise.all([server.close(), operators.close()]);
        await keeper.close();
        await exporter?.close();
        await issuer.close();
        await audit.upkeep.close();
        await store.close();
      },
    };
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

/** Binds both listeners, or neither: one that stays would keep the program from ending. */
async function listen(
  plan: IssuerPlan,
  { operators, server }: Readonly<Record<'operators' | 'server', FastifyInstance>>,
): Promise<void> {
  try {
    await listenOnSocket(operators.server, plan.adminSocket);
    await listenOn(server.server, plan.listen, 'the issuer');
  } catch (cause) {
    await Promise.all([server.close(), operators.close()]);
    throw cause;
  }
}
