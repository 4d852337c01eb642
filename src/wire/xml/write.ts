// XML as the answers of AWS STS and Azure need it. S3 has its own writer, because keys hold what XML cannot.

/** XML 1.0 §2.2: what no document may hold, not even as a reference. Lone surrogates are dealt with before. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/**
 * `text` as character data and as an attribute's value: no part of it can be read as markup, and it comes out of a parser as it
 * went in (a bare CR would come out as LF). Characters that XML cannot carry become U+FFFD.
 */
export const escapeXml = (text: string): string =>
  PLAIN.test(text)
    ? text
    : text
        .toWellFormed()
        .replace(FORBIDDEN, '\ufffd')
        .replace(/[&<>"'\r]/g, (character) => REFERENCES[character] ?? character);

/** What tokens and names are made of: seen at a glance to have nothing to escape. */
const PLAIN = /^[\w.:/=+@-]*$/;

const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#xD;',
};

/** `<name>text</name>`, the text escaped. Precondition: `name` is our own. */
export const textElement = (name: string, text: string): string => `<${name}>${escapeXml(text)}</${name}>`;
