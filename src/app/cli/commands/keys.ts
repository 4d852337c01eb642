// `jobpass keys export --public`: the public half of a gateway's key, for the STS's configuration.
import { openGatewayKey } from '../../compose/gateway.ts';
import { type Command, CommandFailure, EXIT } from '../command.ts';
import { CONFIG_HELP, CONFIG_OPTION, configPlan } from '../config-option.ts';

export const keysExport: Command = {
  usage: 'jobpass keys export --public GATEWAY [--config FILE]',
  options: { ...CONFIG_OPTION, public: { type: 'boolean' } },
  optionHelp: { public: 'the public key, as a JWK on stdout', ...CONFIG_HELP },
  async run(surroundings) {
    const [name] = surroundings.positionals;
    if (name === undefined || surroundings.options.public !== true)
      throw new CommandFailure('only public keys can be exported, of one gateway', {
        exitCode: EXIT.usage,
        hint: keysExport.usage,
      });
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
