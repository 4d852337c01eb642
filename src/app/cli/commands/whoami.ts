// `jobpass whoami`: what this job's identity says. Claims only, never the token.
import { formatDuration } from '../../../base/core/duration.ts';
import { readJobEnvironment } from '../../../runner/client.ts';
import { whoami as askIdentity } from '../../../runner/whoami.ts';
import { type Command, CommandFailure, EXIT, text } from '../command.ts';
import { orFail, transport } from '../runner-command.ts';

export const whoami: Command = {
  usage: 'jobpass whoami [--audience AUDIENCE] [--json]',
  options: { audience: { type: 'string' }, json: { type: 'boolean' } },
  optionHelp: { audience: 'an audience the job may ask for (default: $JOBPASS_STS)', json: 'print JSON on stdout' },
  async run({ options, env, out }) {
    orFail(readJobEnvironment(env));
    const audience = text(options.audience) ?? env.JOBPASS_STS;
    if (audience === undefined)
      throw new CommandFailure('to whom?', {
        exitCode: EXIT.usage,
        hint: '--audience names one that the job may ask for',
      });
    const identity = orFail(await askIdentity(transport, { env, audience }));
    if (options.json === true) out(JSON.stringify(identity));
    else {
      const width = Math.max(...identity.claims.map(({ name }) => name.length)) + 2;
      out(
        `${identity.subject}\n  at ${identity.issuer}, for ${identity.audience}, ${formatDuration(identity.expiresAt - Math.floor(Date.now() / 1000))} left`,
      );
      for (const { name, value } of identity.claims) out(`  ${name.padEnd(width)}${value}`);
    }
    return EXIT.ok;
  },
};
