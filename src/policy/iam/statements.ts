// What a permission statement may say, and its compiled form. Deciding by statements is authorize.ts's business.
import { JobpassError } from '../../base/core/errors.ts';
import type { Statement } from '../../base/core/permissions.ts';
import { err, type Result } from '../../base/core/result.ts';
import type { Condition } from './conditions.ts';
import { claimsInConditions, compilePermissionConditions } from './permission-conditions.ts';
import { asciiLower, asGlob, claimsIn, type Glob, parseTemplate, type Template } from './template.ts';

/** Longer than any key (1,024 bytes in S3) with its bucket; it bounds the cost of a match. */
const MAX_RESOURCE_CHARS = 2048;
const MAX_ACTION_CHARS = 128;
const ACTION = /^(?:http:[A-Z*?]+|s3:[A-Za-z*?]+)$/;
const RESOURCE_PREFIXES = ['arn:jobpass:http:::', 'arn:aws:s3:::'] as const;

/** Reads an action pattern, in lower case: AWS compares actions without regard to case. The error is for the author. */
export function parseAction(text: string): Result<Template, string> {
  if (text.length > MAX_ACTION_CHARS) return err(`wanted at most ${MAX_ACTION_CHARS} characters`);
  if (!ACTION.test(text)) return err('wanted http:METHOD in upper case or s3:Action, with * and ? as wildcards');
  return parseTemplate(asciiLower(text));
}

/** Reads a resource pattern. The error is for the author. */
export function parseResource(text: string): Result<Template, string> {
  if (text.length > MAX_RESOURCE_CHARS) return err(`wanted at most ${MAX_RESOURCE_CHARS} characters`);
  if (!RESOURCE_PREFIXES.some((prefix) => text.startsWith(prefix) && text.length > prefix.length)) {
    return err('wanted arn:jobpass:http:::GATEWAY/PATH or arn:aws:s3:::BUCKET/KEY');
  }
  return parseTemplate(text);
}

/** A resource pattern; `glob` is there when it mentions no claim or tag and need not be filled in. */
export interface CompiledResource {
  readonly template: Template;
  readonly glob: Glob | undefined;
}

export interface CompiledStatement {
  readonly source: Statement;
  /** In lower case: AWS compares actions without regard to case. */
  readonly actions: readonly Glob[];
  readonly resources: readonly CompiledResource[];
  readonly conditions: readonly Condition[];
}

/** The statements of one role, ready to decide by; deny statements come first. */
export interface CompiledPermissions {
  readonly statements: readonly CompiledStatement[];
}

/** Compiles once what is decided by many times. Throws ERR_PERMISSIONS_INVALID for a statement no reader lets through. */
export function compilePermissions(statements: readonly Statement[]): CompiledPermissions {
  const compiled = statements.map(compileStatement);
  const isDeny = (statement: CompiledStatement): boolean => statement.source.effect === 'deny';
  return { statements: [...compiled.filter(isDeny), ...compiled.filter((statement) => !isDeny(statement))] };
}

function compileStatement(source: Statement): CompiledStatement {
  // Anything but the two known words would fall out of both filters of authorize: neither allowed nor denied.
  if (source.effect !== 'allow' && source.effect !== 'deny') throw invalid(source, 'effect');
  const actions = source.actions.map((text) => {
    const template = parseAction(text);
    const glob = template.ok ? asGlob(template.value) : undefined;
    if (glob === undefined) throw invalid(source, 'action');
    return glob;
  });
  const resources = source.resources.map((text) => {
    const template = parseResource(text);
    if (!template.ok) throw invalid(source, 'resource');
    return { template: template.value, glob: asGlob(template.value) };
  });
  return { source, actions, resources, conditions: compileConditionsOf(source) };
}

function compileConditionsOf(source: Statement): readonly Condition[] {
  if (source.conditions === undefined) return [];
  const report = (): never => {
    throw invalid(source, 'condition');
  };
  return compilePermissionConditions(source.conditions, { report, at: [], line: source.line });
}

const invalid = (source: Statement, part: string): JobpassError =>
  new JobpassError('ERR_PERMISSIONS_INVALID', `the ${part} of the statement on line ${source.line} cannot be compiled`);

/** The claims that the statements mention, each once. Precondition: every resource compiles. */
export function claimsMentioned(statements: readonly Statement[]): readonly string[] {
  const names = new Set<string>();
  for (const text of statements.flatMap((statement) => statement.resources)) {
    if (!text.includes('${')) continue;
    const template = parseTemplate(text);
    for (const name of template.ok ? claimsIn(template.value) : []) names.add(name);
  }
  for (const { conditions } of statements) {
    for (const name of conditions === undefined ? [] : claimsInConditions(conditions)) names.add(name);
  }
  return [...names];
}
