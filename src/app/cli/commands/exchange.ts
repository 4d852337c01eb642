// `jobpass exchange`: temporary credentials for one role, on stdout.
import { type Command, EXIT } from '../command.ts';
import { exchangeInJob } from '../exchange-in-job.ts';
import { STS_HELP, STS_OPTIONS } from '../runner-command.ts';

export const exchange: Command = {
  usage: 'jobpass exchange --role TENANT/NAME [--sts URL] [--audience AUDIENCE] [--duration DURATION] [--json]',
  options: { ...STS_OPTIONS, json: { type: 'boolean' } },
  optionHelp: { ...STS_HELP, json: 'print the credential with its expiry and session' },
  async run(surroundings) {
    const { credential, role } = await exchangeInJob(surroundings);
    const value = credential.accessToken.reveal();
    surroundings.out(
      surroundings.options.json === true
        ? JSON.stringify({
            access_token: value,
            expires_at: credential.expiresAt,
            session_id: credential.sessionId,
            decision_id: credential.decisionId,
            role,
          })
        : value,
    );
    return EXIT.ok;
  },
};
