// Azure's trace id of a decision: a GUID that holds the decision's id, so that the operator finds it by either. It finds nothing.
import { ID_ALPHABET, ID_RANDOM_BYTES } from '../../base/core/ids.ts';

/** 12 characters of 5 bits are 15 hex digits. */
const DIGITS = 15;
/** RFC 9562 §5.8: version 8 is for whoever makes the bits up; the first group after the variant stays empty. */
const REST = '8000-000000000000';
const TRACE_ID = new RegExp(`^([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-${REST}$`);

/** The trace id of a decision. Throws a TypeError for an id of another form, which nothing here makes. */
export function traceIdOf(decisionId: string): string {
  const values = [...decisionId.slice(1)].map((character) => ID_ALPHABET.indexOf(character));
  if (values.length !== ID_RANDOM_BYTES || values.includes(-1)) throw new TypeError('not the id of a decision');
  const bits = values.reduce((known, value) => (known << 5n) | BigInt(value), 0n);
  const digits = bits.toString(16).padStart(DIGITS, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(12)}-${REST}`;
}

/** The id of the decision with this trace id, whatever its case; undefined for any other text. */
export function decisionIdOf(traceId: string): string | undefined {
  const [, ...parts] = TRACE_ID.exec(traceId.toLowerCase()) ?? [];
  if (parts.length === 0) return undefined;
  const bits = BigInt(`0x${parts.join('')}`);
  const characters = Array.from({ length: ID_RANDOM_BYTES }, (_, index) => {
    const shift = 5n * BigInt(ID_RANDOM_BYTES - 1 - index);
    return ID_ALPHABET[Number((bits >> shift) & 31n)];
  });
  return `D${characters.join('')}`;
}
