// Looks into a value of unknown form without ever failing: for checks that run beside a schema.
import { isJsonObject, type JsonValue } from '../core/json.ts';
import type { DocumentPath } from './problem.ts';

/** What stands at `path`, own members only; undefined when nothing does. */
export function valueAt(value: JsonValue, path: DocumentPath): JsonValue | undefined {
  let part: JsonValue | undefined = value;
  for (const segment of path) {
    if (Array.isArray(part)) part = typeof segment === 'number' ? part[segment] : undefined;
    else part = isJsonObject(part) && Object.hasOwn(part, segment) ? part[segment] : undefined;
  }
  return part;
}

/** The text at `path`; undefined for anything else. */
export function textAt(value: JsonValue, path: DocumentPath): string | undefined {
  const part = valueAt(value, path);
  return typeof part === 'string' ? part : undefined;
}

/** The entries of the list at `path`; none for anything else. */
export function entriesAt(value: JsonValue, path: DocumentPath): readonly JsonValue[] {
  const part = valueAt(value, path);
  return Array.isArray(part) ? part : [];
}
