// Starts every server of a plan, in the order they need each other, and stops them in the opposite one.
import type { Plan } from '../config/plan.ts';
import { createLog } from '../outside.ts';
import { startGateway } from './gateway.ts';
import { startIssuer } from './issuer.ts';
import type { RunningServer } from './running.ts';
import { startSts } from './sts.ts';

/** All servers of the plan. When one cannot start, those already started are stopped and the error is thrown. */
export async function startServers(plan: Plan): Promise<readonly RunningServer[]> {
  const running: RunningServer[] = [];
  try {
    if (plan.issuer !== null) running.push(await startIssuer(plan.issuer, createLog(plan.logLevel, 'issuer')));
    if (plan.sts !== null) running.push(await startSts(plan.sts, createLog(plan.logLevel, 'sts')));
    for (const gateway of plan.gateways)
      running.push(await startGateway(gateway, createLog(plan.logLevel, `gateway ${gateway.settings.name}`)));
    return running;
  } catch (cause) {
    await stopServers(running);
    throw cause;
  }
}

/** Stops them, last started first. */
export async function stopServers(servers: readonly RunningServer[]): Promise<void> {
  for (const server of [...servers].reverse()) await server.close();
}
