// Text in XML: nothing that was sent can become markup, and what comes out of a parser is what went in.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import { escapeXml, textElement } from './write.ts';

/** What an XML 1.0 parser makes of character data, for the references that are written here. */
const parsed = (xml: string): string =>
  xml
    .replace(/\r\n?/g, '\n')
    .replace(/&(amp|lt|gt|quot|apos|#xD);/g, (_all, name: string) => MEANING[name] ?? '')
    .toWellFormed();

const MEANING: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#xD': '\r' };

describe('text in XML', () => {
  test.each([
    ['</Audience><Audience>', '&lt;/Audience&gt;&lt;Audience&gt;'],
    [']]>&amp;', ']]&gt;&amp;amp;'],
    [`"'`, '&quot;&apos;'],
    ['a\u0000b\u0008c\u001bd', 'a\ufffdb\ufffdc\ufffdd'],
    ['a\ufffeb\uffffc', 'a\ufffdb\ufffdc'],
    ['a\ud800b', 'a\ufffdb'],
    ['a\r\n\tb', 'a&#xD;\n\tb'],
    ['é😀', 'é😀'],
  ])('%j is written as %j', (text, xml) => {
    expect(escapeXml(text)).toBe(xml);
  });

  test('stands inside its element', () => {
    expect(textElement('Code', 'a<b')).toBe('<Code>a&lt;b</Code>');
  });

  test('holds no markup and comes out as it went in, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const xml = escapeXml(text);
        expect(xml).not.toMatch(/[<>\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
        const carried = text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
        expect(parsed(xml)).toBe(carried);
      }),
      { numRuns: propertyRuns() },
    );
  });
});
