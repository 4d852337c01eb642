// Reads the expression of a flexible federated identity credential (cloud-wire §3.3) into comparisons. It compares nothing.
import { err, ok, type Result } from '../../base/core/result.ts';
import type { AzureOperator } from '../trust/azure.ts';

/** One comparison as it is written: `claims['sub'] matches 'repo:acme/*'`. */
export interface WrittenComparison {
  readonly claim: string;
  readonly operator: AzureOperator;
  /** The literal without its quotes, `''` undone. */
  readonly literal: string;
}

/** Ours, not Azure's: it bounds what a match may cost. Azure documents no bound. */
const MAX_EXPRESSION_CHARS = 2048;

const COMPARISON = /claims\['((?:[^']|'')+)'\] (eq|matches) '((?:[^']|'')*)'/y;
const AND = / and /y;

/**
 * Parses `claims['n'] eq|matches 'literal' [and …]`: one space around each operator, all in lower case, a single quote
 * within quotes written twice. The error says what was wanted, and after how many characters.
 */
export function parseAzureExpression(
  source: string,
): Result<readonly WrittenComparison[], { readonly problem: string; readonly offset: number }> {
  if (source.length > MAX_EXPRESSION_CHARS) {
    return err({ problem: `wanted at most ${MAX_EXPRESSION_CHARS} characters`, offset: MAX_EXPRESSION_CHARS });
  }
  const comparisons: WrittenComparison[] = [];
  let at = 0;
  for (;;) {
    COMPARISON.lastIndex = at;
    const [text, claim, operator, literal] = COMPARISON.exec(source) ?? [];
    if (text === undefined || claim === undefined || literal === undefined) {
      return err({ problem: problemAt(source.slice(at)), offset: at });
    }
    comparisons.push({
      claim: unquoted(claim),
      operator: operator === 'eq' ? 'eq' : 'matches',
      literal: unquoted(literal),
    });
    at += text.length;
    if (at === source.length) return ok(comparisons);
    AND.lastIndex = at;
    if (!AND.test(source)) return err({ problem: afterProblem(source.slice(at)), offset: at });
    at += ' and '.length;
  }
}

const unquoted = (text: string): string => text.replaceAll("''", "'");

const FORM = "claims['name'] eq 'text' or claims['name'] matches 'text'";

function problemAt(rest: string): string {
  if (/^\s*(?:not\b|!)/i.test(rest)) return `Azure knows no not: wanted ${FORM}`;
  if (/^claims\['[^']+'\](?:\s{2,}(?:eq|matches)| (?:eq|matches)\s{2,})/.test(rest)) {
    return 'wanted exactly one space around the operator';
  }
  const operator = /^claims\['[^']+'\] ([^\s']+)/.exec(rest)?.[1];
  if (operator !== undefined && operator !== 'eq' && operator !== 'matches') {
    return 'Azure knows only the operators eq and matches';
  }
  return `wanted ${FORM}`;
}

const afterProblem = (rest: string): string =>
  /^\s*or\b/i.test(rest)
    ? 'Azure knows no or: wanted and, or a credential of its own for each case'
    : "wanted the end, or one space, and, and one space; a quote within quotes is written ''";
