// A parsed document with the place of everything in it. YAML and JSON both become this; nothing here knows a format.
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { DocumentPath } from './problem.ts';

/** Offsets count UTF-16 units from the start of the text; `value` is the plain value. */
export type SourceNode =
  | {
      readonly kind: 'scalar';
      readonly offset: number;
      readonly value: string | number | boolean | null;
      /** As written, without quotes. */
      readonly source: string;
    }
  | {
      readonly kind: 'list';
      readonly offset: number;
      readonly value: readonly JsonValue[];
      readonly items: readonly SourceNode[];
    }
  | {
      readonly kind: 'map';
      readonly offset: number;
      readonly value: JsonObject;
      readonly members: ReadonlyMap<string, SourceMember>;
    };

export interface SourceMember {
  readonly keyOffset: number;
  readonly node: SourceNode;
}

/** A mistake of form, before any schema is asked. */
export interface SyntaxProblem {
  readonly offset: number;
  readonly path: DocumentPath;
  readonly message: string;
  readonly hint?: string;
}

/** A list of these. */
export const listNode = (offset: number, items: readonly SourceNode[]): SourceNode => ({
  kind: 'list',
  offset,
  value: items.map(({ value }) => value),
  items,
});

/** A mapping of these. Names are the members' own: a reader refuses a document with `__proto__` in it. */
export function mapNode(offset: number, members: ReadonlyMap<string, SourceMember>): SourceNode {
  const value: Record<string, JsonValue> = {};
  for (const [name, { node }] of members) value[name] = node.value;
  return { kind: 'map', offset, value, members };
}

/** What stands at a path: the node when there is one, and the nearest offsets that exist. */
export interface Place {
  readonly node: SourceNode | undefined;
  /** Of the value, or of the nearest enclosing thing. */
  readonly valueOffset: number;
  /** Of the key that names it, or of the value where no key does. */
  readonly keyOffset: number;
}

/** Walks `path` from the root; where it leads nowhere, the last thing on the way gives the offsets. */
export function placeOf(root: SourceNode, path: DocumentPath): Place {
  let node = root;
  let keyOffset = root.offset;
  for (const segment of path) {
    const member = node.kind === 'map' ? node.members.get(String(segment)) : undefined;
    const item = node.kind === 'list' && typeof segment === 'number' ? node.items[segment] : undefined;
    const next = member?.node ?? item;
    if (next === undefined) return { node: undefined, valueOffset: keyOffset, keyOffset };
    keyOffset = member?.keyOffset ?? next.offset;
    node = next;
  }
  return { node, valueOffset: node.offset, keyOffset };
}
