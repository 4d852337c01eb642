// `jobpass freeze`: stops granting for a role, a tenant, an issuer or everything, and lets it go on again; alone, what is frozen.
import type { JsonObject } from '../../../base/core/json.ts';
import { type Command, CommandFailure, EXIT, type Surroundings } from '../command.ts';
import { askOperator, operatorCredential } from '../operator.ts';
import { operatorRefusal } from '../operator-refusal.ts';
import { SCOPE_HELP, SCOPE_OPTIONS, scopeOption } from '../scope-options.ts';
import { objectsOf, showLifter, showMoment, showScope } from '../show-scope.ts';

const HINTS = {
  403: 'the operator’s entry under sts.clients: `may.revoke` for a tenant, `may.operate: true` for an issuer, everything, or what such an operator froze',
  404: 'roles are named tenant/name, issuers by their whole URL',
};

export const freeze: Command = {
  usage: 'jobpass freeze [--role R | --tenant T | --issuer URL | --all] [--off] [--json]',
  options: { ...SCOPE_OPTIONS, off: { type: 'boolean' }, json: { type: 'boolean' } },
  optionHelp: { ...SCOPE_HELP, off: 'grant again', json: 'print JSON on stdout' },
  async run(surroundings) {
    const { options, positionals } = surroundings;
    const scope = scopeOption(options);
    if (positionals.length > 0 || (scope === undefined && options.off === true))
      throw new CommandFailure('what is to be frozen, or no longer?', {
        exitCode: EXIT.usage,
        hint: 'one of --role, --tenant, --issuer and --all',
      });
    const body = await ask(surroundings, scope);
    if (options.json === true) surroundings.out(JSON.stringify(body, undefined, 2));
    else if (scope === undefined) showFreezes(surroundings, body);
    else showFreeze(surroundings, scope, body);
    return EXIT.ok;
  },
};

async function ask(surroundings: Surroundings, scope: JsonObject | undefined): Promise<JsonObject> {
  const post = scope === undefined ? undefined : { ...scope, frozen: surroundings.options.off !== true };
  const answer = await askOperator(operatorCredential(surroundings), '/admin/v1/freeze', post);
  if (answer.status !== 200)
    throw operatorRefusal(scope === undefined ? 'what is frozen' : showScope(scope), answer, HINTS);
  return answer.body;
}

function showFreezes({ out, say }: Surroundings, body: JsonObject): void {
  const freezes = objectsOf(body, 'freezes');
  for (const one of freezes) out(`frozen  ${showScope(one)}  since ${showMoment(one.since)}${showLifter(one)}`);
  if (freezes.length === 0) say('nothing is frozen');
}

function showFreeze({ out, say }: Surroundings, scope: JsonObject, body: JsonObject): void {
  const isFrozen = body.frozen === true;
  const wasFrozen = body.was_frozen === true;
  const unchanged = isFrozen === wasFrozen ? (isFrozen ? ', as before' : ', it was not frozen') : '';
  const lifter = isFrozen ? showLifter(body) : '';
  out(`${isFrozen ? 'frozen ' : 'granting'}  ${showScope(scope)}${unchanged}${lifter}`);
  if (isFrozen)
    say('nothing of it is granted from now on; sessions go on: jobpass sessions end ends them, --off grants again');
}
