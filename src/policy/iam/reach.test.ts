// What a role certainly cannot give is left out of a session's policy, and never anything that it can.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import type { Statement } from '../../base/core/permissions.ts';
import { authorize } from './authorize.ts';
import { withinReach } from './reach.ts';
import { compilePermissions } from './statements.ts';

const allow = (action: string, resource: string): Statement => ({
  effect: 'allow',
  actions: [action],
  resources: [resource],
  line: 1,
});
const ROLE = [
  allow('s3:GetObject', `arn:aws:s3:::web/\${claims.pipeline_id}/*`),
  allow('http:*', 'arn:jobpass:http:::artifacts/*'),
];
const VALUES = { claims: { pipeline_id: '7' } };
const isWithin = (statement: Statement, role: readonly Statement[] = ROLE): boolean =>
  withinReach([statement], role, VALUES).length === 1;

describe('within reach of a role', () => {
  test.each<[string, string, boolean]>([
    ['s3:GetObject', 'arn:aws:s3:::web/7/*', true],
    ['s3:getobject', 'arn:aws:s3:::*', true],
    ['s3:Get*', 'arn:aws:s3:::web/7/a', true],
    ['s3:GetObject', 'arn:aws:s3:::web/8/*', false],
    ['s3:GetObject', 'arn:aws:s3:::web/7', false],
    ['s3:PutObject', 'arn:aws:s3:::web/7/*', false],
    ['http:PUT', 'arn:jobpass:http:::artifacts/7/a', true],
    ['http:PUT', 'arn:jobpass:http:::packages/*', false],
    ['http:P*T', 'arn:jobpass:http:::art*', true],
  ])('%s on %s: %s', (action, resource, within) => {
    expect(isWithin(allow(action, resource))).toBe(within);
  });

  test('is nothing by a statement that denies, or whose value is missing', () => {
    const asked = allow('s3:GetObject', 'arn:aws:s3:::*');
    expect(isWithin(asked, [{ ...allow('s3:GetObject', 'arn:aws:s3:::*'), effect: 'deny' }])).toBe(false);
    expect(withinReach([asked], ROLE, { claims: {} })).toEqual([]);
    expect(isWithin(asked, [])).toBe(false);
  });

  test('is everything that both would allow', () => {
    const pattern = fc.array(fc.constantFrom('a', 'b', '/', '*', '?'), { minLength: 1, maxLength: 6 });
    const key = fc.array(fc.constantFrom('a', 'b', '/'), { minLength: 1, maxLength: 6 });
    const statement = pattern.map((parts) => allow('s3:GetObject', `arn:aws:s3:::${parts.join('')}`));
    let met = 0;
    fc.assert(
      fc.property(statement, statement, key, (asked, given, parts) => {
        const request = { action: 's3:GetObject', resource: `arn:aws:s3:::${parts.join('')}`, claims: {} };
        const both = [asked, given].every((one) => authorize(compilePermissions([one]), request).allow);
        if (!both) return;
        met += 1;
        expect(isWithin(asked, [given])).toBe(true);
      }),
      { numRuns: propertyRuns() },
    );
    expect(met).toBeGreaterThan(0);
  });
});
