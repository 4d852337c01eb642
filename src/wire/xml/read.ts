// Reads the XML of request bodies: elements and text, and nothing else that XML can do. No document type, no entity but the
// five, no CDATA, no comment, no processing instruction, no attribute but a namespace: what is not there cannot be abused.

/** An element. One with children has no text but white space. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Of an element without children; references are resolved and line ends are line feeds (XML 1.0 §2.11). */
  readonly text: string;
}

export interface XmlBounds {
  /** The root is at depth 1. */
  readonly maxDepth: number;
  readonly maxElements: number;
}

const PROLOG =
  /^(?:<\?xml[ \t\r\n]+version=(["'])1\.0\1(?:[ \t\r\n]+encoding=(["'])utf-8\2)?(?:[ \t\r\n]+standalone=(["'])(?:yes|no)\3)?[ \t\r\n]*\?>)?[ \t\r\n]*/i;
/** A start tag, an end tag or an empty element. Namespaces are declared and not used: no document here has two. */
const TAG =
  /<(\/)?([A-Za-z][A-Za-z0-9]*)((?:[ \t\r\n]+xmlns(?::[A-Za-z]+)?[ \t\r\n]*=[ \t\r\n]*(?:"[^"<&]*"|'[^'<&]*'))*)[ \t\r\n]*(\/)?>/y;
const WHITE_SPACE = /^[ \t\r\n]*$/;
/** XML 1.0 §2.2: no control but these three, no surrogate, neither of the two that are no characters. */
const NO_CHARACTER = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * The root of a document in UTF-8, or undefined for anything that is not well-formed in this small language or beyond the
 * bounds. References may name controls (not NUL), which strict XML 1.0 has no other way to write: keys of S3 hold them.
 * Time and memory are linear in the bytes, which the caller bounds.
 */
export function parseXml(bytes: Uint8Array, bounds: XmlBounds): XmlElement | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined || NO_CHARACTER.test(text)) return undefined;
  const cursor: Cursor = { text, at: PROLOG.exec(text)?.[0].length ?? 0, elementsLeft: bounds.maxElements };
  const root = readElement(cursor, bounds.maxDepth);
  return WHITE_SPACE.test(text.slice(cursor.at)) ? root : undefined;
}

interface Cursor {
  readonly text: string;
  at: number;
  elementsLeft: number;
}

/** The element that begins at the cursor, which is then behind it. `depth`: how many more may stand inside each other. */
function readElement(cursor: Cursor, depth: number): XmlElement | undefined {
  const tag = readTag(cursor);
  cursor.elementsLeft -= 1;
  if (tag === undefined || tag.kind === 'end' || depth === 0 || cursor.elementsLeft < 0) return undefined;
  const { name } = tag;
  if (tag.kind === 'empty') return { name, children: [], text: '' };
  const children: XmlElement[] = [];
  let text = '';
  for (;;) {
    const piece = readText(cursor);
    if (piece === undefined) return undefined;
    text += piece;
    if (cursor.text.startsWith('</', cursor.at)) break;
    const child = readElement(cursor, depth - 1);
    if (child === undefined) return undefined;
    children.push(child);
  }
  if (readTag(cursor)?.name !== name) return undefined;
  if (children.length === 0) return { name, children, text };
  return WHITE_SPACE.test(text) ? { name, children, text: '' } : undefined;
}

function readTag(cursor: Cursor): { readonly kind: 'start' | 'end' | 'empty'; readonly name: string } | undefined {
  TAG.lastIndex = cursor.at;
  const [whole, slash, name = '', attributes, emptySlash] = TAG.exec(cursor.text) ?? [];
  if (whole === undefined) return undefined;
  cursor.at += whole.length;
  if (slash === undefined) return { kind: emptySlash === undefined ? 'start' : 'empty', name };
  return attributes === '' && emptySlash === undefined ? { kind: 'end', name } : undefined;
}

/** The text up to the next tag; undefined when there is none, or when the text is none. */
function readText(cursor: Cursor): string | undefined {
  const next = cursor.text.indexOf('<', cursor.at);
  if (next === -1) return undefined;
  const raw = cursor.text.slice(cursor.at, next);
  cursor.at = next;
  return resolve(raw);
}

/** An ampersand that begins none. */
const NO_REFERENCE = /&(?!(?:amp|lt|gt|quot|apos);|#[0-9]{1,7};|#x[0-9A-Fa-f]{1,6};)/;

/** The text that `raw` writes; undefined for a reference that is not closed, not known, or of no character. */
function resolve(raw: string): string | undefined {
  // XML 1.0 §2.4: this may not stand in text.
  if (raw.includes(']]>')) return undefined;
  const lines = raw.replace(/\r\n?/g, '\n');
  if (!lines.includes('&')) return lines;
  // Told by the first one: a body of nothing but ampersands is not worked through.
  if (NO_REFERENCE.test(lines)) return undefined;
  let isGood = true;
  const resolved = lines.replace(
    /&(?:([a-z]{2,4});|#([0-9]{1,7});|#x([0-9A-Fa-f]{1,6});)/g,
    (_all, name, decimal, hex) => {
      const character = name === undefined ? scalar(decimal, hex) : named(name);
      isGood &&= character !== undefined;
      return character ?? '';
    },
  );
  return isGood ? resolved : undefined;
}

const named = (name: string): string | undefined => (Object.hasOwn(NAMED, name) ? NAMED[name] : undefined);

function scalar(decimal: string | undefined, hex: string | undefined): string | undefined {
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  const isScalar = code >= 1 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isScalar ? String.fromCodePoint(code) : undefined;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
