// Published vectors of AWS's condition operators against ours.
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonValue } from '../../src/base/core/json.ts';
import { compileConditions, evaluateCondition } from '../../src/policy/iam/conditions.ts';
import { asciiLower } from '../../src/policy/iam/template.ts';
import { describeVectors, readVectors } from './vectors.ts';

const Conditions = z.array(
  z.object({
    name: z.string(),
    condition: z.string(),
    context: z.record(z.string(), z.array(z.string())),
    version: z.string(),
    expect: z.enum(['match', 'nomatch', 'error']),
  }),
);
const Wildcards = z.object({ cases: z.array(z.object({ p: z.string(), v: z.string(), m: z.boolean() })) });

interface Answer {
  readonly outcome: 'match' | 'nomatch' | 'error';
  /** What a reader would refuse the policy for. */
  readonly problems: readonly string[];
}

/** As an Allow statement decides: whatever is not surely true is a no. */
function evaluate(block: string, version: string, values: Readonly<Record<string, JsonValue>>): Answer {
  const problems: string[] = [];
  let parsed: JsonValue;
  try {
    parsed = block === '' ? {} : JSON.parse(block);
  } catch {
    return { outcome: 'error', problems: ['not JSON'] };
  }
  const conditions = compileConditions(parsed, {
    report: (_, message) => problems.push(message),
    at: [],
    refusal: '',
    lineOf: () => 1,
    variables: version === '2012-10-17',
  });
  const understood = conditions.every((condition) => condition.broken === null) || problems.length === 0;
  const onlyValues = conditions.some((condition) => condition.broken !== null);
  if (problems.length > 0 && !onlyValues) return { outcome: 'error', problems };
  const context = { values: new Map(Object.entries(values).map(([key, value]) => [asciiLower(key), value])) };
  const held = conditions.every((condition) => evaluateCondition(condition, context).truth === 'yes');
  expect(understood || !held).toBe(true);
  return { outcome: held ? 'match' : 'nomatch', problems };
}

/** A value that its operator cannot read never matches, as the vectors say; our readers refuse the policy for it already. */
const REFUSED_AT_LOAD_TOO = [
  'policy variable is not substituted inside NumericEquals even under version 2012-10-17',
  'Null garbage value never satisfies',
];

describeVectors('IAM condition operators', () => {
  const vectors = Conditions.parse(readVectors('versitygw/conditions.json'));

  it('has 92 cases', () => {
    expect(vectors).toHaveLength(92);
  });

  it.each(vectors)('$name', (vector) => {
    const answer = evaluate(vector.condition, vector.version, vector.context);
    expect(answer.outcome).toBe(vector.expect);
    expect(answer.problems.length > 0).toBe(vector.expect === 'error' || REFUSED_AT_LOAD_TOO.includes(vector.name));
  });
});

describeVectors('StringLike', () => {
  const { cases } = Wildcards.parse(readVectors('own/wildcards.json'));

  it('has 24 cases', () => {
    expect(cases).toHaveLength(24);
  });

  it.each(
    cases.map(({ p, v, m }, index) => ({ name: `${index + 1}: ${p.slice(0, 40)} on ${v.slice(0, 40)}`, p, v, m })),
  )('$name: $m', ({ p, v, m }) => {
    const block = JSON.stringify({ StringLike: { 'ci.example.com:sub': p } });
    const like = (): string => evaluate(block, '2012-10-17', { 'ci.example.com:sub': v }).outcome;
    expect(like()).toBe(m ? 'match' : 'nomatch');
  });
});
