// `jobpass keys rewrap`: every key of a server sealed anew, under the key-encryption key that it runs with now.
import { isJsonObject, type JsonObject } from '../../../base/core/json.ts';
import { rewrapGateway } from '../../compose/gateway.ts';
import { askKeys, chosenServers, SERVER_HELP, SERVER_OPTIONS } from '../ask-keys.ts';
import { type Command, CommandFailure, EXIT, type Surroundings, text } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, configPlan } from '../config-option.ts';

export const keysRewrap: Command = {
  usage: 'jobpass keys rewrap [--issuer|--sts|--gateway NAME] [--json] [--config FILE]',
  options: { ...SERVER_OPTIONS, gateway: { type: 'string' }, json: { type: 'boolean' }, ...CONFIG_OPTION },
  optionHelp: {
    ...SERVER_HELP,
    gateway: 'a gateway’s of this configuration',
    json: 'print JSON on stdout',
    ...CONFIG_HELP,
  },
  async run(surroundings) {
    const { options, out, say } = surroundings;
    const gateway = text(options.gateway);
    const done: Record<string, JsonObject> = {};
    if (gateway !== undefined) done[`gateway ${gateway}`] = await ofGateway(surroundings, gateway);
    else
      for (const server of chosenServers(surroundings)) {
        const { body } = await askKeys(surroundings, server, { verb: 'rewrap', order: {} });
        done[server] = isJsonObject(body.rewrapped) ? body.rewrapped : {};
      }
    if (options.json === true) out(JSON.stringify({ rewrapped: done }, undefined, 2));
    for (const [server, rings] of Object.entries(done)) {
      const keys = Object.values(rings).reduce<number>((sum, count) => sum + Number(count), 0);
      say(
        `${server}: ${keys} keys in ${Object.keys(rings).length} rings are sealed with the key-encryption key of now`,
      );
    }
    say(
      '  encryption_key_before can go once every replica runs with the new key; backups of before still need the old one',
    );
    return EXIT.ok;
  },
};

async function ofGateway(surroundings: Surroundings, name: string): Promise<JsonObject> {
  const plan = configPlan(surroundings).gateways.find(({ settings }) => settings.name === name);
  if (plan === undefined) throw new CommandFailure(`no gateway here is called ${name}`, { exitCode: EXIT.usage });
  const done = await rewrapGateway(plan);
  if (done.ok) return Object.fromEntries(done.value);
  throw new CommandFailure(done.error.detail, { hint: 'once more finishes it' });
}
