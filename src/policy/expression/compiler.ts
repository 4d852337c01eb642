// What the parts of the compiler share: code, places, and how an expression is refused. It compiles nothing itself.
import type { Dialect } from './functions.ts';
import type { Run } from './run.ts';
import type { ParsedSyntax, Syntax } from './syntax.ts';
import type { ExpressionProblem } from './tokens.ts';
import type { Fault, Value } from './value.ts';

/** A compiled node. It throws nothing but `OverBudget`: every other error is a `Fault`. */
export type Code = (run: Run) => Value;

/** Where a node stands: the variables of the macros around it, and how deep it is. */
export interface Place {
  /** The slot of each macro variable, the accumulator included. */
  readonly names: ReadonlyMap<string, number>;
  readonly depth: number;
  readonly loops: number;
}

/** One compilation. The first problem is the one that is reported. */
export interface Compiler {
  readonly parsed: ParsedSyntax;
  readonly variables: ReadonlySet<string>;
  readonly dialect: Dialect;
  compile(node: Syntax | undefined, place: Place): Code;
  problem: ExpressionProblem | undefined;
  /** Slots, nodes and patterns so far. */
  slots: number;
  nodes: number;
  patterns: number;
}

/** Refuses the expression because of this node. The code is never run. */
export function refuse(compiler: Compiler, node: Syntax, problem: string): Code {
  return refuseAt(compiler, compiler.parsed.offsetOf(node), problem);
}

/** The same at a known place. */
export function refuseAt(compiler: Compiler, offset: number, problem: string): Code {
  compiler.problem ??= { problem, offset };
  return constantly({ kind: 'fault', problem, offset });
}

/** Code that is always this value. */
export const constantly =
  (value: Value): Code =>
  () =>
    value;

/** The fault with a place; one that has its own keeps it. */
export const placed = (found: Fault, offset: number): Fault =>
  found.offset === undefined ? { ...found, offset } : found;
