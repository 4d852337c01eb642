// Code for the macros all(), exists(), exists_one(), map() and filter(), which the parser wrote out as folds. Here is where
// an expression could take long: every step is charged with all the nodes that it may visit.
import { keysOf } from './claims.ts';
import { type Code, type Compiler, type Place, refuse } from './compiler.ts';
import { charge } from './cost.ts';
import type { Run } from './run.ts';
import type { Syntax, SyntaxOf } from './syntax.ts';
import { fault, isFault, isKind, typeNameOf, type Value } from './value.ts';

/** Macros within macros: more is refused when the policy is loaded, whatever it would cost. */
const MAX_LOOPS = 3;

interface Fold {
  readonly range: Code;
  readonly start: Code;
  readonly isDone: (run: Run) => boolean;
  readonly step: Code;
  readonly result: Code;
  readonly item: number;
  readonly accumulator: number;
  readonly cost: number;
  readonly offset: number;
}

/** A fold: the range item by item through the step, until the condition says otherwise. */
export function compileFold(
  compiler: Compiler,
  node: Syntax,
  { fold, place }: { readonly fold: SyntaxOf<'comprehensionExpr'>; readonly place: Place },
): Code {
  if (place.loops >= MAX_LOOPS) return refuse(compiler, node, `macros nest deeper than ${MAX_LOOPS}`);
  const range = compiler.compile(fold.iterRange, place);
  const start = compiler.compile(fold.accuInit, place);
  const accumulator = compiler.slots++;
  const item = compiler.slots++;
  const after: Place = { ...place, names: new Map([...place.names, [fold.accuVar, accumulator]]) };
  const within: Place = {
    ...after,
    names: new Map([...after.names, [fold.iterVar, item]]),
    loops: place.loops + 1,
  };
  const before = compiler.nodes;
  const condition = compiler.compile(fold.loopCondition, within);
  const step = compileStep(compiler, fold, within);
  const cost = compiler.nodes - before;
  const result = compiler.compile(fold.result, after);
  const isDone = (run: Run): boolean => condition(run) !== true;
  const offset = compiler.parsed.offsetOf(node);
  const code: Fold = { range, start, isDone, step, result, item, accumulator, cost, offset };
  return (run) => runFold(run, code);
}

function runFold(run: Run, fold: Fold): Value {
  const range = fold.range(run);
  if (isFault(range)) return range;
  const items = isKind(range, 'list') ? range.items : isKind(range, 'map') ? keysOf(range, run) : undefined;
  if (items === undefined) {
    return fault(`a ${typeNameOf(range)} is no list and no map`, fold.offset);
  }
  run.slots[fold.accumulator] = fold.start(run);
  for (const item of items) {
    charge(run, fold.cost);
    run.slots[fold.item] = item;
    if (fold.isDone(run)) break;
    run.slots[fold.accumulator] = fold.step(run);
  }
  return fold.result(run);
}

/**
 * The step. Where it appends one item to the accumulator, as map() and filter() do, it appends in place: copying the list
 * for every item would make them quadratic. Nobody else holds that list; its name cannot be written in an expression.
 */
function compileStep(compiler: Compiler, fold: SyntaxOf<'comprehensionExpr'>, place: Place): Code {
  const appended = (node: Syntax | undefined): Syntax | undefined => {
    const call = node?.exprKind.case === 'callExpr' ? node.exprKind.value : undefined;
    const [list, items] = call?.function === '_+_' ? call.args : [];
    const isAccumulator = list?.exprKind.case === 'identExpr' && list.exprKind.value.name === fold.accuVar;
    const elements = items?.exprKind.case === 'listExpr' ? items.exprKind.value.elements : [];
    return isAccumulator && elements.length === 1 ? elements[0] : undefined;
  };
  const slot = place.names.get(fold.accuVar) ?? -1;
  const direct = appended(fold.loopStep);
  if (direct !== undefined) return append(compiler.compile(direct, place), slot);
  const branch = fold.loopStep?.exprKind;
  const [test, then, otherwise] =
    branch?.case === 'callExpr' && branch.value.function === '_?_:_' ? branch.value.args : [];
  const filtered = appended(then);
  if (test === undefined || filtered === undefined || otherwise === undefined) {
    return compiler.compile(fold.loopStep, place);
  }
  const code = append(compiler.compile(filtered, place), slot);
  return choose(compiler, test, { condition: compiler.compile(test, place), code, slot });
}

/** filter(): a condition that is no bool is an error. */
function choose(
  compiler: Compiler,
  test: Syntax,
  parts: { readonly condition: Code; readonly code: Code; readonly slot: number },
): Code {
  const offset = compiler.parsed.offsetOf(test);
  return (run) => {
    const held = parts.condition(run);
    if (held === true) return parts.code(run);
    if (held === false) return run.slots[parts.slot] ?? null;
    return isFault(held) ? held : fault(`wanted a bool, got ${typeNameOf(held)}`, offset);
  };
}

const append =
  (element: Code, slot: number): Code =>
  (run) => {
    const list = run.slots[slot] ?? null;
    if (!isKind(list, 'list')) return list;
    const item = element(run);
    if (isFault(item)) return item;
    // Started by the fold itself, as a list of its own.
    const items = list.items as Value[];
    items.push(item);
    return list;
  };
