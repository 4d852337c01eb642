// JSONTestSuite against the strict JSON parser.
import { expect, it } from 'vitest';
import { z } from 'zod';
import { canonicalJson, parseJson } from '../../src/base/json/parse.ts';
import { describeVectors, readVectors } from './vectors.ts';

const Vectors = z.array(
  z.object({ name: z.string(), expect: z.enum(['accept', 'reject', 'implementation-defined']), b64: z.string() }),
);

/** Accepted by the suite, refused here: two parsers may take different ones of two members with one name. */
const REFUSED_ON_PURPOSE = ['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'];

const text = (b64: string): string => Buffer.from(b64, 'base64').toString('utf8');

describeVectors('JSONTestSuite', () => {
  const vectors = Vectors.parse(readVectors('jsontestsuite/parsing.json'));
  const accepted = vectors.filter(({ name, expect }) => expect === 'accept' && !REFUSED_ON_PURPOSE.includes(name));
  const refused = vectors.filter(({ expect }) => expect === 'reject');
  const duplicates = vectors.filter(({ name }) => REFUSED_ON_PURPOSE.includes(name));
  const free = vectors.filter(({ expect }) => expect === 'implementation-defined');

  it('has 188 texts to refuse, 93 to accept and the two with duplicate names', () => {
    expect([refused.length, accepted.length, duplicates.length]).toEqual([188, 93, 2]);
  });

  it.each(refused)('refuses $name', ({ b64 }) => {
    expect(parseJson(Buffer.from(b64, 'base64')).ok).toBe(false);
  });

  it.each(accepted)('accepts $name, with the value that JSON.parse gives', ({ b64 }) => {
    expect(parseJson(Buffer.from(b64, 'base64'))).toStrictEqual({ ok: true, value: JSON.parse(text(b64)) });
  });

  it.each(duplicates)('refuses $name for its duplicate name', ({ b64 }) => {
    expect(parseJson(Buffer.from(b64, 'base64'))).toMatchObject({
      error: { problem: 'a name stands twice in one object' },
    });
  });

  it.each(free)('decides on $name as documented: only numbers that a double holds and well-formed text', ({ b64 }) => {
    const parsed = parseJson(Buffer.from(b64, 'base64'));
    if (parsed.ok) expect(canonicalJson(parsed.value).isWellFormed()).toBe(true);
    else expect(parsed.error.problem).toMatch(/UTF-8|surrogate|double|deeper|value was expected/);
  });
});
