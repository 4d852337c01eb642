// Strict decoding of application/x-www-form-urlencoded pairs, shared by bodies and query strings. It interprets no
// parameter.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';

/** No protocol served here has a fifth of it; more is refused before memory is spent on it. */
export const MAX_PARAMETERS = 100;

export interface Parameter {
  readonly name: string;
  readonly value: string;
}

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/**
 * The pairs of `bytes` in order, names possibly repeated. Stricter than the WHATWG parser where that one guesses: a
 * broken percent escape, broken UTF-8 (also when escaped), a byte order mark, a pair without a name and more than
 * MAX_PARAMETERS pairs are `request_malformed`. A pair without `=` has the empty value. The failure's detail names
 * positions, never values.
 */
export function decodePairs(bytes: Uint8Array): Result<readonly Parameter[], Failure> {
  if (bytes.length === 0) return ok([]);
  const pairs: Parameter[] = [];
  let start = 0;
  while (start <= bytes.length) {
    const found = bytes.indexOf(AMPERSAND, start);
    const end = found === -1 ? bytes.length : found;
    if (pairs.length === MAX_PARAMETERS) return malformed(`more than ${MAX_PARAMETERS} parameters`);
    const pair = decodePair(bytes.subarray(start, end));
    if (pair === undefined) return malformed(`parameter ${pairs.length + 1} cannot be decoded`);
    pairs.push(pair);
    start = end + 1;
  }
  return ok(pairs);
}

function decodePair(bytes: Uint8Array): Parameter | undefined {
  const split = bytes.indexOf(EQUALS);
  const name = decodeText(split === -1 ? bytes : bytes.subarray(0, split));
  const value = split === -1 ? '' : decodeText(bytes.subarray(split + 1));
  return name === undefined || name === '' || value === undefined ? undefined : { name, value };
}

function decodeText(bytes: Uint8Array): string | undefined {
  // A token, which is most of a body, has nothing to undo.
  if (bytes.indexOf(PERCENT) === -1 && bytes.indexOf(PLUS) === -1) return decodeUtf8(bytes);
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === PERCENT) {
      const high = hexDigit(bytes[at + 1]);
      const low = hexDigit(bytes[at + 2]);
      if (high === undefined || low === undefined) return undefined;
      plain[length] = high * 16 + low;
      at += 2;
    } else {
      plain[length] = byte === PLUS ? SPACE : (byte ?? 0);
    }
    length += 1;
  }
  return decodeUtf8(plain.subarray(0, length));
}

function hexDigit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const upper = byte & 0xdf;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    const text = utf8.decode(bytes);
    // Kept by ignoreBOM; two spellings of one value would otherwise reach the checks behind us.
    return text.startsWith('\uFEFF') ? undefined : text;
  } catch {
    return undefined;
  }
}

const malformed = (detail: string): Result<never, Failure> => err(failure('request_malformed', detail));
