// Which server's audit trail a command is about: the STS's, or with --issuer the issuer's.
import type { Surroundings } from '../command.ts';
import { type OperatorCredential, operatorCredential } from '../operator.ts';

/** The option of every command that asks a server. */
export const SERVER_OPTION = { issuer: { type: 'boolean' } } as const;
/** Its help. */
export const SERVER_HELP = { issuer: 'the issuer’s trail instead of the STS’s' } as const;

/** The operator's credential at the server that the options mean. Ends the command when there is none. */
export const auditCredential = (surroundings: Surroundings): OperatorCredential =>
  operatorCredential(surroundings, surroundings.options.issuer === true ? 'issuer' : 'sts');
