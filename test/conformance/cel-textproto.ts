// Reads protobuf's text format as far as the CEL vectors use it, into plain fields. It knows no schema.

/** A message: its fields in order, repeated ones repeated. */
export interface Message {
  readonly fields: readonly Field[];
}

/** A scalar is kept as it was written; strings are bytes, because bytes fields are written as strings too. */
export type FieldValue = Message | { readonly word: string } | { readonly bytes: Uint8Array };

interface Field {
  readonly name: string;
  readonly value: FieldValue;
}

/** Comments and white space, then a string, a name in brackets, a word or number, or a single mark. */
const TOKEN = /(?:#[^\n]*|[\s,;])*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(\[[^\]]+\])|([\w.+-]+)|([{}:<>]))?/gy;

/** The message that `text` holds. Throws on text that is not of the format: a vector file must never be read in part. */
export function readTextproto(text: string): Message {
  const tokens = tokensOf(text);
  let at = 0;
  const readValue = (): FieldValue => {
    const token = tokens[at++] ?? '';
    if (token === '{') return readMessage('}');
    if (!/^["']/.test(token)) return { word: token };
    const parts = [unquote(token)];
    while (/^["']/.test(tokens[at] ?? '')) parts.push(unquote(tokens[at++] ?? ''));
    return { bytes: Buffer.concat(parts) };
  };
  const readMessage = (end: string | undefined): Message => {
    const fields: Field[] = [];
    while (tokens[at] !== end) {
      const name = tokens[at++];
      if (name === undefined || /^[{}:"']/.test(name)) throw new Error(`textproto: wanted a field name, got ${name}`);
      if (tokens[at] === ':') at += 1;
      fields.push({ name: name.replace(/^\[|\]$/g, ''), value: readValue() });
    }
    at += 1;
    return { fields };
  };
  return readMessage(undefined);
}

function tokensOf(text: string): readonly string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null || TOKEN.lastIndex === start) throw new Error(`textproto: cannot read at ${start}`);
    const token = match[1] ?? match[2] ?? match[3] ?? match[4];
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

const ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };

function unquote(quoted: string): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [piece] of quoted
    .slice(1, -1)
    .matchAll(/\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{1,2}|\\[0-7]{1,3}|\\.|[^\\]+/gs)) {
    if (!piece.startsWith('\\')) parts.push(Buffer.from(piece));
    else if (/^\\[uU]./.test(piece)) parts.push(Buffer.from(String.fromCodePoint(Number.parseInt(piece.slice(2), 16))));
    else if (/^\\x./.test(piece)) parts.push(Buffer.from([Number.parseInt(piece.slice(2), 16)]));
    else if (/^\\[0-7]/.test(piece)) parts.push(Buffer.from([Number.parseInt(piece.slice(1), 8)]));
    else parts.push(Buffer.from([ESCAPES[piece.slice(1)] ?? piece.charCodeAt(1)]));
  }
  return Buffer.concat(parts);
}

/** The values of every field of this name. */
export const valuesOf = (message: Message, name: string): readonly FieldValue[] =>
  message.fields.filter((field) => field.name === name).map((field) => field.value);

/** The value of the one field of this name, if it is there. */
export const fieldOf = (message: Message, name: string): FieldValue | undefined => valuesOf(message, name)[0];

/** The text of a string field, or of a word; empty when the field is not there, as protobuf reads it. */
export function textOf(message: Message, name: string): string {
  const value = fieldOf(message, name);
  if (value === undefined) return '';
  if ('word' in value) return value.word;
  if ('bytes' in value) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value.bytes);
  throw new Error(`textproto: ${name} is a message`);
}

/** A message field; throws when it is something else. */
export function messageOf(value: FieldValue): Message {
  if ('fields' in value) return value;
  throw new Error('textproto: wanted a message');
}
