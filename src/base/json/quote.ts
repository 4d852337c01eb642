// Untrusted values in texts for operators: one short printable line, whatever was sent.
import type { JsonValue } from '../core/json.ts';

const MAX_CHARS = 80;

/**
 * `value` as JSON in printable ASCII, cut after 80 characters: it cannot break a line, colour a terminal, or fill a
 * log. Never for secrets and tokens.
 */
export function quote(value: JsonValue | undefined): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(cut(value));
  const plain = text.slice(0, MAX_CHARS * 2).replace(/[^\x20-\x7e]/g, escapeUnit);
  return plain.length <= MAX_CHARS ? plain : `${plain.slice(0, MAX_CHARS)}…`;
}

/** A long string is cut before it is copied and escaped. */
const cut = (value: JsonValue): JsonValue => (typeof value === 'string' ? value.slice(0, MAX_CHARS * 2) : value);

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
