// Puts an STS together from its plan: storage, keys, policies, clients, routes, listeners.
import { setTimeout as sleep } from 'node:timers/promises';
import { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { Log } from '../../base/ports/log.ts';
import { openGroupKey } from '../../keys/group-key.ts';
import { KeyRing } from '../../keys/ring.ts';
import { openSqliteSts } from '../../storage/sqlite/open.ts';
import { createSts } from '../../sts/sts.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { StsPlan } from '../config/plan.ts';
import { createGuardedFetch } from '../net/guarded-fetch.ts';
import { serveRoutes } from '../server/serve-routes.ts';
import { kekOf } from './kek-of.ts';
import { listenOn, listenOnSocket } from './listen.ts';
import { policyFolder } from './policy-folder.ts';
import type { RunningServer } from './running.ts';

/** How long the start waits for the issuers' first answers. */
const FIRST_ANSWERS_MS = 2000;

type StsStorage = Awaited<ReturnType<typeof openSqliteSts>>;

/** Starts the STS. Throws a JobpassError when its database, key, policies or addresses cannot be had; nothing is left running then. */
export async function startSts(plan: StsPlan, log: Log): Promise<RunningServer> {
  const store = await openSqliteSts({ path: plan.storagePath });
  try {
    return await startOn(store, plan, log);
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

async function startOn(store: StsStorage, plan: StsPlan, log: Log): Promise<RunningServer> {
  const { settings } = plan;
  const clock = systemClock;
  const random = systemRandom;
  const kek = kekOf(plan.encryptionKey);
  const keys = await KeyRing.open({ ring: 'access-token', algorithm: 'ES256', store, kek, clock });
  const groups = [...new Set(settings.gateways.map(({ group }) => group))];
  const groupKeys = new Map<string, Awaited<ReturnType<typeof openGroupKey>>>();
  for (const group of groups)
    groupKeys.set(group, await openGroupKey({ ring: `group/${group}`, store, kek, clock, random }));
  const outbound = createGuardedFetch();
  const sts = createSts({
    settings,
    store,
    keys,
    groupKeys,
    clients: new ClientRegistry({ clients: plan.clients, audience: settings.url, clock }),
    policySource: policyFolder(settings.policiesFolder),
    fetch: outbound.fetch,
    clock,
    random,
    log,
  });
  const server = serveRoutes({ routes: sts.routes, ready: () => sts.ready(), log, tls: plan.tls });
  const admin = serveRoutes({ routes: sts.adminRoutes, ready: () => sts.ready(), log, tls: null });
  const stop = async (): Promise<void> => {
    await Promise.all([server.close(), admin.close()]);
    await sts.close();
    outbound.close();
  };
  try {
    await sts.start();
    // Issuers that answer are heard before the first request; one that is away must not hold up the others.
    await Promise.race([sts.issuersAsked(), sleep(FIRST_ANSWERS_MS, undefined, { ref: false })]);
    await Promise.all([server.ready(), admin.ready()]);
    await listenOnSocket(admin.server, plan.adminSocket);
    await listenOn(server.server, plan.listen, 'the STS');
  } catch (cause) {
    await stop();
    throw cause;
  }
  return {
    name: 'sts',
    url: settings.url,
    ready: () => sts.ready(),
    close: async () => {
      await stop();
      await store.close();
    },
  };
}
