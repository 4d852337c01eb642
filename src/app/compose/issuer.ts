// Puts an issuer together from its plan: storage, keys, clients, routes, listener.
import { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import { rateLimits } from '../../base/limit/rate-limits.ts';
import { createIssuer } from '../../issuer/issuer.ts';
import { openSqliteIssuer } from '../../storage/sqlite/open.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { IssuerPlan } from '../config/plan.ts';
import { serveRoutes } from '../server/serve-routes.ts';
import type { Host } from './host.ts';
import { listenOn } from './listen.ts';
import { openIssuerKeys } from './rings.ts';
import type { RunningServer } from './running.ts';

/** Starts the issuer. Throws a JobpassError when its database, key or address cannot be had; nothing is left running then. */
export async function startIssuer(plan: IssuerPlan, { limits: limitsPlan, log }: Host): Promise<RunningServer> {
  const { settings } = plan;
  const store = await openSqliteIssuer({ path: plan.storagePath });
  try {
    const { keeper, keys } = await openIssuerKeys(plan, store, log);
    const clock = systemClock;
    const limits = rateLimits(limitsPlan.rates, { clock });
    const clients = new ClientRegistry({ clients: plan.clients, audience: settings.url, clock, limits });
    const issuer = createIssuer({ settings, store, keys, clients, limits, clock, random: systemRandom, log });
    const server = serveRoutes({
      routes: issuer.routes,
      ready: () => issuer.ready(),
      log,
      tls: plan.tls,
      ...limitsPlan,
      limits,
    });
    await server.ready();
    await listenOn(server.server, plan.listen, 'the issuer');
    issuer.start();
    keeper.start();
    return {
      name: 'issuer',
      url: settings.url,
      ready: () => issuer.ready(),
      close: async () => {
        await server.close();
        await keeper.close();
        await issuer.close();
        await store.close();
      },
    };
  } catch (cause) {
    await store.close();
    throw cause;
  }
}
