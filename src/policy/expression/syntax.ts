// Text to syntax tree, by the library's parser behind our own bounds. What the tree means is decided when it is compiled.
import { parse } from '@bufbuild/cel';
import { err, ok, type Result } from '../../base/core/result.ts';
import { type ExpressionProblem, scanTokens } from './tokens.ts';

type Parsed = ReturnType<typeof parse>;

/** The standard's own syntax tree (cel.expr.Expr), with macros expanded. */
export type Syntax = Parsed['expr'];

/** The content of a node of this kind, as `callExpr`. */
export type SyntaxOf<Case extends Syntax['exprKind']['case']> = NonNullable<
  Extract<Syntax['exprKind'], { readonly case: Case }>['value']
>;

/** A tree and where each of its nodes stands in the source, in UTF-16 units. */
export interface ParsedSyntax {
  readonly root: Syntax;
  offsetOf(node: Syntax): number;
}

/** Parses an expression. Precondition: the caller bounded its length. */
export function parseSyntax(source: string): Result<ParsedSyntax, ExpressionProblem> {
  const scanned = scanTokens(source);
  if (!scanned.ok) return scanned;
  try {
    const { expr, sourceInfo } = parse(scanned.value);
    const positions: Readonly<Record<string, number>> = sourceInfo?.positions ?? {};
    return ok({ root: expr, offsetOf: (node) => positions[String(node.id)] ?? 0 });
  } catch (error) {
    // Whatever the parser throws, a text that it does not take is no expression.
    return err(problemOf(error, source));
  }
}

/** The parser's errors carry `found` and `location`, but no type that says so. */
function problemOf(error: unknown, source: string): ExpressionProblem {
  const { location, message } = Object(error) as { location?: { start?: { offset?: unknown } }; message?: unknown };
  const offset = location?.start?.offset;
  if (typeof offset !== 'number') return { problem: `not an expression: ${String(message).slice(0, 100)}`, offset: 0 };
  const rest = /^\s*(?:\w+|\S)?/.exec(source.slice(offset))?.[0].trim() ?? '';
  return { problem: rest === '' ? 'the expression ends too early' : `${rest} does not belong here`, offset };
}
