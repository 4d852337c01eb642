import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import { parseYaml } from './yaml.ts';
import { parsePlainYaml } from './yaml-plain.ts';

const ROLE = `# Who may publish.
role: publish-web
trust:
  - issuer: https://ci.example.com   # ours
    claims:
      owner_id: "42"
      ref: refs/heads/main
      environment: [production, 'staging']
      "https://x/y": a#b

  -   issuer: https://other.example.com
      claims: { sub: "a:b", x: [y, z] }
session: { gateway: artifacts, max_duration: 30m, single_use: true }
permissions:
- { effect: allow, actions: ["s3:*"], resources: ["arn:aws:s3:::web/\${claims.a}/*"] }
`;

describe('plain YAML', () => {
  it('takes a policy file as people write it', () => {
    const plain = parsePlainYaml(ROLE);
    expect(plain).toBeDefined();
    expect(parseYaml(ROLE)).toEqual({ ok: true, value: plain });
  });

  it.each([
    'a: 1',
    'a: ~',
    'a: null',
    'a:',
    'a: True',
    'null: a',
    'a: b\n c',
    'a: b: c',
    'a: [b',
    'a: [b, ]',
    'a: {b}',
    'a: [b: c]',
    'a: &x b',
    'a: *x',
    'a: !x b',
    'a: |\n  b',
    'a: "\\n"',
    "a: 'b''c'",
    'a: b\na: c',
    '__proto__: a',
    '- - a',
    '-',
    '--- a',
    'a: b\n---\nc: d',
    '%YAML 1.2',
    '? a',
    'a:\tb',
    'a: b\r\nc: d',
    'a: ü',
    'a',
    '',
    '"a" : b',
    'a: 1e3',
    'a: 0x1f',
    'a: .inf',
    'a: - b',
    'a: 12:30',
    ' a: b\nc: d',
    'a:\n  b: c\n d: e',
    'a: b:',
    'a: [b:]',
    '{a: b}',
  ])('leaves %j to the whole parser', (text) => {
    expect(parsePlainYaml(text)).toBeUndefined();
  });

  it('gives the nodes that the whole parser gives, for whatever it takes', () => {
    const plain = fc.constantFrom('', '', 'b', '[c, "d"]', '{ e: f }', 'refs/heads/main', '"x"', '30m');
    const odd = fc.constantFrom(
      ...[
        'a',
        'b c',
        'a:b',
        'a#b',
        '30m',
        'true',
        'True',
        'null',
        '1',
        '"x"',
        "'y z'",
        '"a": b',
        '- a',
        '#c',
        ' #c',
        '',
      ],
      ...[
        'https://x',
        '[a, b]',
        '{ a: b, c: [d] }',
        '{a: b}',
        '[]',
        '{}',
        '[a,b]',
        '{ a: b',
        '*',
        '&a',
        'a: b',
        '---',
        'no',
        '~',
      ],
      ...[
        'x,y',
        '$x',
        '/x',
        '30x',
        '1.5',
        '"a\\n"',
        "'a''b'",
        'a ',
        '@a',
        '%a',
        '?',
        '? a',
        ':',
        'a :b',
        '!!str a',
        '<<',
      ],
    );
    const word = fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: odd });
    const plainKey = fc.constantFrom('a', 'b', 'c', 'd.e', '"f g"', 'h/i');
    const oddKey = fc.constantFrom(
      'a',
      'b',
      'c.d',
      '"e f"',
      'g',
      '__proto__',
      'true',
      '<<',
      '1',
      'h/i',
      '-',
      'a b',
      '"":'.slice(0, 2),
    );
    const key = fc.oneof({ weight: 9, arbitrary: plainKey }, { weight: 1, arbitrary: oddKey });
    const line = fc
      .record({
        indent: fc.constantFrom(0, 0, 0, 0, 1, 2, 2, 4),
        dash: fc.constantFrom('', '', '', '', '- ', '- ', '-   ', '-', '- - '),
        key: fc.option(key, { freq: 9 }),
        colon: fc.constantFrom(': ', ': ', ': ', ':', ':   '),
        word,
        tail: fc.constantFrom('', '', '', ' ', ' # c', '# c', '\n', '\n  # c'),
      })
      .map(
        (part) =>
          `${' '.repeat(part.indent)}${part.dash}${part.key === null ? '' : part.key + part.colon}${part.word}${part.tail}`,
      );
    const text = fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => lines.join('\n'));
    let taken = 0;
    fc.assert(
      fc.property(text, (yaml) => {
        const nodes = parsePlainYaml(yaml);
        if (nodes === undefined) return;
        taken += 1;
        expect(parseYaml(yaml)).toEqual({ ok: true, value: nodes });
      }),
      { numRuns: 3 * propertyRuns() },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('gives the nodes that the whole parser gives, for policy files that were tampered with', () => {
    let taken = 0;
    const snippet = fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.constantFrom(...'\n :#-[]{},"\'&*!|>?%@`~'.split(''), '  ', ': '),
    );
    const edit = fc.record({ at: fc.nat(ROLE.length), cut: fc.nat(3), put: snippet });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), (edits) => {
        const yaml = edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), ROLE);
        const nodes = parsePlainYaml(yaml);
        if (nodes === undefined) return;
        taken += 1;
        expect(parseYaml(yaml)).toEqual({ ok: true, value: nodes });
      }),
      { numRuns: propertyRuns() },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
