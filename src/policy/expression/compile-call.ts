// Code for operators and function calls. Logic absorbs errors as CEL says: `false && error` is false, `error || true` true.
import { lookUp } from './claims.ts';
import { type Code, type Compiler, type Place, placed, refuse, refuseAt } from './compiler.ts';
import { type Builtin, type Dialect, findBuiltin } from './functions.ts';
import { compilePattern, isFound } from './pattern-match.ts';
import type { Run } from './run.ts';
import type { Syntax, SyntaxOf } from './syntax.ts';
import { extract, readTemplate } from './text.ts';
import { fault, isFault, isKind, mapKeyOf, typeNameOf, type Value } from './value.ts';

interface Call {
  readonly call: SyntaxOf<'callExpr'>;
  readonly place: Place;
}

/** An operator, an index, or a function; one that does not exist is refused. */
export function compileCall(compiler: Compiler, node: Syntax, { call, place }: Call): Code {
  const inputs = call.target === undefined ? call.args : [call.target, ...call.args];
  const early = earlyBound(compiler, { call, place }, inputs);
  if (early !== undefined) return early;
  const offset = compiler.parsed.offsetOf(node);
  const args = inputs.map((input) => compiler.compile(input, place));
  const special = call.target === undefined ? OPERATORS.get(call.function) : undefined;
  if (special !== undefined) return special(args, offset);
  const style = call.target === undefined ? 'global' : 'method';
  const builtin = findBuiltin(compiler.dialect, style, call.function, args.length);
  if (builtin === undefined) return refuse(compiler, node, unknownFunction(compiler.dialect, style, call));
  return codeOf(builtin, args, { name: call.function, style, offset });
}

/** Patterns and templates that are spelt out are read once, here; a bad one is refused. */
function earlyBound(compiler: Compiler, { call, place }: Call, inputs: readonly Syntax[]): Code | undefined {
  const [subject, literal] = inputs;
  const constant = literal?.exprKind.case === 'constExpr' ? literal.exprKind.value.constantKind : undefined;
  if (inputs.length !== 2 || literal === undefined || constant?.case !== 'stringValue') return undefined;
  const offset = compiler.parsed.offsetOf(literal);
  const isMethod = call.target !== undefined;
  if (call.function === 'matches') {
    compiler.patterns += 1;
    if (compiler.patterns > MAX_PATTERNS) return refuseAt(compiler, offset, `more than ${MAX_PATTERNS} patterns`);
    const pattern = compilePattern(constant.value);
    if (!pattern.ok) return refuseAt(compiler, offset, pattern.error);
    return onText(compiler.compile(subject, place), { name: 'matches', offset }, (run, text) =>
      isFound(run, pattern.value, text),
    );
  }
  if (call.function === 'extract' && isMethod && compiler.dialect === 'google') {
    const template = readTemplate(constant.value);
    if (!template.ok) return refuseAt(compiler, offset, template.error);
    return onText(compiler.compile(subject, place), { name: 'extract', offset }, (run, text) =>
      extract(run, text, template.value),
    );
  }
  return undefined;
}

/** Compiling a pattern takes longer than anything else at load. */
const MAX_PATTERNS = 32;

const onText =
  (subject: Code, at: { name: string; offset: number }, apply: (run: Run, text: string) => Value): Code =>
  (run) => {
    const text = subject(run);
    if (isFault(text)) return text;
    return typeof text === 'string' ? apply(run, text) : noOverload({ ...at, style: 'method' }, [text, '']);
  };

interface CallSite {
  readonly name: string;
  readonly style: 'global' | 'method';
  readonly offset: number;
}

function codeOf(builtin: Builtin, args: readonly Code[], site: CallSite): Code {
  const finish = (found: Value | undefined, inputs: readonly Value[]): Value => {
    if (found === undefined) return noOverload(site, inputs);
    return isFault(found) ? placed(found, site.offset) : found;
  };
  const [first, second] = args;
  if (first !== undefined && second === undefined) {
    return (run) => {
      const one = first(run);
      return isFault(one) ? one : finish(builtin(run, one), [one]);
    };
  }
  if (first !== undefined && second !== undefined && args.length === 2) {
    return (run) => {
      const one = first(run);
      if (isFault(one)) return one;
      const two = second(run);
      return isFault(two) ? two : finish(builtin(run, one, two), [one, two]);
    };
  }
  return (run) => {
    const inputs: Value[] = [];
    for (const arg of args) {
      const input = arg(run);
      if (isFault(input)) return input;
      inputs.push(input);
    }
    return finish(builtin(run, ...inputs), inputs);
  };
}

function noOverload(site: CallSite, inputs: readonly Value[]): Value {
  const types = inputs.map(typeNameOf);
  const sign = /^(?:@(in)|_?(\W+)_?)$/.exec(site.name);
  const operator = sign?.[1] ?? sign?.[2];
  const [receiver = '', ...rest] = types;
  const shown =
    operator !== undefined
      ? types.length === 1
        ? `${operator}${receiver}`
        : types.join(` ${operator} `)
      : site.style === 'method'
        ? `${receiver}.${site.name}(${rest.join(', ')})`
        : `${site.name}(${types.join(', ')})`;
  return fault(`there is no ${shown}`, site.offset);
}

const MACROS: ReadonlyMap<string, string> = new Map([
  ['has', 'has() wants one field, as in has(claims.ref)'],
  ['all', 'all() wants a list, a variable and a condition, as in claims.groups.all(group, group != "x")'],
  ['exists', 'exists() wants a list, a variable and a condition, as in claims.groups.exists(group, group == "x")'],
  ['exists_one', 'exists_one() wants a list, a variable and a condition'],
  ['map', 'map() wants a list, a variable and what to make of it'],
  ['filter', 'filter() wants a list, a variable and a condition'],
]);

function unknownFunction(dialect: Dialect, style: CallSite['style'], call: SyntaxOf<'callExpr'>): string {
  const name = call.function;
  const macro = MACROS.get(name);
  if (macro !== undefined) return macro;
  const counts = [0, 1, 2, 3, 4].filter((count) => findBuiltin(dialect, style, name, count) !== undefined);
  const receiver = style === 'method' ? 1 : 0;
  if (counts.length > 0) return `${name}() wants ${counts.map((count) => count - receiver).join(' or ')} arguments`;
  const other = style === 'method' ? 'global' : 'method';
  const isOther = [1, 2, 3].some((count) => findBuiltin(dialect, other, name, count) !== undefined);
  if (isOther) return other === 'method' ? `write x.${name}() for ${name}(x)` : `write ${name}(x) for x.${name}()`;
  const isGoogle = [1, 2, 3].some((count) => findBuiltin('google', 'method', name, count) !== undefined);
  return isGoogle ? `${name}() is Google's and not CEL's own` : `there is no function ${name}()`;
}

type Special = (args: readonly Code[], offset: number) => Code;

const OPERATORS: ReadonlyMap<string, Special> = new Map<string, Special>([
  ['_&&_', logic(false)],
  ['_||_', logic(true)],
  [
    '_?_:_',
    ([condition, then, otherwise], offset) => {
      if (condition === undefined || then === undefined || otherwise === undefined) return unreachable;
      return (run) => {
        const held = condition(run);
        if (held === true) return then(run);
        return held === false ? otherwise(run) : notBool(held, offset);
      };
    },
  ],
  ['@not_strictly_false', ([operand]) => (operand === undefined ? unreachable : (run) => operand(run) !== false)],
  [
    '_[_]',
    ([container, index], offset) => {
      if (container === undefined || index === undefined) return unreachable;
      return (run) => {
        const from = container(run);
        if (isFault(from)) return from;
        const key = index(run);
        return isFault(key) ? key : itemOf(run, from, { key, offset });
      };
    },
  ],
]);

/** The parser writes these operators with all their operands. */
const unreachable: Code = () => fault('an operand is missing');

/** `||` when `decisive` is true, `&&` when it is false: one decisive side decides, whatever the other is. */
function logic(decisive: boolean): Special {
  return ([left, right], offset) => {
    if (left === undefined || right === undefined) return unreachable;
    return (run) => {
      const one = left(run);
      if (one === decisive) return decisive;
      const two = right(run);
      if (two === decisive) return decisive;
      if (one !== !decisive) return notBool(one, offset);
      return two === !decisive ? two : notBool(two, offset);
    };
  };
}

const notBool = (value: Value, offset: number): Value =>
  isFault(value) ? value : fault(`wanted a bool, got ${typeNameOf(value)}`, offset);

function itemOf(run: Run, from: Value, at: { readonly key: Value; readonly offset: number }): Value {
  const key = mapKeyOf(at.key);
  if (isKind(from, 'map')) {
    const found = key === undefined ? undefined : lookUp(from, key, run);
    return found === undefined ? fault('there is no such key', at.offset) : found;
  }
  if (!isKind(from, 'list')) return noOverload({ name: '_[]_', style: 'global', offset: at.offset }, [from, at.key]);
  const found = typeof key === 'bigint' && key >= 0n ? from.items[Number(key)] : undefined;
  return found === undefined ? fault('there is no such index', at.offset) : found;
}
