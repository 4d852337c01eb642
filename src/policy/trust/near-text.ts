// How a presented value just misses a wanted text. It explains refusals and never makes or unmakes one.
import type { NearMiss } from '../../base/core/decision.ts';
import type { JsonValue } from '../../base/core/json.ts';

/** Whether `holds` would have held but for letter case, type, or space at the ends; `holds` is given what to try instead. */
export function nearTextMiss(
  value: JsonValue | undefined,
  tries: { readonly holds: (text: string) => boolean; readonly holdsFolded: (text: string) => boolean },
): NearMiss | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') {
    const text = textOf(value);
    return text !== undefined && tries.holds(text) ? 'type' : undefined;
  }
  const trimmed = value.trim();
  if (trimmed !== value && tries.holds(trimmed)) return 'space';
  return tries.holdsFolded(value.toLowerCase()) ? 'case' : undefined;
}

/** What a value that is no text would be as text; a list of one stands for its entry. */
function textOf(value: Exclude<JsonValue, string | null>): string | undefined {
  const single = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof single === 'object' ? undefined : String(single);
}

/** How a presented text misses one that it should equal. */
export const nearEqual = (value: JsonValue | undefined, wanted: string): NearMiss | undefined =>
  nearTextMiss(value, {
    holds: (text) => text === wanted,
    holdsFolded: (text) => text === wanted.toLowerCase(),
  });
