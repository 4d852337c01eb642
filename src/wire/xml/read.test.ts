// The small XML reader: what it takes, and that everything else of XML is refused.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeXml, textElement } from '../s3/xml-write.ts';
import { parseXml } from './read.ts';

const BOUNDS = { maxDepth: 4, maxElements: 50 };
const parse = (text: string, bounds = BOUNDS) => parseXml(Buffer.from(text), bounds);

describe('the XML reader', () => {
  test('reads elements, text and references', () => {
    expect(
      parse('<a xmlns="http://x/"><b>1 &lt; 2 &#65;&#x1F600;&amp;&quot;&apos;&gt;</b> \n<c/><c ></c ></a>'),
    ).toEqual({
      name: 'a',
      text: '',
      children: [
        { name: 'b', children: [], text: '1 < 2 A😀&"\'>' },
        { name: 'c', children: [], text: '' },
        { name: 'c', children: [], text: '' },
      ],
    });
  });

  test.each([
    '<?xml version="1.0"?><a/>',
    '<?xml version="1.0" encoding="UTF-8"?>\n<a/>\n',
    "<?xml version='1.0' encoding='utf-8' standalone='yes'?><a/>",
    '\ufeff<a/>',
    ' <a></a> ',
    '<a xmlns="u" xmlns:xsi="v"/>',
  ])('takes %j', (text) => {
    expect(parse(text)).toEqual({ name: 'a', children: [], text: '' });
  });

  test('makes line feeds of line ends, and keeps references to returns', () => {
    expect(parse('<a>1\r\n2\r3&#13;&#xA;</a>')?.text).toBe('1\n2\n3\r\n');
  });

  test.each([
    ['a document type', '<!DOCTYPE a><a/>'],
    ['an entity of its own', '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'],
    ['an entity that is not of the five', '<a>&nbsp;</a>'],
    ['a name of an object’s prototype as entity', '<a>&constructor;</a>'],
    ['a comment', '<a><!-- --></a>'],
    ['a character section', '<a><![CDATA[x]]></a>'],
    ['a processing instruction', '<a><?x y?></a>'],
    ['an attribute', '<a b="c"/>'],
    ['a namespace with a reference', '<a xmlns="&amp;"/>'],
    ['a prefix', '<x:a xmlns:x="u"/>'],
    ['a bare ampersand', '<a>1 & 2</a>'],
    ['an open reference', '<a>&lt</a>'],
    ['a reference to NUL', '<a>&#0;</a>'],
    ['a reference to a surrogate', '<a>&#xD800;</a>'],
    ['a reference beyond Unicode', '<a>&#x110000;</a>'],
    ['a reference to nothing', '<a>&#;</a>'],
    ['a raw control', '<a>\u0001</a>'],
    ['a raw U+FFFF', '<a>\uffff</a>'],
    ['the end of a character section', '<a>]]></a>'],
    ['text outside', '<a/>x'],
    ['text in front', 'x<a/>'],
    ['text beside children', '<a>x<b/></a>'],
    ['two roots', '<a/><a/>'],
    ['no root', ''],
    ['only a prolog', '<?xml version="1.0"?>'],
    ['another version', '<?xml version="1.1"?><a/>'],
    ['another encoding', '<?xml version="1.0" encoding="latin1"?><a/>'],
    ['an end that fits no start', '<a></b>'],
    ['an end with a namespace', '<a></a xmlns="u">'],
    ['an end alone', '</a>'],
    ['no end', '<a><b></b>'],
    ['a tag without end', '<a'],
    ['a tag without name', '<>'],
    ['an empty end', '<a></a/>'],
    ['more depth than allowed', '<a><a><a><a><a/></a></a></a></a>'],
    ['more elements than allowed', `<a>${'<b/>'.repeat(50)}</a>`],
  ])('refuses %s', (_what, text) => {
    expect(parse(text)).toBeUndefined();
  });

  test('refuses broken UTF-8', () => {
    expect(parseXml(Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e), BOUNDS)).toBeUndefined();
  });

  test('reads back whatever the writer wrote, controls and all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const wanted = text.replaceAll('\0', '');
        expect(parse(textElement('a', wanted))?.text).toBe(wanted.toWellFormed());
      }),
    );
  });

  test('takes time in proportion to its input', () => {
    const hostile = [
      ' '.repeat(200_000),
      '&amp;'.repeat(40_000),
      '<a '.repeat(60_000),
      `<a${' xmlns="u"'.repeat(20_000)}`,
    ];
    const started = performance.now();
    for (const text of hostile)
      for (const around of [text, `<a>${text}`, `<a>${text}</a>`, `<a${text}>`]) parse(around);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('escaping', () => {
  test('leaves no markup, no control and nothing that is no character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeXml(text)).not.toMatch(/[<>"\u0000-\u001f\ufffe\uffff]|&(?!(?:amp|lt|gt|quot|#x[0-9A-F]+);)/);
        expect(escapeXml(text).isWellFormed()).toBe(true);
      }),
    );
  });

  test('is S3’s', () => {
    expect(escapeXml('"a" <b> & \u0001\r\n')).toBe('&quot;a&quot; &lt;b&gt; &amp; &#x1;&#xD;&#xA;');
  });
});
