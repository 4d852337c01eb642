// Reads the attribute condition of a workload identity pool provider (cloud-wire §2.4). It evaluates no token.
import type { JsonValue } from '../../base/core/json.ts';
import { compileExpression, type Expression, evaluateExpression } from '../expression/expression.ts';
import type { GcpCondition } from '../trust/gcp-condition.ts';
import { type CloudReading, lineHere, textProblem } from './cloud-document.ts';

const MAX_CONDITION_CHARS = 4096;

/** Issuers that sign the tokens of all their customers under one URL: Google creates no provider for them without a condition. */
const MULTI_TENANT_ISSUERS: readonly string[] = [
  'https://token.actions.githubusercontent.com',
  'https://gitlab.com',
  'https://app.terraform.io',
];

/** Reads a condition; undefined when there is none, or when it is refused, which is reported. */
export function readGcpCondition(
  value: JsonValue | undefined,
  { reading, issuer }: { readonly reading: CloudReading; readonly issuer: string | undefined },
): GcpCondition | undefined {
  const isDemanded = issuer !== undefined && MULTI_TENANT_ISSUERS.includes(issuer);
  // gcloud prints no empty condition; Google takes an empty one for none.
  if (value === undefined || value === '') {
    if (isDemanded) reading.report(reading.at, UNBOUND, HINT);
    return undefined;
  }
  const problem = textProblem(value, { maxChars: MAX_CONDITION_CHARS });
  if (problem !== undefined || typeof value !== 'string') {
    reading.report(reading.at, problem ?? 'wanted text');
    return undefined;
  }
  const compiled = compile(value, ['assertion', 'google', 'attribute']);
  if (!compiled.ok) {
    reading.report(reading.at, `${compiled.error.problem} (after ${compiled.error.offset} characters)`);
    return undefined;
  }
  const constant = compile(value, []);
  if (constant.ok && isDemanded) reading.report(reading.at, UNBOUND, HINT);
  return {
    expression: compiled.value,
    parts: partsOf(value),
    isNever: constant.ok && evaluateExpression(constant.value, {}).outcome !== true,
    line: lineHere(reading),
  };
}

const UNBOUND = "The attribute condition must reference one of the provider's claims";
const HINT = "name the owner, as in assertion.repository_owner_id == '42'";

const compile = (source: string, variables: readonly string[]): ReturnType<typeof compileExpression> =>
  compileExpression(source, { variables, maxChars: MAX_CONDITION_CHARS, dialect: 'google' });

function partsOf(source: string): readonly Expression[] {
  const parts = splitConjunction(source).map((part) => compile(part, ['assertion', 'google', 'attribute']));
  // A split that went wrong explains nothing.
  return parts.every((part) => part.ok) && parts.length > 1
    ? parts.flatMap((part) => (part.ok ? [part.value] : []))
    : [];
}

/** One token: a text in quotes, a comment, an operator of two characters, or any one character. */
const TOKEN =
  /[rR]?""".*?"""|[rR]?'''.*?'''|[rR]"[^"]*"|[rR]'[^']*'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\/[^\n]*|&&|\|\||./gs;

/** What `&&` joins outside all brackets; the whole where `||` or `?:` stand beside it. For explanations only. */
function splitConjunction(source: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (const { 0: token, index } of source.matchAll(TOKEN)) {
    if ('([{'.includes(token)) depth += 1;
    else if (')]}'.includes(token)) depth -= 1;
    else if (depth > 0) continue;
    else if (token === '||' || token === '?') return [source.trim()];
    else if (token === '&&') {
      parts.push(source.slice(from, index).trim());
      from = index + token.length;
    }
  }
  return [...parts, source.slice(from).trim()];
}
