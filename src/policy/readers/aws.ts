// Reads AWS trust policy documents (AssumeRolePolicyDocument), strictly: what AWS refuses at save is refused with AWS's reason,
// what nobody knows is refused too. Judging by them is trust/aws.ts's business.
import { isJsonObject, type JsonObject, type JsonValue, ownMember } from '../../base/core/json.ts';
import { nearestName } from '../../base/document/nearest-name.ts';
import type { DocumentPath } from '../../base/document/problem.ts';
import type { Report } from '../../base/document/read.ts';
import { type Condition, compileConditions } from '../iam/conditions.ts';
import { asciiLower, asGlob, type Glob, matchesGlob, parseTemplate } from '../iam/template.ts';
import { awsTrust } from '../trust/aws.ts';
import { trustKeyProblem } from '../trust/aws-keys.ts';
import {
  type AwsStatement,
  SOURCE_IDENTITY_ACTION,
  TAG_SESSION_ACTION,
  WEB_IDENTITY_ACTION,
} from '../trust/aws-statement.ts';
import type { Trust } from '../trust/trust.ts';
import { detectAwsTrust } from './aws-detect.ts';
import { type Principals, readPrincipals } from './aws-principals.ts';
import { unlimitedProvider } from './aws-tenancy.ts';

/** IAM's quota ACLSizePerRole; an account can have it raised to 4,096. White space does not count. */
const DEFAULT_MAX_CHARS = 2048;
const HIGHEST_MAX_CHARS = 4096;

export interface AwsTrustOptions {
  readonly report: Report;
  /** Where the document stands. */
  readonly at: DocumentPath;
  readonly lineOf: (path: DocumentPath) => number;
  /** The account's quota: 2,048 unless given, 4,096 at most. */
  readonly maxChars?: number;
  /** The issuers that a tenant may trust. A provider on a loopback address stands for https and http; only those listed count then. */
  readonly allowedIssuers?: readonly string[] | undefined;
  /** The policy is for an STS that has no AWS accounts. */
  readonly anyAccount?: boolean | undefined;
}

/**
 * Compiles a document, or the one inside what AWS's tools print. Reports every problem under its path and returns undefined
 * when there was any. Never throws.
 */
export function compileAwsTrust(value: JsonValue, options: AwsTrustOptions): Trust | undefined {
  let problems = 0;
  const report: Report = (path, message, hint) => {
    problems += 1;
    options.report(path, message, hint);
  };
  const lineOf = (path: DocumentPath): number => options.lineOf(path);
  const found = detectAwsTrust(value) ?? { document: value, at: [] };
  const at = [...options.at, ...found.at];
  const statements = readDocument(found.document, { ...options, lineOf, report, at });
  return problems === 0 ? awsTrust(statements, lineOf(at)) : undefined;
}

const malformed = (reason: string): string => `MalformedPolicyDocument: ${reason}`;

function readDocument(value: JsonValue, o: AwsTrustOptions): readonly AwsStatement[] {
  if (!isJsonObject(value)) {
    o.report(o.at, malformed('wanted Version and Statement'));
    return [];
  }
  const limit = Math.min(o.maxChars ?? DEFAULT_MAX_CHARS, HIGHEST_MAX_CHARS);
  if (JSON.stringify(value).length > limit) {
    o.report(
      o.at,
      `LimitExceeded: Cannot exceed quota for ACLSizePerRole: ${limit}`,
      'IAM takes at most 2,048 characters, white space not counted',
    );
    return [];
  }
  refuseUnknown(value, ['Version', 'Id', 'Statement'], o);
  const { Version: version, Id: id, Statement: statement } = value;
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') {
    o.report([...o.at, 'Version'], malformed('The policy must contain a valid version string'), '2012-10-17');
  }
  if (id !== undefined && typeof id !== 'string') o.report([...o.at, 'Id'], malformed('wanted text'));
  const listed = Array.isArray(statement);
  const all: readonly JsonValue[] = listed ? statement : statement === undefined ? [] : [statement];
  if (all.length === 0) o.report([...o.at, 'Statement'], malformed('Could not parse the policy: Statement is empty!'));
  const sids = new Set<string>();
  return all.flatMap((one, index) => {
    const at = listed ? [...o.at, 'Statement', index] : [...o.at, 'Statement'];
    return readStatement(one, { ...o, at, sids, variables: version === '2012-10-17' });
  });
}

interface StatementReading extends AwsTrustOptions {
  readonly sids: Set<string>;
  /** Version 2012-10-17: only there is `${…}` a policy variable. */
  readonly variables: boolean;
}

function refuseUnknown(value: JsonObject, known: readonly string[], o: AwsTrustOptions): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const prohibited = PROHIBITED.get(name);
    if (prohibited !== undefined && known.includes('Effect')) o.report([...o.at, name], malformed(prohibited));
    else o.report([...o.at, name], malformed(`Unknown field ${name.slice(0, 64)}`), nearestName(name, known));
  }
}

const PROHIBITED: ReadonlyMap<string, string> = new Map([
  ['Resource', 'Has prohibited field Resource'],
  ['NotResource', 'AssumeRole policy must not contain resources.'],
  ['NotPrincipal', 'AssumeRole policy must not contain NotPrincipal field.'],
  ['NotAction', 'Has prohibited field NotAction'],
]);

function readStatement(value: JsonValue, o: StatementReading): readonly AwsStatement[] {
  const { report, at, lineOf } = o;
  if (!isJsonObject(value)) {
    report(at, malformed('wanted a statement'));
    return [];
  }
  refuseUnknown(value, ['Sid', 'Effect', 'Principal', 'Action', 'Condition'], o);
  readSid(value.Sid, o);
  const effect = readEffect(value.Effect, o);
  const principals = readMember(value, 'Principal', o, (part, place) =>
    readPrincipals(part, { report, at: place, allowedIssuers: o.allowedIssuers, anyAccount: o.anyAccount }),
  );
  const actions = readMember(value, 'Action', o, (part, place) => readActions(part, { ...o, at: place }));
  const conditions = value.Condition === undefined ? [] : readConditions(value.Condition, principals, o);
  if (effect === undefined || principals === undefined || actions === undefined) return [];
  const statement = {
    effect,
    line: lineOf(at),
    providers: principals.providers,
    deniesEveryone: effect === 'deny' && principals.everyone,
    principals: principals.principals,
    principalLine: lineOf([...at, 'Principal']),
    covers: new Set(
      JUDGED_ACTIONS.filter((action) => actions.globs.some((glob) => matchesGlob(glob, asciiLower(action)))),
    ),
    actionNames: actions.names,
    actionLine: lineOf([...at, 'Action']),
    conditions,
  };
  checkMeaning(statement, principals, o);
  return [statement];
}

function readMember<T>(
  value: JsonObject,
  name: 'Principal' | 'Action',
  o: StatementReading,
  read: (part: JsonValue, place: DocumentPath) => T,
): T | undefined {
  const part = ownMember(value, name);
  if (part !== undefined) return read(part, [...o.at, name]);
  // `NotPrincipal` and `NotAction` have their problem already.
  if (!Object.hasOwn(value, `Not${name}`)) o.report(o.at, malformed(`Missing required field ${name}`));
  return undefined;
}

function readSid(sid: JsonValue | undefined, o: StatementReading): void {
  if (sid === undefined || sid === '') return;
  const place = [...o.at, 'Sid'];
  if (typeof sid !== 'string' || !/^[0-9A-Za-z]*$/.test(sid)) {
    o.report(place, malformed('Statement IDs (SID) must be alpha-numeric.'));
    return;
  }
  if (o.sids.has(sid)) o.report(place, malformed('The Statement Ids in the policy are not unique'));
  o.sids.add(sid);
}

function readEffect(effect: JsonValue | undefined, o: StatementReading): AwsStatement['effect'] | undefined {
  if (effect === 'Allow') return 'allow';
  if (effect === 'Deny') return 'deny';
  if (effect === undefined) o.report(o.at, malformed('Missing required field Effect'));
  else {
    const shown = typeof effect === 'string' ? effect.slice(0, 64) : 'not a text';
    o.report([...o.at, 'Effect'], malformed(`Invalid effect: ${shown}`), 'Allow or Deny');
  }
  return undefined;
}

const JUDGED_ACTIONS = [WEB_IDENTITY_ACTION, TAG_SESSION_ACTION, SOURCE_IDENTITY_ACTION];
const ASSUME_ACTIONS = [
  'sts:assumerole',
  'sts:assumerolewithsaml',
  'sts:assumerolewithwebidentity',
  'sts:setcontext',
  'sts:setsourceidentity',
  'sts:tagsession',
];

function readActions(value: JsonValue, o: StatementReading): { names: readonly string[]; globs: readonly Glob[] } {
  const listed = Array.isArray(value);
  const all: readonly JsonValue[] = listed ? value : [value];
  if (all.length === 0) o.report(o.at, malformed('Missing required field Action'));
  const names: string[] = [];
  const globs: Glob[] = [];
  for (const [index, name] of all.entries()) {
    const glob = typeof name === 'string' ? actionGlob(name) : undefined;
    if (typeof name !== 'string' || glob === undefined) {
      o.report(
        listed ? [...o.at, index] : o.at,
        malformed('AssumeRole policy may only specify STS AssumeRole actions.'),
      );
      continue;
    }
    names.push(name);
    globs.push(glob);
  }
  return { names, globs };
}

function actionGlob(name: string): Glob | undefined {
  const lower = asciiLower(name);
  const template = /^sts:[a-z*?]{1,64}$/.test(lower) ? parseTemplate(lower) : undefined;
  const glob = template?.ok ? asGlob(template.value) : undefined;
  return glob !== undefined && ASSUME_ACTIONS.some((action) => matchesGlob(glob, action)) ? glob : undefined;
}

/** A statement that no web identity meets (a service's, an account's, SAML's) may use keys that only AWS's other doors have. */
function readConditions(
  block: JsonValue,
  principals: Principals | undefined,
  o: StatementReading,
): readonly Condition[] {
  const { report, lineOf, variables } = o;
  const isOther = principals !== undefined && principals.providers.length === 0 && !principals.everyone;
  const keyProblem = isOther ? foreignKeyProblem : trustKeyProblem;
  return compileConditions(block, {
    refusal: malformed(''),
    report,
    lineOf,
    variables,
    keyProblem,
    at: [...o.at, 'Condition'],
  });
}

const foreignKeyProblem = (key: string): string | undefined =>
  /^[^\s:]+:\S+$/.test(key) ? undefined : 'unknown condition key; wanted <prefix>:<name>';

/** What AWS refuses although every part of the statement is well formed. */
function checkMeaning(statement: AwsStatement, principals: Principals, o: StatementReading): void {
  if (statement.effect === 'deny' || !statement.covers.has(WEB_IDENTITY_ACTION)) return;
  for (const provider of principals.providers) {
    const unlimited = unlimitedProvider(provider, statement.conditions);
    if (unlimited === undefined) continue;
    o.report(
      [...o.at, 'Principal'],
      malformed(
        `AWS refuses to trust the shared provider ${unlimited.provider} without a condition that limits it to one tenant`,
      ),
      `add a condition on ${unlimited.key}`,
    );
  }
}
