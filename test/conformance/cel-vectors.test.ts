// The CEL conformance vectors against our evaluator, and against the two libraries that the choice was between.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/base/core/json.ts';
import { DEPARTURES } from './cel-departures.ts';
import { bufbuild, marcbachmann, type Oracle } from './cel-oracles.ts';
import { claimOf, isError, type Outcome, outcomeOf } from './cel-values.ts';
import { type CelVector, readCelVectors, showCelValue } from './cel-vectors.ts';
import { describeVectors } from './vectors.ts';

const wantedBy = ({ expected }: CelVector): Outcome => (expected === undefined ? 'error: any' : showCelValue(expected));

const passes = (vector: CelVector, outcome: Outcome): boolean =>
  vector.expected === undefined ? isError(outcome) : outcome === wantedBy(vector);

/** Our outcome. A variable that cannot be a claim cannot be bound. */
function ours(vector: CelVector): Outcome {
  const bindings: Record<string, JsonValue> = {};
  for (const [name, value] of vector.bindings) {
    const claim = claimOf(value);
    if (claim === undefined) return `error: ${name} cannot be a claim`;
    bindings[name] = claim;
  }
  return outcomeOf(vector.expression, bindings);
}

describeVectors('the CEL vectors', () => {
  const all = readCelVectors();
  const vectors = all.filter((vector) => !vector.needsMessages);
  const failed = vectors.filter((vector) => !passes(vector, ours(vector)));

  it('are 1192, of which 1094 need no protobuf message types', () => {
    expect([all.length, vectors.length]).toEqual([1192, 1094]);
    expect(new Set(all.map((vector) => vector.id)).size).toBe(1192);
  });

  it('pass, but for exactly the published departures', () => {
    expect(failed.map((vector) => vector.id).toSorted()).toEqual(
      DEPARTURES.flatMap((departure) => departure.vectors).toSorted(),
    );
  });

  it('depart in at most 5 of 100', () => {
    expect(failed.length / vectors.length).toBeLessThanOrEqual(0.05);
  });

  it('never grant where the standard does not, nor where it says error', () => {
    const granted = vectors.filter((vector) => ours(vector) === 'true' && wantedBy(vector) !== 'true');
    expect(granted.map((vector) => vector.id)).toEqual([]);
    expect(vectors.filter((vector) => vector.expected === undefined && !isError(ours(vector)))).toEqual([]);
  });

  it('that need message types are errors, all of them', () => {
    const messages = all.filter((vector) => vector.needsMessages);
    expect(messages.filter((vector) => !isError(ours(vector))).map((vector) => vector.id)).toEqual([]);
  });

  it.each<[string, Oracle, number]>([
    ['@bufbuild/cel 0.6.1', bufbuild, 1074],
    ['@marcbachmann/cel-js 8.0.0', marcbachmann, 972],
  ])('%s itself passes as many as ADR 8 says', (_, oracle, count) => {
    expect(vectors.filter((vector) => passes(vector, oracle(vector)))).toHaveLength(count);
  });
});

describe('docs/cel.md', () => {
  const page = readFileSync('docs/cel.md', 'utf8');

  it.each(DEPARTURES.map((departure) => [departure.reason, departure]))('publishes: %s', (_, { reason, vectors }) => {
    expect(page).toContain(reason);
    expect(vectors.filter((id) => !page.includes(`\`${id}\``))).toEqual([]);
  });

  it('publishes no departure that is none', () => {
    const known = new Set(DEPARTURES.flatMap((departure) => departure.vectors));
    const listed = [...page.matchAll(/`(\w+\/\w+\/\w+)`/g)].map((match) => match[1] ?? '');
    expect(listed.filter((id) => !known.has(id))).toEqual([]);
  });
});
