import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readDocument } from './read.ts';

const schema = z.strictObject({
  url: z.string(),
  port: z.int().optional(),
  claims: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).optional(),
});
const problemsOf = (text: string, file: string): readonly unknown[] => {
  const outcome = readDocument({ file, text }, schema);
  return outcome.ok ? [] : outcome.error;
};

describe('bounds', () => {
  const fill = (part: string): string => part.repeat(Math.floor(65_536 / part.length));
  const hostile = [
    ...[
      '[',
      '{',
      '{a: ',
      '- ',
      '? ',
      'a: ',
      ']',
      '&a ',
      '*a ',
      '!a ',
      '---\n',
      '...\n',
      '%\n',
      '"\\x',
      "'",
      ': ',
      '[{? ',
    ],
    ...['-\n', '\n', '#\n', 'a\n', ' a:\n', '? a\n: b\n', '- a:\n', '|\n', 'a: 1\n', '[? ', '\t', '"\n', ' - a: [\n'],
  ].map(fill);
  const bomb = `a: &a [x,x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [${`*${i === 0 ? 'a' : `b${i - 1}`},`.repeat(9)}]`).join('\n')}`;
  const manyKeys = Array.from({ length: 9000 }, (_, index) => `k${index}: 1`)
    .join('\n')
    .slice(0, 65_536);

  it.each([...hostile, bomb, manyKeys, `"${fill('a').slice(2)}"`, `{"${fill('\\u0041').slice(9)}":1}`])(
    'any 64 KiB are answered (%#)',
    (text) => {
      for (const file of ['a.yaml', 'a.json']) {
        expect(problemsOf(text, file).length).toBeGreaterThan(0);
      }
    },
  );

  const fragment = fc.constantFrom(
    ...[
      'url',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '? ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '"',
      "'",
      '|',
      '>',
      '#',
      '&a',
      '*a',
      '!',
      '%',
    ],
    ...[
      '---',
      '...',
      '<<',
      '42',
      'true',
      '~',
      '\t',
      '\\',
      '\\u0041',
      '\r\n',
      'é',
      '\u0000',
      '\ud800',
      '__proto__',
      '`',
      '@',
    ],
  );
  it.each(['a.yaml', 'a.json'])('random text never throws (%s)', (file) => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fragment, { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (random) => {
        readDocument({ file, text: random }, schema);
      }),
      { numRuns: 3000 },
    );
  });

  it('any JSON value reads back the same from JSON, and from YAML', () => {
    const loose = z.unknown();
    const value = fc
      .jsonValue({ maxDepth: 6 })
      .filter((json) => !/__proto__|"<<"|e[+-]?\d|\d{16}/.test(JSON.stringify(json)));
    fc.assert(
      fc.property(value, (json) => {
        const text = JSON.stringify(json, null, 1).replace(
          /[\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff\ufffd-\uffff]/g,
          'x',
        );
        const wanted = JSON.parse(text);
        for (const file of ['a.json', 'a.yaml']) {
          const outcome = readDocument({ file, text }, loose);
          expect(outcome.ok && outcome.value.value).toEqual(wanted);
        }
      }),
    );
  });
});
