// `jobpass token`: an ID token of this job for one audience.
import { readJobEnvironment, requestIdToken } from '../../../runner/client.ts';
import { type Command, CommandFailure, EXIT, text } from '../command.ts';
import { orFail, transport } from '../runner-command.ts';

export const token: Command = {
  usage: 'jobpass token --audience AUDIENCE [--json]',
  options: { audience: { type: 'string' }, json: { type: 'boolean' } },
  optionHelp: { audience: 'whom the token is for', json: 'print the token with its claims' },
  async run({ options, env, out }) {
    orFail(readJobEnvironment(env));
    const audience = text(options.audience);
    if (audience === undefined)
      throw new CommandFailure('whom is the token for?', {
        exitCode: EXIT.usage,
        hint: '--audience https://sts.example.com',
      });
    const idToken = orFail(await requestIdToken(transport, { env, audience }));
    const value = idToken.token.reveal();
    out(
      options.json === true
        ? JSON.stringify({ token: value, claims: idToken.claims, expires_at: idToken.expiresAt })
        : value,
    );
    return EXIT.ok;
  },
};
