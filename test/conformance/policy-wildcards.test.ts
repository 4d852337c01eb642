// The wildcard vectors against the IAM patterns of permissions.
import { expect, it } from 'vitest';
import { z } from 'zod';
import { asGlob, matchesGlob, parseTemplate } from '../../src/policy/iam/template.ts';
import { describeVectors, readVectors } from './vectors.ts';

const Vectors = z.object({ cases: z.array(z.object({ p: z.string(), v: z.string(), m: z.boolean() })) });

describeVectors('IAM wildcards', () => {
  const { cases } = Vectors.parse(readVectors('own/wildcards.json'));

  it('has 24 cases', () => {
    expect(cases).toHaveLength(24);
  });

  it.each(cases.map(({ p, v, m }, index) => ({ name: `${index + 1}: ${p} on ${v.slice(0, 40)}`, p, v, m })))(
    '$name: $m',
    ({ p, v, m }) => {
      const template = parseTemplate(p);
      const glob = template.ok ? asGlob(template.value) : undefined;
      if (glob === undefined) throw new Error('the pattern was refused');
      expect(matchesGlob(glob, v)).toBe(m);
    },
  );
});
