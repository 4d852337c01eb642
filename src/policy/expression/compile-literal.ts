// Code for what an expression spells out: constants, lists, maps.
import { intOf, uintOf } from './arithmetic.ts';
import { type Code, type Compiler, constantly, type Place, refuse } from './compiler.ts';
import type { Syntax, SyntaxOf } from './syntax.ts';
import { fault, isFault, listOf, type MapEntry, type MapKey, mapKeyOf, type Value } from './value.ts';

/** A constant. The parser takes numbers of any size; those that do not fit their type are refused. */
export function compileConstant(compiler: Compiler, node: Syntax, constant: SyntaxOf<'constExpr'>): Code {
  const value = constantOf(constant);
  return isFault(value) ? refuse(compiler, node, value.problem) : constantly(value);
}

function constantOf({ constantKind }: SyntaxOf<'constExpr'>): Value {
  switch (constantKind.case) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'stringValue':
      return constantKind.value;
    case 'int64Value':
      return intOf(constantKind.value);
    case 'uint64Value':
      return uintOf(constantKind.value);
    case 'doubleValue':
      return Number.isFinite(constantKind.value) ? constantKind.value : fault('the double is out of range');
    case 'bytesValue':
      return { kind: 'bytes', bytes: constantKind.value };
    default:
      return fault('not a constant of CEL');
  }
}

/** A list literal. */
export function compileList(compiler: Compiler, list: SyntaxOf<'listExpr'>, place: Place): Code {
  const codes = list.elements.map((element) => compiler.compile(element, place));
  return (run) => {
    const items: Value[] = [];
    for (const code of codes) {
      const item = code(run);
      if (isFault(item)) return item;
      items.push(item);
    }
    return listOf(items);
  };
}

/** A map literal; one key twice is an error, 1 and 1u are one key. */
export function compileMap(
  compiler: Compiler,
  node: Syntax,
  { struct, place }: { readonly struct: SyntaxOf<'structExpr'>; readonly place: Place },
): Code {
  if (struct.messageName !== '') return refuse(compiler, node, `there is no message type ${struct.messageName}`);
  const offset = compiler.parsed.offsetOf(node);
  const codes = struct.entries.map(({ keyKind, value }) => ({
    key: compiler.compile(keyKind.case === 'mapKey' ? keyKind.value : undefined, place),
    value: compiler.compile(value, place),
  }));
  return (run) => {
    const entries = new Map<MapKey, MapEntry>();
    for (const code of codes) {
      const key = code.key(run);
      if (isFault(key)) return key;
      const value = code.value(run);
      if (isFault(value)) return value;
      const name = mapKeyOf(key);
      if (name === undefined || typeof key === 'number') return fault('not a type that can be a key', offset);
      if (entries.has(name)) return fault('a key is there twice', offset);
      entries.set(name, { key, value });
    }
    return { kind: 'map', json: undefined, entries };
  };
}
