// The listener for health and metrics of a whole program: where gateways have nothing of their own to ask, and where the public
// listeners are out of the watchers' reach.
import type { ListenAddress } from '../config/plan.ts';
import { Drain } from '../server/drain.ts';
import { serveRoutes } from '../server/serve-routes.ts';
import type { Host } from './host.ts';
import { listenOn } from './listen.ts';
import type { RunningServer } from './running.ts';

/** Serves `/healthz`, `/readyz` (of all `servers`) and `/metrics`. Throws ERR_LISTEN when the address cannot be had. */
export async function startObservability(
  address: ListenAddress,
  { limits, log, metrics, metricsFrom }: Host,
  servers: readonly RunningServer[],
): Promise<RunningServer> {
  const watched = [...servers];
  const ready = async (): Promise<boolean> => (await Promise.all(watched.map((one) => one.ready()))).every(Boolean);
  const drain = new Drain();
  const server = serveRoutes({
    drain,
    routes: [],
    ready,
    log,
    tls: null,
    trustedProxies: limits.trustedProxies,
    metrics: { text: () => metrics.text(), from: metricsFrom },
  });
  await server.ready();
  await listenOn(server.server, address, 'health and metrics');
  return {
    name: 'observability',
    url: `http://${address.host}:${address.port}`,
    ready: async () => !drain.begun,
    drain: () => drain.begin(),
    reload: () => {},
    close: () => server.close(),
  };
}
