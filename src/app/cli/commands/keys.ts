// `jobpass keys export`: what of a server's keys is public. Of a gateway, for the STS's configuration; of the issuer, for a web host.
import { join, resolve } from 'node:path';
import { isJsonObject } from '../../../base/core/json.ts';
import { openGatewayKey } from '../../compose/gateway.ts';
import { writeDocuments } from '../../compose/key-export.ts';
import { askKeys } from '../ask-keys.ts';
import { type Command, CommandFailure, EXIT, type ExitCode, type Surroundings } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, configPlan } from '../config-option.ts';

export const keysExport: Command = {
  usage: 'jobpass keys export DIR | --public GATEWAY [--config FILE]',
  options: { ...CONFIG_OPTION, public: { type: 'boolean' } },
  optionHelp: { public: 'a gateway’s public key, as a JWK on stdout', ...CONFIG_HELP },
  async run(surroundings) {
    const [name] = surroundings.positionals;
    if (name === undefined || surroundings.positionals.length > 1)
      throw new CommandFailure('which folder, or which gateway?', { exitCode: EXIT.usage, hint: keysExport.usage });
    if (surroundings.options.public !== true) return exportFiles(surroundings, name);
    const plan = configPlan(surroundings);
    const gateway = plan.gateways.find(({ settings }) => settings.name === name);
    if (gateway === undefined)
      throw new CommandFailure(`no gateway here is called ${name}`, {
        exitCode: EXIT.usage,
        hint: plan.gateways.map(({ settings }) => settings.name).join(', ') || 'the configuration has no gateways',
      });
    const { key, close } = await openGatewayKey(gateway);
    surroundings.out(JSON.stringify(key.publicJwk));
    await close();
    return EXIT.ok;
  },
};

/** The issuer's discovery document and key set as they are now, where a web host finds them. */
async function exportFiles(surroundings: Surroundings, folder: string): Promise<ExitCode> {
  const { body } = await askKeys(surroundings, 'issuer', { path: 'files' });
  const told = Object.entries(isJsonObject(body.files) ? body.files : {});
  // Whatever answers on the socket writes nowhere else.
  const files = told.filter(([path]) => /^\.well-known\/[a-z.-]+$/.test(path));
  await writeDocuments(
    resolve(surroundings.folder, folder),
    new Map(files.map(([path, content]) => [path, String(content)])),
  );
  for (const [path] of files) surroundings.out(join(folder, path));
  surroundings.say('serve them under the issuer’s URL, as application/json, with max-age=300 at most');
  surroundings.say('  they change with every rotation: issuer.keys.export does this by itself, and runs your upload');
  return EXIT.ok;
}
