// Reads the shape of a zod schema: which names it knows at a path, and whether it refuses the ones it does not know.
import type * as z from 'zod';
import { JobpassError } from '../core/errors.ts';
import type { DocumentPath } from './problem.ts';

type Schema = z.core.$ZodType;

/** What of zod's definitions is looked at; every member is there for some kinds only. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly catchall?: Schema;
  readonly element?: Schema;
  readonly valueType?: Schema;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly out?: Schema;
  readonly options?: readonly Schema[];
  readonly left?: Schema;
  readonly right?: Schema;
  readonly items?: readonly Schema[];
  readonly getter?: () => Schema;
}

const definitionOf = (schema: Schema): Definition => schema._zod.def as Definition;

/** Schemas that stand for the same value: inside optional, default, pipe, union, intersection, lazy. */
function sameValue(definition: Definition): readonly Schema[] {
  const { innerType, in: input, out, options, left, right, getter } = definition;
  return [innerType, input, out, ...(options ?? []), left, right, getter?.()].filter((schema) => schema !== undefined);
}

/** Schemas of the parts of the value. */
function parts(definition: Definition): readonly Schema[] {
  const { shape, element, valueType, items } = definition;
  return [...Object.values(shape ?? {}), element, valueType, ...(items ?? [])].filter((schema) => schema !== undefined);
}

/**
 * Throws ERR_SCHEMA_OPEN for a schema in which some object would drop unknown keys in silence: use `z.strictObject`, or
 * `z.looseObject` where other keys are meant to be kept.
 */
export function assertClosed(schema: Schema): void {
  const seen = new Set<Schema>();
  const waiting = [schema];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const definition = definitionOf(next);
    if (definition.type === 'object' && definition.catchall === undefined) {
      const names = Object.keys(definition.shape ?? {}).join(', ');
      throw new JobpassError('ERR_SCHEMA_OPEN', `an object of the schema ignores unknown keys: ${names}`);
    }
    waiting.push(...sameValue(definition), ...parts(definition));
  }
}

/** The names that objects at `path` may have, each with what its value is in words (`a list`), or '' where that varies. */
export function knownNames(schema: Schema, path: DocumentPath): ReadonlyMap<string, string> {
  let level = unwrap([schema]);
  for (const segment of path) level = unwrap(level.flatMap((definition) => stepInto(definition, segment)));
  const names = new Map<string, string>();
  for (const definition of level) {
    for (const [name, member] of Object.entries(definition.shape ?? {})) names.set(name, kindOf(member));
  }
  return names;
}

function stepInto(definition: Definition, segment: string | number): readonly Schema[] {
  const { shape, element, valueType, items } = definition;
  const member = shape !== undefined && Object.hasOwn(shape, segment) ? shape[segment] : undefined;
  const item = typeof segment === 'number' ? (items?.[segment] ?? element) : undefined;
  return [member, item, typeof segment === 'string' ? valueType : undefined].filter((schema) => schema !== undefined);
}

function unwrap(schemas: readonly Schema[]): readonly Definition[] {
  const seen = new Set<Schema>();
  const waiting = [...schemas];
  const definitions: Definition[] = [];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const definition = definitionOf(next);
    definitions.push(definition);
    waiting.push(...sameValue(definition));
  }
  return definitions;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'nothing',
};

/** A type as zod names it, in our words. */
export const kindInWords = (type: string): string => KINDS[type] ?? 'another kind of value';

function kindOf(schema: Schema): string {
  const kinds = new Set(unwrap([schema]).flatMap((definition) => KINDS[definition.type] ?? []));
  return [...kinds].join(' or ');
}
