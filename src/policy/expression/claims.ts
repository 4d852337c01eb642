// Claims as CEL values, converted when they are read and no earlier. It evaluates nothing.
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import { charge } from './cost.ts';
import type { Run } from './run.ts';
import { listOf, type MapEntry, type MapKey, type MapValue, type Value } from './value.ts';

const NO_ENTRIES: ReadonlyMap<MapKey, MapEntry> = new Map();

/**
 * A claim as a CEL value. Whole numbers up to 2^53 are int, every other number is double; nothing else changes its type.
 * Objects are wrapped, not copied; a list is converted once per evaluation, which is charged for.
 */
export function fromJson(value: JsonValue, run: Run): Value {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (isJsonObject(value)) return { kind: 'map', json: value, entries: NO_ENTRIES };
  const known = run.lists.get(value);
  if (known !== undefined) return known;
  charge(run, value.length);
  const list = listOf(value.map((item) => fromJson(item, run)));
  run.lists.set(value, list);
  return list;
}

/** The value under `key`; undefined when there is none. */
export function lookUp(map: MapValue, key: MapKey, run: Run): Value | undefined {
  if (map.json === undefined) return map.entries.get(key)?.value;
  if (typeof key !== 'string' || !Object.hasOwn(map.json, key)) return undefined;
  const member = map.json[key];
  return member === undefined ? undefined : fromJson(member, run);
}

/** The keys of a map, each as its own type; charged for. */
export function keysOf(map: MapValue, run: Run): readonly Value[] {
  const keys = map.json === undefined ? Array.from(map.entries.values(), (entry) => entry.key) : Object.keys(map.json);
  charge(run, keys.length);
  return keys;
}
