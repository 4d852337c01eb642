// `jobpass keys list|prepare|activate|retire|revoke`: the key rings of a running issuer or STS, through its operators' socket.
import type { JsonObject } from '../../../base/core/json.ts';
import { askKeys, chosenServers, SERVER_HELP, SERVER_OPTIONS, serverOf } from '../ask-keys.ts';
import { type Command, CommandFailure, EXIT, type Surroundings } from '../command.ts';
import { paintFor, printable } from '../paint.ts';
import { readChange, readRings, showChange, showRing } from '../show-keys.ts';

const JSON_OPTION = { json: { type: 'boolean' } } as const;
const JSON_HELP = { json: 'print JSON on stdout' };

export const keysList: Command = {
  usage: 'jobpass keys list [--issuer|--sts] [--json]',
  options: { ...JSON_OPTION, ...SERVER_OPTIONS },
  optionHelp: { ...SERVER_HELP, ...JSON_HELP },
  async run(surroundings) {
    const { env, options, out } = surroundings;
    const rings: JsonObject[] = [];
    const paint = paintFor(process.stdout.isTTY === true, env);
    for (const server of chosenServers(surroundings)) {
      const { body } = await askKeys(surroundings, server);
      if (options.json === true) rings.push(...(Array.isArray(body.rings) ? (body.rings as JsonObject[]) : []));
      else for (const ring of readRings(body)) out(showRing(ring, paint));
    }
    if (options.json === true) out(JSON.stringify({ rings }, undefined, 2));
    return EXIT.ok;
  },
};

interface VerbCommand {
  readonly verb: 'prepare' | 'activate' | 'retire' | 'revoke';
  readonly usage: string;
  /** What may stand after the ring. */
  readonly key: 'none' | 'optional' | 'required';
  /** The option that says that somebody is failed by it, and that this is wanted. */
  readonly confirm: { readonly name: 'early' | 'yes'; readonly help: string; readonly isRequired: boolean } | null;
}

const verbCommand = ({ confirm, key, usage, verb }: VerbCommand): Command => ({
  usage,
  options: { ...JSON_OPTION, ...(confirm === null ? {} : { [confirm.name]: { type: 'boolean' as const } }) },
  optionHelp: { ...(confirm === null ? {} : { [confirm.name]: confirm.help }), ...JSON_HELP },
  async run(surroundings) {
    const { options, out, say } = surroundings;
    const order = readOrder(surroundings, { confirm, key, usage, verb });
    const { body } = await askKeys(surroundings, serverOf(order.ring), { verb, order });
    if (options.json === true) out(JSON.stringify(body, undefined, 2));
    for (const line of showChange(readChange(body))) say(line);
    return EXIT.ok;
  },
});

/** What the arguments ask for. Ends the command when a part is missing, too much, or not confirmed. */
function readOrder(
  { options, positionals }: Surroundings,
  { confirm, key, usage, verb }: VerbCommand,
): { readonly ring: string; readonly kid?: string; readonly early?: boolean } {
  const [ring, kid, ...more] = positionals;
  const isMissing = ring === undefined || (key === 'required' && kid === undefined);
  if (isMissing || more.length > 0 || (key === 'none' && kid !== undefined))
    throw new CommandFailure(`wanted a ring${key === 'none' ? '' : ' and a key'}`, {
      exitCode: EXIT.usage,
      hint: usage,
    });
  const isConfirmed = confirm !== null && options[confirm.name] === true;
  if (confirm?.isRequired === true && !isConfirmed)
    throw new CommandFailure(`everything that key ${printable(kid ?? '')} signed will be refused at once`, {
      exitCode: EXIT.usage,
      hint: `jobpass keys ${verb} ${ring} ${kid} --${confirm.name}`,
    });
  const early = isConfirmed && confirm.name === 'early' ? { early: true } : {};
  return { ring, ...(kid === undefined ? {} : { kid }), ...early };
}

export const keysPrepare: Command = verbCommand({
  verb: 'prepare',
  usage: 'jobpass keys prepare RING [--json]',
  key: 'none',
  confirm: null,
});

export const keysActivate: Command = verbCommand({
  verb: 'activate',
  usage: 'jobpass keys activate RING [KEY] [--early] [--json]',
  key: 'optional',
  confirm: { name: 'early', help: 'although verifiers that cache may not know the key yet', isRequired: false },
});

export const keysRetire: Command = verbCommand({
  verb: 'retire',
  usage: 'jobpass keys retire RING KEY [--early] [--json]',
  key: 'required',
  confirm: { name: 'early', help: 'although something it signed may be alive', isRequired: false },
});

export const keysRevoke: Command = verbCommand({
  verb: 'revoke',
  usage: 'jobpass keys revoke RING KEY --yes [--json]',
  key: 'required',
  confirm: { name: 'yes', help: 'refuse at once whatever the key signed', isRequired: true },
});
