// Syntax tree to code over one evaluation. Whatever can be refused before there are claims is refused here: unknown
// variables and functions, bad patterns, numbers out of range, too much depth.
import { err, ok, type Result } from '../../base/core/result.ts';
import { compileCall } from './compile-call.ts';
import { compileFold } from './compile-fold.ts';
import { compileConstant, compileList, compileMap } from './compile-literal.ts';
import { compileName, compileSelect } from './compile-name.ts';
import { type Code, type Compiler, type Place, refuse } from './compiler.ts';
import type { Dialect } from './functions.ts';
import type { ParsedSyntax, Syntax } from './syntax.ts';
import type { ExpressionProblem } from './tokens.ts';

/** Deep enough for a chain of a hundred operators, far from the end of the stack. */
const MAX_DEPTH = 128;

/** Code, and how many slots for macro variables a run of it needs. */
export interface Compiled {
  readonly code: Code;
  readonly slots: number;
}

/** Compiles a tree, or says what is wrong with it first. */
export function compileSyntax(
  parsed: ParsedSyntax,
  options: { readonly variables: readonly string[]; readonly dialect: Dialect },
): Result<Compiled, ExpressionProblem> {
  const compiler: Compiler = {
    parsed,
    variables: new Set(options.variables),
    dialect: options.dialect,
    compile: (node, place) => compileNode(compiler, node, place),
    problem: undefined,
    slots: 0,
    nodes: 0,
    patterns: 0,
  };
  const code = compiler.compile(parsed.root, { names: new Map(), depth: 0, loops: 0 });
  return compiler.problem === undefined ? ok({ code, slots: compiler.slots }) : err(compiler.problem);
}

function compileNode(compiler: Compiler, node: Syntax | undefined, outer: Place): Code {
  if (node === undefined) return refuse(compiler, compiler.parsed.root, 'a part of the expression is missing');
  compiler.nodes += 1;
  if (outer.depth >= MAX_DEPTH) return refuse(compiler, node, `the expression is deeper than ${MAX_DEPTH}`);
  const place: Place = { ...outer, depth: outer.depth + 1 };
  const { exprKind } = node;
  switch (exprKind.case) {
    case 'constExpr':
      return compileConstant(compiler, node, exprKind.value);
    case 'identExpr':
      return compileName(compiler, node, { name: exprKind.value.name, place });
    case 'selectExpr':
      return compileSelect(compiler, node, { select: exprKind.value, place });
    case 'callExpr':
      return compileCall(compiler, node, { call: exprKind.value, place });
    case 'listExpr':
      return compileList(compiler, exprKind.value, place);
    case 'structExpr':
      return compileMap(compiler, node, { struct: exprKind.value, place });
    case 'comprehensionExpr':
      return compileFold(compiler, node, { fold: exprKind.value, place });
    default:
      return refuse(compiler, node, 'not an expression');
  }
}
