// Reads AWS policy documents that narrow a session (cloud-wire §1.6) into permission statements. Strict: a part that cannot be
// judged by is refused, because left out of a Deny it would widen. It grants nothing; a session policy never does.
import { isJsonObject, type JsonObject, type JsonValue } from '../../base/core/json.ts';
import type { ConditionBlock, Statement } from '../../base/core/permissions.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { Report } from '../../base/document/read.ts';
import { parseJson } from '../../base/json/parse.ts';
import { quote } from '../../base/json/quote.ts';
import { compilePermissionConditions } from '../iam/permission-conditions.ts';
import { parseAction, parseResource } from '../iam/statements.ts';

/** AWS STS: sessionPolicyDocumentType. */
const MAX_INLINE_CHARS = 2048;
const INLINE_CHARS = /^[\t\n\r -ÿ]*$/;
/** IAM's quota for a managed policy; white space is counted here. */
const MAX_NAMED_CHARS = 6144;

/**
 * The statements of a session policy as a caller sends it: 1 to 2,048 characters up to U+00FF. Failure: `session_policy_malformed`
 * with the place and what is wrong there. An empty list of statements is one that allows nothing.
 */
export function readSessionPolicy(text: string): Result<readonly Statement[], Failure> {
  if (text.length > MAX_INLINE_CHARS || !INLINE_CHARS.test(text)) {
    return malformed(`wanted at most ${MAX_INLINE_CHARS} characters, none beyond U+00FF`);
  }
  return readPolicyDocument(text);
}

/** As `readSessionPolicy`, for a policy that the operator names: at most 6,144 characters. */
export const readNamedPolicy = (text: string): Result<readonly Statement[], Failure> =>
  text.length > MAX_NAMED_CHARS ? malformed(`wanted at most ${MAX_NAMED_CHARS} characters`) : readPolicyDocument(text);

const malformed = (detail: string) => err(failure('session_policy_malformed', detail));

function readPolicyDocument(text: string): Result<readonly Statement[], Failure> {
  const parsed = parseJson(new TextEncoder().encode(text));
  if (!parsed.ok) return malformed(`not strict JSON: ${parsed.error.problem} at byte ${parsed.error.offset}`);
  const problems: string[] = [];
  const statements = readDocument(parsed.value, (problem) => problems.push(problem));
  const [first] = problems;
  return first === undefined ? ok(statements) : malformed(first);
}

/** Takes every problem; whoever reads on after one gives nothing that counts. */
type Refuse = (problem: string) => void;

function readDocument(value: JsonValue, refuse: Refuse): readonly Statement[] {
  const document = closed(value, ['Version', 'Id', 'Statement'], refuse);
  const { Version: version, Id: id, Statement: listed } = document;
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') {
    refuse('Version: wanted 2012-10-17 or 2008-10-17');
  }
  if (id !== undefined && typeof id !== 'string') refuse('Id: wanted text');
  if (listed === undefined) refuse('Statement is missing');
  const all: readonly JsonValue[] = Array.isArray(listed) ? listed : listed === undefined ? [] : [listed];
  return all.flatMap((one, index) => {
    const line = index + 1;
    const refuseStatement = (problem: string): void => refuse(`statement ${line}: ${problem}`);
    const statement = readStatement(one, { line, variables: version === '2012-10-17', refuse: refuseStatement });
    return statement === undefined ? [] : [statement];
  });
}

interface Reading {
  /** A statement's number stands for its line: what is sent has none. */
  readonly line: number;
  /** Version 2012-10-17; before it, a dollar and a brace are themselves. */
  readonly variables: boolean;
  readonly refuse: Refuse;
}

/** Undefined when nothing that a gateway guards is in it: other services' actions and resources are inert. */
function readStatement(value: JsonValue, reading: Reading): Statement | undefined {
  const { line, refuse, variables } = reading;
  const members = closed(value, ['Sid', 'Effect', 'Action', 'Resource', 'Condition'], refuse);
  const { Sid: sid, Effect: effect, Condition: condition } = members;
  if (sid !== undefined && !(typeof sid === 'string' && /^[0-9A-Za-z]*$/.test(sid))) {
    refuse('Sid: wanted letters and digits');
  }
  if (effect !== 'Allow' && effect !== 'Deny') refuse('Effect: wanted Allow or Deny');
  const actions = textsUnder(members, 'Action', refuse).flatMap((text) => readAction(text, refuse));
  const resources = textsUnder(members, 'Resource', refuse).flatMap((text) =>
    readResource(variables ? text : literal(text), refuse),
  );
  const conditions = condition === undefined ? undefined : readConditions(condition, reading);
  if (actions.length === 0 || resources.length === 0) return undefined;
  return {
    effect: effect === 'Deny' ? 'deny' : 'allow',
    actions,
    resources,
    ...(conditions === undefined ? {} : { conditions }),
    line,
  };
}

function closed(value: JsonValue, known: readonly string[], refuse: Refuse): JsonObject {
  const object = isJsonObject(value) ? value : {};
  if (object !== value) refuse('wanted an object');
  const unknown = Object.keys(object).find((name) => !known.includes(name));
  if (unknown !== undefined) refuse(`${quote(unknown)} cannot be judged by; known here: ${known.join(', ')}`);
  return object;
}

function textsUnder(members: JsonObject, name: 'Action' | 'Resource', refuse: Refuse): readonly string[] {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  const all: readonly JsonValue[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  const texts = all.filter((one) => typeof one === 'string');
  if (all.length === 0 || texts.length < all.length) refuse(`${name}: wanted a text or a list of them`);
  return texts;
}

/** `*` is every action of every kind that gateways know. */
function readAction(text: string, refuse: Refuse): readonly string[] {
  if (text === '*') return ['s3:*', 'http:*'];
  const [, service, name] = /^([A-Za-z0-9-]+):([A-Za-z0-9*?]+)$/.exec(text) ?? [];
  const kind = service?.toLowerCase();
  // AWS compares actions without regard to case; methods are written in upper case here.
  const action = `${kind}:${kind === 'http' ? name?.toUpperCase() : name}`;
  if (kind === undefined) refuse(`Action: wanted SERVICE:NAME or *, not ${quote(text)}`);
  if (kind !== 's3' && kind !== 'http') return [];
  const parsed = parseAction(action);
  const problem = parsed.ok ? undefined : parsed.error;
  if (problem !== undefined) refuse(`Action: ${quote(text)}: ${problem}`);
  return [action];
}

const OUR_RESOURCES = ['arn:aws:s3:::', 'arn:jobpass:http:::'] as const;
/** Partition, service, region and account in plain letters: with a wildcard among them it could mean one of ours after all. */
const FOREIGN_ARN = /^arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[a-z0-9-]*:/;

function readResource(text: string, refuse: Refuse): readonly string[] {
  if (text === '*') return OUR_RESOURCES.map((prefix) => `${prefix}*`);
  const isOurs = OUR_RESOURCES.some((prefix) => text.startsWith(prefix));
  if (!isOurs && FOREIGN_ARN.test(text)) return [];
  const parsed = parseResource(text);
  const ours = parsed.ok ? undefined : parsed.error;
  const problem = isOurs ? ours : 'wanted an ARN without wildcards before its last part, or *';
  if (problem !== undefined) refuse(`Resource: ${quote(text)}: ${problem}`);
  return [text];
}

/** A dollar before a brace as itself. */
const literal = (text: string): string => text.replaceAll(`\${`, `\${$}{`);

function readConditions(value: JsonValue, { line, refuse, variables }: Reading): ConditionBlock {
  const block = variables ? value : literalTexts(value);
  const report: Report = (path, message) => refuse(`Condition.${path.join('.')}: ${message}`);
  compilePermissionConditions(block, { report, at: [], line });
  // What has not the form of a block was refused just now.
  return block as ConditionBlock;
}

/** The block with its wanted values literal; operators and keys have no variables anyway. */
function literalTexts(value: JsonValue): JsonValue {
  if (typeof value === 'string') return literal(value);
  if (Array.isArray(value)) return value.map(literalTexts);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, literalTexts(part)]));
}
