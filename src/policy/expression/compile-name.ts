// Code for names and fields: variables, types, `claims.ref`, `has(claims.ref)`.
import { ownMember } from '../../base/core/json.ts';
import { fromJson, lookUp } from './claims.ts';
import { type Code, type Compiler, constantly, type Place, refuse } from './compiler.ts';
import type { Syntax, SyntaxOf } from './syntax.ts';
import { fault, isFault, isKind, TYPE_NAMES, typeNameOf, type Value } from './value.ts';

/** A variable of a macro, else a variable of the expression, else a type; anything else is refused. */
export function compileName(
  compiler: Compiler,
  node: Syntax,
  { name, place }: { readonly name: string; readonly place: Place },
): Code {
  const slot = place.names.get(name);
  const offset = compiler.parsed.offsetOf(node);
  // A macro sets its variables before it runs what is inside.
  if (slot !== undefined) return (run) => run.slots[slot] ?? null;
  if (compiler.variables.has(name)) return variable(name, offset);
  if (TYPE_NAMES.includes(name)) return constantly({ kind: 'type', name });
  const known = [...compiler.variables].join(', ');
  return refuse(compiler, node, `there is no variable ${name}${known === '' ? '' : `; there is ${known}`}`);
}

function variable(name: string, offset: number): Code {
  const unbound: Value = fault(`the variable ${name} has no value`, offset);
  return (run) => {
    const value = ownMember(run.bindings, name);
    return value === undefined ? unbound : fromJson(value, run);
  };
}

/** A field of a map, or whether it is there. A field that is not there is an error. */
export function compileSelect(
  compiler: Compiler,
  node: Syntax,
  { select, place }: { readonly select: SyntaxOf<'selectExpr'>; readonly place: Place },
): Code {
  const type = select.testOnly ? undefined : typeNamed(compiler, node, place);
  if (type !== undefined) return constantly({ kind: 'type', name: type });
  const operand = compiler.compile(select.operand, place);
  const { field, testOnly } = select;
  const offset = compiler.parsed.offsetOf(node);
  const missing: Value = fault(`there is no field ${field}`, offset);
  return (run) => {
    const container = operand(run);
    if (isFault(container)) return container;
    if (!isKind(container, 'map')) {
      return fault(`a ${typeNameOf(container)} has no fields`, offset);
    }
    const value = lookUp(container, field, run);
    if (testOnly) return value !== undefined;
    return value === undefined ? missing : value;
  };
}

/** `google.protobuf.Timestamp` and its like, unless their first name is a variable. */
function typeNamed(compiler: Compiler, node: Syntax, place: Place): string | undefined {
  const names: string[] = [];
  let at: Syntax | undefined = node;
  while (at?.exprKind.case === 'selectExpr' && names.length < MAX_TYPE_NAMES) {
    names.unshift(at.exprKind.value.field);
    at = at.exprKind.value.operand;
  }
  const first = at?.exprKind.case === 'identExpr' ? at.exprKind.value.name : undefined;
  if (first === undefined || compiler.variables.has(first) || place.names.has(first)) return undefined;
  const name = [first, ...names].join('.');
  return TYPE_NAMES.includes(name) ? name : undefined;
}

/** No type has more names than `google.protobuf.Timestamp`. */
const MAX_TYPE_NAMES = 2;
