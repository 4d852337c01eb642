import { describe, expect, test } from 'vitest';
import { gateOf, type Migration, NEW_DATABASE, stepsFrom } from './schema-gate.ts';

/** Steps by a letter each: `b` breaks earlier versions, `a` only adds. */
const steps = (letters: string): readonly Migration[] =>
  [...letters].map((letter, index) => ({
    version: index + 1,
    name: letter,
    sql: '',
    ...(letter === 'a' ? { isAdditive: true } : {}),
  }));

describe('the schema gate', () => {
  test.each([
    ['b', 1],
    ['baa', 1],
    ['bab', 3],
    ['baba', 3],
  ])('after %s lets programs serve that know the schema up to %i', (letters, oldestReader) => {
    expect(gateOf(steps(letters))).toEqual({ version: letters.length, oldestReader });
  });

  test('leaves all steps to a new database, and the later ones to an older', () => {
    expect(stepsFrom(NEW_DATABASE, steps('bab')).map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(stepsFrom({ version: 2, oldestReader: 1 }, steps('bab')).map(({ version }) => version)).toEqual([3]);
  });

  test('has no steps for a newer database that may be served', () => {
    expect(stepsFrom(gateOf(steps('baba')), steps('bab'))).toEqual([]);
  });

  test('refuses a database whose newest breaking step is unknown', () => {
    expect(() => stepsFrom(gateOf(steps('baba')), steps('ba'))).toThrow(
      expect.objectContaining({ code: 'ERR_STORE_SCHEMA', hint: expect.stringContaining('newer version') }),
    );
    expect(() => stepsFrom({ version: 3, oldestReader: Number.NaN }, steps('bab'))).toThrow(
      expect.objectContaining({ code: 'ERR_STORE_SCHEMA' }),
    );
  });
});
