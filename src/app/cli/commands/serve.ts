// `jobpass serve`: runs what the configuration says until it is told to stop.
import { once } from 'node:events';
import { releaseStartupMemory } from '../../compose/release-memory.ts';
import type { RunningServer } from '../../compose/running.ts';
import { drainServers, startServers, stopServers } from '../../compose/serve.ts';
import { type Command, EXIT, type Surroundings, texts } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, configPlan } from '../config-option.ts';
import type { Development } from '../dev-plan.ts';

export const serve: Command = {
  usage: 'jobpass serve [--config FILE] [--dev [--owner NAME@ID]]',
  options: { ...CONFIG_OPTION, dev: { type: 'boolean' }, owner: { type: 'string', multiple: true } },
  optionHelp: {
    ...CONFIG_HELP,
    dev: 'issuer and STS for `jobpass run` on this machine, in .jobpass/dev',
    owner: 'with --dev: an owner whose local jobs it gives identities to',
  },
  async run(surroundings) {
    const { notes, plan } = await planOf(surroundings);
    const servers = await startServers(plan);
    for (const server of servers) surroundings.say(`${server.name.padEnd(20)} ${server.url}`);
    for (const note of notes) surroundings.say(note);
    const reload = (): void => {
      for (const server of servers) server.reload();
    };
    process.on('SIGHUP', reload);
    await waitUntilReady(servers, surroundings);
    releaseStartupMemory();
    if (!surroundings.signal.aborted) await once(surroundings.signal, 'abort');
    surroundings.say('stopping');
    process.off('SIGHUP', reload);
    await drainServers(servers, plan.limits.drainSeconds);
    await stopServers(servers);
    return EXIT.ok;
  },
};

async function planOf(surroundings: Surroundings): Promise<Development> {
  if (surroundings.options.dev !== true) return { plan: configPlan(surroundings), notes: [] };
  const { devPlan } = await import('../dev-plan.ts');
  return devPlan(surroundings, texts(surroundings.options.owner));
}

const LOOK_EVERY_MS = 50;
const SAY_AFTER_MS = 5000;

/** Waits until every server could answer; says after a while what it waits for. */
async function waitUntilReady(servers: readonly RunningServer[], { say, signal }: Surroundings): Promise<void> {
  const began = performance.now();
  let said = false;
  while (!signal.aborted) {
    const waiting: string[] = [];
    for (const server of servers) if (!(await server.ready())) waiting.push(server.name);
    if (waiting.length === 0) break;
    if (!said && performance.now() - began > SAY_AFTER_MS) {
      said = true;
      say(
        `not ready yet: ${waiting.join(', ')} · waiting for the other side to answer; until then everything is refused`,
      );
    }
    await new Promise((resolve) => void setTimeout(resolve, LOOK_EVERY_MS));
  }
  if (!signal.aborted) say('ready · stop with Ctrl-C');
}
