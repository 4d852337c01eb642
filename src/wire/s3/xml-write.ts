// Writes XML as S3 does: one prolog, no white space, every character of a name able to come back, which is where it differs from
// wire/xml.ts. It knows no document.

const PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Markup, controls, and what XML 1.0 §2.2 calls no character at all; a lone surrogate has no encoding either. */
const ESCAPED =
  /[&<>"\u0000-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * Text as the content of an element. Controls become references such as `&#x1;`, as S3 writes them: XML 1.0 has no way to hold
 * them, so strict readers fail on such a key unless they ask for `encoding-type=url`. A lone surrogate becomes U+FFFD.
 */
export const escapeXml = (text: string): string =>
  text.replace(ESCAPED, (character) => {
    const code = character.charCodeAt(0);
    if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
    return NAMED[character] ?? `&#x${code.toString(16).toUpperCase()};`;
  });

/** An element around what is already XML. */
export const element = (name: string, ...content: readonly string[]): string =>
  `<${name}>${content.join('')}</${name}>`;

/** An element around a text. */
export const textElement = (name: string, text: string | number | boolean): string =>
  `<${name}>${escapeXml(String(text))}</${name}>`;

/** A whole answer in S3's namespace. */
export const s3Document = (name: string, ...content: readonly string[]): string =>
  `${PROLOG}<${name} xmlns="${NAMESPACE}">${content.join('')}</${name}>`;

/** A whole answer without a namespace: errors. */
export const plainDocument = (name: string, ...content: readonly string[]): string =>
  `${PROLOG}${element(name, ...content)}`;

/** A whole answer without content. */
export const emptyS3Document = (name: string): string => `${PROLOG}<${name} xmlns="${NAMESPACE}"/>`;

/** Times in XML: S3 counts whole seconds and writes the milliseconds all the same. */
export const xmlTime = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}.000Z`;

/** Names under `encoding-type=url`: form encoding with slashes kept, so a space is a plus. */
export const encodeUrlName = (name: string): string =>
  encodeURIComponent(name.toWellFormed())
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+');
