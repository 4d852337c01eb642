// A parsed document with the place of everything in it. YAML and JSON both become this; nothing here knows a format.
import type { JsonValue } from '../core/json.ts';
import type { DocumentPath } from './problem.ts';

/** Offsets count UTF-16 units from the start of the text. */
export type SourceNode =
  | {
      readonly kind: 'scalar';
      readonly offset: number;
      readonly value: string | number | boolean | null;
      /** As written, without quotes. */
      readonly source: string;
    }
  | { readonly kind: 'list'; readonly offset: number; readonly items: readonly SourceNode[] }
  | { readonly kind: 'map'; readonly offset: number; readonly members: ReadonlyMap<string, SourceMember> };

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

/** The plain value. Names are the members' own: a reader refuses `__proto__` before it gets here. */
export function toValue(node: SourceNode): JsonValue {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toValue);
  const value: Record<string, JsonValue> = {};
  for (const [name, member] of node.members) value[name] = toValue(member.node);
  return value;
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
