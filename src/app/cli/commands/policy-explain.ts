// `jobpass policy explain`: why a token has a role, or has it not. The server's own decision; no server is needed.
import { formatRoleRef, type RoleRef } from '../../../base/core/decision.ts';
import { type JsonObject, stringMember } from '../../../base/core/json.ts';
import { parseJsonObject } from '../../../base/json/parse.ts';
import { type Explanation, explain } from '../../../policy/explain.ts';
import type { PolicySet } from '../../../policy/policy-set.ts';
import type { TokenView } from '../../../policy/trust/trust.ts';
import { systemClock } from '../../adapters.ts';
import { type Command, CommandFailure, EXIT, type Surroundings, text } from '../command.ts';
import { askOperator, operatorCredential } from '../operator.ts';
import { refusalText } from '../operator-refusal.ts';
import { paintFor, printable } from '../paint.ts';
import { readPolicies } from '../policy-files.ts';
import { readDecision } from '../read-decision.ts';
import { showExplanation } from '../show-explanation.ts';
import { readInput, readToken } from '../token-input.ts';

const USAGE =
  'jobpass policy explain [--policy FILE|FOLDER] --claims FILE|- | --token-file FILE|- | --decision ID [--role NAME] [--issuer URL] [--json]';

/** A token as it was found, and what is to be said of where it comes from. */
interface Found {
  readonly view: TokenView;
  readonly role: RoleRef | undefined;
  readonly origin: string;
}

export const policyExplain: Command = {
  usage: USAGE,
  options: {
    policy: { type: 'string' },
    claims: { type: 'string' },
    'token-file': { type: 'string' },
    decision: { type: 'string' },
    role: { type: 'string' },
    issuer: { type: 'string' },
    json: { type: 'boolean' },
  },
  optionHelp: {
    policy: 'a Jobpass role, a cloud’s trust document, or a folder of roles (default: policies)',
    claims: 'the claims as JSON, as if the token had been verified; - is stdin',
    'token-file': 'a token, decoded and not verified; - is stdin',
    decision: 'the claims of a decision that the running STS made',
    role: 'one role of the folder: NAME or TENANT/NAME (default: all)',
    issuer: 'the issuer, where it is not the claim iss',
    json: 'print JSON on stdout',
  },
  async run(surroundings) {
    const { options, positionals } = surroundings;
    if (positionals.length > 0) throw usage(`${positionals[0]} is not expected here`);
    const found = await findToken(surroundings);
    const set = readPolicies(text(options.policy) ?? 'policies', surroundings.folder);
    const role = roleIn(set, text(options.role), found.role);
    const explanation = explain(set, { token: found.view, role });
    if (options.json === true) surroundings.out(JSON.stringify({ ...explanation, origin: found.origin }, undefined, 2));
    else print(explanation, found, surroundings);
    return explanation.decision === 'allow' ? EXIT.ok : EXIT.denied;
  },
};

function print(explanation: Explanation, { view, origin }: Found, { out, env }: Surroundings): void {
  out(showExplanation(explanation, paintFor(process.stdout.isTTY === true, env)));
  const subject = stringMember(view.claims, 'sub');
  out(`\nToken         ${printable(view.issuer)}${subject === undefined ? '' : `   sub ${printable(subject)}`}`);
  out(`              ${origin}`);
}

const usage = (message: string, hint: string = USAGE): CommandFailure =>
  new CommandFailure(message, { exitCode: EXIT.usage, hint });

/** Exactly one of the three ways to name a token. */
async function findToken(surroundings: Surroundings): Promise<Found> {
  const { options } = surroundings;
  const [claims, token, decision] = [text(options.claims), text(options['token-file']), text(options.decision)];
  const given = [claims, token, decision].filter((one) => one !== undefined);
  if (given.length !== 1) throw usage('wanted one of --claims, --token-file and --decision');
  if (decision !== undefined) return ofDecision(decision, surroundings);
  const { folder } = surroundings;
  const read = claims === undefined ? readToken(token ?? '', folder).claims : parseClaims(claims, folder);
  const origin =
    claims !== undefined
      ? 'claims as given: nothing was verified'
      : 'decoded only: neither signature nor times were verified';
  return { view: viewOf(read, text(options.issuer)), role: undefined, origin };
}

function viewOf(claims: JsonObject, named: string | undefined): TokenView {
  const issuer = named ?? stringMember(claims, 'iss');
  if (issuer === undefined)
    throw usage('the claims name no issuer', 'put iss into the claims, or name it with --issuer URL');
  return { issuer, claims, now: systemClock.nowSeconds() };
}

function parseClaims(path: string, folder: string): JsonObject {
  const parsed = parseJsonObject(readInput(path, folder));
  if (parsed.ok) return parsed.value;
  throw usage(
    `${path} holds no claims: ${parsed.error.problem} (after ${parsed.error.offset} bytes)`,
    'wanted one JSON object',
  );
}

async function ofDecision(id: string, { folder, env, options }: Surroundings): Promise<Found> {
  const credential = operatorCredential({ folder, env });
  const { status, body } = await askOperator(credential, `/admin/v1/decisions/${encodeURIComponent(id.toUpperCase())}`);
  // Not as other commands do: here the exit code of whoever may not is that of a token that has no role.
  if (status !== 200) throw new CommandFailure(`${printable(id)}: ${refusalText(body)}`, { exitCode: EXIT.failed });
  const record = readDecision(body.decision);
  if (record.issuer === '')
    throw usage(
      `${record.id} was refused before any token was verified: it has no claims`,
      'jobpass decisions show tells why',
    );
  const issuer = text(options.issuer) ?? record.issuer;
  const view = {
    issuer,
    claims: record.claims,
    now: Math.floor(record.at / 1000),
    sourceAddress: record.remoteAddress,
  };
  return {
    view,
    role: record.role ?? undefined,
    origin: `as verified for decision ${record.id}, by the policies as they are here`,
  };
}

/** The role that is asked about; undefined: all. */
function roleIn(set: PolicySet, named: string | undefined, decided: RoleRef | undefined): RoleRef | undefined {
  if (named === undefined) return decided !== undefined && set.find(decided) !== undefined ? decided : undefined;
  const known = [...set.tenants()].flatMap((tenant) => [...set.rolesOf(tenant)].map(({ ref }) => ref));
  const matching = known.filter((ref) => ref.name === named || formatRoleRef(ref) === named);
  const [only, ...more] = matching;
  if (only !== undefined && more.length === 0) return only;
  const names = (only === undefined ? known : matching).slice(0, 5).map(formatRoleRef).join(', ');
  throw usage(
    only === undefined ? `there is no role ${named}` : `several roles are called ${named}`,
    `known: ${names}`,
  );
}
