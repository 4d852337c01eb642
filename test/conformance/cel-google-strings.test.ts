// The vectors of CEL's string extension for the functions that Google's mappings share with it.
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { isError, outcomeOf } from './cel-values.ts';

const Suite = z.object({
  name: z.string(),
  tests: z.array(z.object({ original: z.looseObject({ name: z.string(), expr: z.string() }) })),
});

const FUNCTIONS = ['ascii_casing', 'split', 'join'];
const suites = (tests.suites?.find((suite) => suite.name === 'string_ext')?.suites ?? [])
  .filter((suite) => FUNCTIONS.includes(suite.name))
  .map((suite) => Suite.parse(suite));
const cases = suites.flatMap((suite) =>
  suite.tests.map(({ original }) => ({ id: `${suite.name}/${original.name}`, original })),
);

it('has vectors for each function', () => {
  expect(suites.map((suite) => suite.name).toSorted()).toEqual(FUNCTIONS.toSorted());
  expect(cases).toHaveLength(14);
});

it.each(cases)('$id', ({ original }) => {
  const { expr, evalError, value } = original;
  const outcome = outcomeOf(expr, {}, { dialect: 'google' });
  // A vector without a value wants true; each of these is a comparison.
  expect(value === undefined || JSON.stringify(value) === '{"boolValue":true}').toBe(true);
  expect(isError(outcome) ? 'error' : outcome).toBe(evalError === undefined ? 'true' : 'error');
});
