import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MaskedLines, SecretMask } from './mask.ts';

const SECRET = 'jobpass_rt_9f3c+/ä "q"';

function maskOf(...secrets: readonly string[]): SecretMask {
  const mask = new SecretMask();
  for (const secret of secrets) mask.register(secret);
  return mask;
}

/** What comes out when `bytes` arrive cut at `cuts`. */
function linesOf(mask: SecretMask, bytes: Uint8Array, cuts: readonly number[] = []): readonly string[] {
  const lines: string[] = [];
  const masked = new MaskedLines(mask, (line) => lines.push(line));
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    masked.write(bytes.subarray(at, cut));
    at = Math.max(at, cut);
  }
  masked.write(bytes.subarray(at));
  masked.end();
  return lines;
}

describe('a secret is replaced', () => {
  it.each([
    ['as it is', SECRET],
    ['percent-encoded', encodeURIComponent(SECRET)],
    ['percent-encoded in lower case', encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase())],
    ['form-encoded', encodeURIComponent(SECRET).replaceAll('%20', '+')],
    ['inside JSON', JSON.stringify(SECRET).slice(1, -1)],
  ])('%s', (_, shown) => {
    expect(maskOf(SECRET).mask(`before ${shown} after`)).toBe('before *** after');
  });

  it.each(['', 'u', 'user:', 'longer user:'])('inside base64 behind %j, in both alphabets', (prefix) => {
    for (const encoding of ['base64', 'base64url'] as const) {
      const shown = Buffer.from(`${prefix}${SECRET} and more`).toString(encoding);
      const masked = maskOf(SECRET).mask(shown);
      expect(masked).toContain('***');
      // Of the secret's own characters at most the two that it shares with its neighbours are left.
      expect(masked.length).toBeLessThan(shown.length - Math.floor((Buffer.byteLength(SECRET) * 4) / 3) + 8);
    }
  });

  it('in each of its lines', () => {
    expect(maskOf('line one\nline two').mask('x line two y')).toBe('x *** y');
  });

  it('where it overlaps another or itself', () => {
    expect(maskOf('aXa', 'aYa').mask('aXaYaXa!')).toBe('***!');
  });

  it('and nothing else is', () => {
    expect(maskOf(SECRET, '', '\n').mask('an ordinary line')).toBe('an ordinary line');
  });
});

describe('a token that the runner never saw', () => {
  it('is replaced by its form', () => {
    const part = (text: string): string => Buffer.from(text).toString('base64url');
    const jws = `${part('{"alg":"RS256"}')}.${part('{"sub":"owner:acme@42"}')}.${part('x'.repeat(64))}`;
    expect(maskOf().mask(`token=${jws};`)).toBe('token=***;');
  });

  it('is replaced wherever the plain pattern finds one', () => {
    const pattern = /eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{16,}/g;
    const part = fc.oneof(
      fc.constantFrom('eyJ', '.', '..', ' ', '-', 'aaaaaa', 'x'.repeat(16)),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const text = parts.join('');
        const spans = maskOf().spans(text);
        for (const match of text.matchAll(pattern)) {
          const end = match.index + match[0].length;
          expect(spans.some(([from, to]) => from <= match.index && end <= to)).toBe(true);
        }
        // And nowhere else: each span begins with a whole token.
        for (const [from, to] of spans) expect(text.slice(from, to).search(pattern)).toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('is replaced however the stream is cut, also in the pieces of an endless line', () => {
    const chars = (min: number) => fc.stringMatching(new RegExp(`^[A-Za-z0-9_-]{${min},60}$`));
    fc.assert(
      fc.property(
        fc
          .tuple(chars(6), chars(6), chars(16))
          .map(([header, payload, signature]) => [`eyJ${header}`, payload, signature]),
        fc.nat(70_000),
        fc.array(fc.nat(140_000), { maxLength: 8 }),
        (parts, before, cuts) => {
          const bytes = Buffer.from(`${' '.repeat(before)}${parts.join('.')}${' '.repeat(70_000)}\n`);
          const shown = linesOf(maskOf(), bytes, cuts).join('');
          expect(shown.trim()).toBe('***');
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each([
    ['beginnings of tokens', 'eyJ'],
    ['tokens cut short', 'eyJaaaaaa.bbbbbb.'],
    ['dots', '.'],
  ])('answers a line of %s', (_, piece) => {
    const line = Buffer.from(`${piece.repeat(Math.floor((64 * 1024) / piece.length))}\n`);
    expect(linesOf(maskOf(), line).length).toBeGreaterThan(0);
  });

  it('answers a line that comes byte by byte', () => {
    const bytes = Buffer.alloc(60_000, 'e');
    const everyByte = Array.from(bytes, (_, at) => at);
    expect(linesOf(maskOf(), bytes, everyByte).join('')).toBe(bytes.toString());
  });
});

describe('a stream', () => {
  it('never shows a secret, however it is cut into chunks', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9_+/=-]{8,40}$/),
        fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }),
        fc.array(fc.nat(400), { maxLength: 8 }),
        (secret, around, cuts) => {
          const bytes = Buffer.from(around.map((text) => `${text}${secret}`).join('\n'));
          const shown = linesOf(maskOf(secret), bytes, cuts).join('\n');
          expect(shown).not.toContain(secret);
        },
      ),
    );
  });

  it('gives the same lines however it is cut', () => {
    const bytes = Buffer.from('eins zwei ä\r\ndrei\n\nvier');
    const whole = linesOf(maskOf(), bytes);
    expect(whole).toEqual(['eins zwei ä', 'drei', '', 'vier']);
    for (let cut = 0; cut < bytes.length; cut += 1) expect(linesOf(maskOf(), bytes, [cut])).toEqual(whole);
  });

  it('without line ends is handed on in pieces, none of which shows the end or the start of a secret', () => {
    const bytes = Buffer.from(`${'.'.repeat(60_000)}${SECRET}`.repeat(5));
    const lines: string[] = [];
    const masked = new MaskedLines(maskOf(SECRET), (line) => lines.push(line));
    for (let at = 0; at < bytes.length; at += 1000) masked.write(bytes.subarray(at, at + 1000));
    masked.end();
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join('')).toBe(`${'.'.repeat(60_000)}***`.repeat(5));
  });

  it('cannot split a secret with terminal escapes, nor steer the terminal', () => {
    const bytes = Buffer.from('\u001b[31mtop\u001b[0m-sec\u001b[1mret\u0007 \u001b]52;c;ZXZpbA==\u0007done\u001b[2J');
    expect(linesOf(maskOf('top-secret'), bytes)).toEqual(['*** done']);
  });

  it('registers what ::add-mask:: names before the line is shown', () => {
    expect(linesOf(maskOf(), Buffer.from('::add-mask::hunter22%25\nsaid hunter22%\n'))).toEqual([
      '::add-mask::***',
      'said ***',
    ]);
  });
});
