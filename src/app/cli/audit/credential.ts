// Which server's audit trail a command is about: the STS's, or with --issuer the issuer's.
import { CommandFailure, EXIT, type Surroundings } from '../command.ts';
import { type OperatorCredential, operatorCredential, operatorCredentialOf } from '../operator.ts';

/** The option of every command that asks a server. */
export const SERVER_OPTION = { issuer: { type: 'boolean' } } as const;
export const SERVER_HELP = { issuer: 'the issuer’s trail instead of the STS’s' } as const;

/** The operator's credential at the server that the options mean. Ends the command when there is none. */
export function auditCredential({ env, folder, options }: Surroundings): OperatorCredential {
  if (options.issuer !== true) return operatorCredential(folder, env.JOBPASS_OPERATOR_FILE);
  const found = operatorCredentialOf({ env, folder }, 'issuer');
  if (found !== undefined) return found;
  throw new CommandFailure('no operator credential for the issuer is found here', {
    exitCode: EXIT.usage,
    hint: 'jobpass init writes .jobpass/issuer-operator.json; JOBPASS_ISSUER_OPERATOR_FILE names another',
  });
}
