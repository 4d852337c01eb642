// Functions on texts: CEL's own and those that Google adds (cloud-wire §2.4). Regular expressions are not among them.
import { err, ok, type Result } from '../../base/core/result.ts';
import { charge, chargeSearch, chargeText, type Meter } from './cost.ts';
import { fault, isKind, listOf, type Value } from './value.ts';

/** The number of code points, as CEL counts the size of a text. */
export function codePoints(meter: Meter, text: string): bigint {
  chargeText(meter, text.length * 8);
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const isPair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    if (isPair) at += 1;
    count += 1;
  }
  return BigInt(count);
}

type TextTest = (meter: Meter, text: Value, part: Value) => Value | undefined;

export const contains: TextTest = (meter, text, part) => {
  if (typeof text !== 'string' || typeof part !== 'string') return undefined;
  chargeSearch(meter, text.length, part.length);
  return text.includes(part);
};

export const startsWith: TextTest = (meter, text, part) => {
  if (typeof text !== 'string' || typeof part !== 'string') return undefined;
  chargeText(meter, part.length);
  return text.startsWith(part);
};

export const endsWith: TextTest = (meter, text, part) => {
  if (typeof text !== 'string' || typeof part !== 'string') return undefined;
  chargeText(meter, part.length);
  return text.endsWith(part);
};

const changeCase =
  (letters: RegExp, change: (text: string) => string) =>
  (meter: Meter, text: Value): Value | undefined => {
    if (typeof text !== 'string') return undefined;
    chargeText(meter, text.length * 8);
    return text.replace(letters, change);
  };

/** ASCII letters only: `İ` and its like stay what they are. */
export const lowerAscii = changeCase(/[A-Z]+/g, (letters) => letters.toLowerCase());
export const upperAscii = changeCase(/[a-z]+/g, (letters) => letters.toUpperCase());

/** `split(separator)` and `split(separator, limit)`; a negative limit is none. An empty separator splits code points. */
export function split(meter: Meter, text: Value, separator: Value, limit: Value = -1n): Value | undefined {
  if (typeof text !== 'string' || typeof separator !== 'string' || typeof limit !== 'bigint') return undefined;
  charge(meter, 1 + text.length);
  chargeSearch(meter, text.length, separator.length);
  if (limit === 0n) return listOf([]);
  const parts = separator === '' ? Array.from(text) : text.split(separator);
  if (limit < 0n || BigInt(parts.length) <= limit) return listOf(parts);
  const kept = Number(limit) - 1;
  return listOf([...parts.slice(0, kept), parts.slice(kept).join(separator)]);
}

/** `join()` and `join(separator)` of a list that holds nothing but texts. */
export function join(meter: Meter, list: Value, separator: Value = ''): Value | undefined {
  if (!isKind(list, 'list') || typeof separator !== 'string') return undefined;
  const texts = list.items.filter((item) => typeof item === 'string');
  if (texts.length !== list.items.length) return fault('join() wants a list of strings');
  charge(meter, texts.length);
  const chars = texts.reduce((sum, text) => sum + text.length, 0);
  chargeText(meter, chars + separator.length * texts.length);
  return texts.join(separator);
}

/** What stands before and after the one `{name}` of a template of `extract()`. */
export interface Template {
  readonly before: string;
  readonly after: string;
}

/** Reads a template: exactly one name in braces. */
export function readTemplate(source: string): Result<Template, string> {
  const [before, rest, ...more] = source.split('{');
  const [name, after, ...others] = (rest ?? '').split('}');
  const isOne = more.length === 0 && others.length === 0 && name !== undefined && after !== undefined;
  if (before === undefined || !isOne || before.includes('}') || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return err('extract() wants a template with exactly one name in braces, as in "refs/heads/{branch}"');
  }
  return ok({ before, after });
}

/**
 * `extract()`: the text between the first `before` and the first `after` behind it; all the rest when the template ends
 * with its name; the empty text when it does not match (cloud-wire §2.4).
 */
export function extract(meter: Meter, text: string, template: Template): string {
  chargeSearch(meter, text.length, template.before.length + template.after.length);
  const found = text.indexOf(template.before);
  if (found === -1) return '';
  const start = found + template.before.length;
  if (template.after === '') return text.slice(start);
  const end = text.indexOf(template.after, start);
  return end === -1 ? '' : text.slice(start, end);
}
