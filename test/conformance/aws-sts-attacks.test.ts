// The attack classes that concern AWS STS's wire, run against a whole STS. What each must do stands in own/attacks.json; in
// attacks/ it is done.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { STS_ATTACKS } from './attacks/aws-sts.ts';
import { describeVectors, readVectors } from './vectors.ts';

describeVectors('own/attacks, the wire of AWS STS', () => {
  const Row = z.object({ id: z.string(), area: z.string(), attack: z.string() });
  const rows = z.array(Row).parse(readVectors('own/attacks.json'));

  it('knows every attack that it claims to stand', () => {
    expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(STS_ATTACKS)));
  });

  for (const { id, attack } of rows) {
    const run = STS_ATTACKS[id];
    if (run !== undefined) describe(`${id}: ${attack}`, run);
  }
});
