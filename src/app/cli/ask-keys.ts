// Which server a key ring is of, and how the commands about keys ask it.
import type { JsonObject } from '../../base/core/json.ts';
import type { Surroundings } from './command.ts';
import {
  askOperator,
  findOperatorCredential,
  type OperatorAnswer,
  type OperatorServer,
  operatorCredential,
} from './operator.ts';
import { operatorRefusal } from './operator-refusal.ts';

/** The options that pick a server. */
export const SERVER_OPTIONS = { issuer: { type: 'boolean' }, sts: { type: 'boolean' } } as const;
/** Their help. */
export const SERVER_HELP = { issuer: 'the issuer’s alone', sts: 'the STS’s alone' } as const;

/** The issuer has one ring; all others are the STS's. */
export const serverOf = (ring: string): OperatorServer => (ring === 'id-token' ? 'issuer' : 'sts');

/** The servers that the options pick; without any, those that an operator's credential is found of, so that none is left out unsaid. */
export function chosenServers(surroundings: Surroundings): readonly OperatorServer[] {
  const servers = ['issuer', 'sts'] as const;
  const picked = servers.filter((server) => surroundings.options[server] === true);
  if (picked.length > 0) return picked;
  const found = servers.filter((server) => findOperatorCredential(surroundings, server) !== undefined);
  return found.length === 0 ? ['sts'] : found;
}

/** The rings, or what a verb did. Ends the command when the server refuses. */
export async function askKeys(
  surroundings: Surroundings,
  server: OperatorServer,
  what: { readonly verb: string; readonly order: JsonObject } | { readonly path: string } | null = null,
): Promise<OperatorAnswer> {
  const credential = operatorCredential(surroundings, server);
  const name = what === null ? null : 'verb' in what ? what.verb : what.path;
  const order = what !== null && 'order' in what ? what.order : undefined;
  const answer = await askOperator(credential, `/admin/v1/keys${name === null ? '' : `/${name}`}`, order);
  if (answer.status === 200) return answer;
  throw operatorRefusal(name === null ? 'the keys' : `keys ${name}`, answer, {
    403: `the operator’s entry under ${server}.clients needs may: { keys: [RING] }`,
  });
}
