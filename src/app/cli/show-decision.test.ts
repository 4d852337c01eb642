import { expect, test } from 'vitest';
import { grantedRecord } from '../../storage/conformance/fixtures.ts';
import { paintFor } from './paint.ts';
import { showDecision } from './show-decision.ts';

test('a grant tells what its session is besides its role, and what its short life means', () => {
  const { trace } = grantedRecord('1');
  const { lifetime } = trace;
  if (lifetime === undefined) throw new Error('no lifetime');
  const record = grantedRecord('1', {
    wire: 'aws',
    trace: {
      ...trace,
      lifetime: { ...lifetime, note: 'shorter than 20 min: boto3 asks again' },
      session: {
        name: 'job-1',
        tags: { pipeline: 'web', team: '\u001b[31mred' },
        sourceIdentity: 'you',
        narrowed: true,
      },
    },
  });
  const shown = showDecision(record, null, paintFor(false, {}));
  for (const line of [
    'shorter than 20 min: boto3 asks again',
    'called job-1',
    'tags pipeline=web, team=',
    'source identity you',
    'narrowed by a session policy',
  ]) {
    expect(shown).toContain(line);
  }
  expect(shown).not.toContain('\u001b');
});

test('a grant of a session without a role is not taken for a request that named none', () => {
  expect(showDecision(grantedRecord('1', { role: null }), null, paintFor(false, {}))).toContain('no role yet');
});

test('a grant of nothing but its role says nothing more', () => {
  const { session: _, ...trace } = grantedRecord('1').trace;
  const shown = showDecision(grantedRecord('1', { trace }), null, paintFor(false, {}));
  expect(shown).not.toMatch(/called|tags|narrowed/);
});
