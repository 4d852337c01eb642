// Starts every server of a plan, in the order they need each other, and stops them in the opposite one.

import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '../adapters.ts';
import type { Plan } from '../config/plan.ts';
import { Metrics } from '../metrics/metrics.ts';
import type { Host } from './host.ts';
import { Opened } from './opened.ts';
import type { RunningServer } from './running.ts';

/** All servers of the plan. When one cannot start, those already started are stopped and the error is thrown. */
export async function startServers(plan: Plan): Promise<readonly RunningServer[]> {
  const running: RunningServer[] = [];
  const metrics = new Metrics();
  const { limits, logLevel, observability } = plan;
  const { metricsFrom } = observability;
  const hasMetricsListener = observability.listen !== null;
  const shared = { limits, metrics, metricsFrom, hasMetricsListener };
  const hostOf = (server: string): Host => ({ ...shared, log: createLog(logLevel, server) });
  try {
    // Each wing is loaded only where it runs: a machine with one gateway holds neither the issuer nor the STS in memory.
    if (plan.issuer !== null) {
      const { startIssuer } = await import('./issuer.ts');
      running.push(await startIssuer(plan.issuer, hostOf('issuer')));
    }
    if (plan.sts !== null) {
      const { startSts } = await import('./sts.ts');
      running.push(await startSts(plan.sts, hostOf('sts')));
    }
    for (const gateway of plan.gateways) {
      const { startGateway } = await import('./gateway.ts');
      running.push(await startGateway(gateway, hostOf(`gateway ${gateway.settings.name}`)));
    }
    for (const { name, ready } of running) metrics.watchReady(name, ready);
    if (observability.listen !== null) {
      const { startObservability } = await import('./observability.ts');
      running.push(await startObservability(observability.listen, hostOf('observability'), running));
    }
    return running;
  } catch (cause) {
    await stopServers(running).catch((error: unknown) => {
      createLog(logLevel, 'jobpass').error({ err: error }, 'not all servers could be stopped');
    });
    throw cause;
  }
}

/**
 * Lets whoever watches readiness see that the servers are going, and gives them `drainSeconds` to look elsewhere; requests are
 * answered meanwhile. Returns at once when nobody watches.
 */
export async function drainServers(servers: readonly RunningServer[], drainSeconds: number): Promise<void> {
  const isWatched = servers.map((server) => server.drain()).some(Boolean);
  if (isWatched) await sleep(drainSeconds * 1000);
}

/** Stops them, last started first. One that fails keeps no other running, and rejects at the end. */
export async function stopServers(servers: readonly RunningServer[]): Promise<void> {
  const running = new Opened();
  for (const server of servers) running.own(server);
  await running.close();
}
