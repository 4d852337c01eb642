// Session policies: what AWS documents become, what is refused, and that none ever widens what a role may.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import type { Statement } from '../../base/core/permissions.ts';
import { authorize } from '../iam/authorize.ts';
import { compilePermissions } from '../iam/statements.ts';
import { readNamedPolicy, readSessionPolicy } from './session-policy.ts';

const ALLOW = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::web/*' };
const policyOf = (...statements: unknown[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });

function read(text: string): readonly Statement[] {
  const policy = readSessionPolicy(text);
  if (!policy.ok) throw new Error(policy.error.detail);
  return policy.value;
}
function problemOf(text: string): string {
  const policy = readSessionPolicy(text);
  if (policy.ok) return 'none';
  expect(policy.error.reason).toBe('session_policy_malformed');
  return policy.error.detail;
}
const isAllowed = (statements: readonly Statement[], action: string, resource: string): boolean =>
  authorize(compilePermissions(statements), { action, resource, claims: {}, facts: {} }).allow;

describe('a session policy', () => {
  it('becomes statements, each with its number as its line', () => {
    const condition = { StringLike: { 's3:prefix': ['web/*', ''] } };
    const text = policyOf(
      { Sid: 'Read1', ...ALLOW },
      { Effect: 'Deny', Action: ['S3:DeleteObject', 'http:put'], Resource: ['*'], Condition: condition },
    );
    expect(read(`\n${text}\n`)).toEqual([
      { effect: 'allow', actions: ['s3:GetObject'], resources: ['arn:aws:s3:::web/*'], line: 1 },
      {
        effect: 'deny',
        actions: ['s3:DeleteObject', 'http:PUT'],
        resources: ['arn:aws:s3:::*', 'arn:jobpass:http:::*'],
        conditions: condition,
        line: 2,
      },
    ]);
  });

  it('may hold one statement without a list', () => {
    expect(read(JSON.stringify({ Version: '2012-10-17', Statement: ALLOW }))).toHaveLength(1);
  });

  it('of all actions on all resources means both kinds of gateways', () => {
    const all = read(policyOf({ Effect: 'Allow', Action: '*', Resource: '*' }));
    expect(isAllowed(all, 's3:GetObject', 'arn:aws:s3:::web/a')).toBe(true);
    expect(isAllowed(all, 'http:PUT', 'arn:jobpass:http:::artifacts/a')).toBe(true);
  });

  it('without a statement, or with those of other services alone, allows nothing', () => {
    expect(read(policyOf())).toEqual([]);
    const others = policyOf(
      { Effect: 'Allow', Action: ['ec2:Describe*', 'sts:GetCallerIdentity'], Resource: '*' },
      {
        Effect: 'Allow',
        Action: 's3:*',
        Resource: ['arn:aws:ec2:eu-west-1:000000000042:instance/*', 'arn:aws-cn:s3:::web/*'],
      },
    );
    expect(read(others)).toEqual([]);
  });

  it('takes a dollar and a brace as themselves before version 2012-10-17', () => {
    const statement = { ...ALLOW, Resource: `arn:aws:s3:::web/\${aws:username}/*` };
    expect(problemOf(policyOf(statement))).toContain('aws:PrincipalTag');
    const old = read(JSON.stringify({ Version: '2008-10-17', Statement: [statement] }));
    expect(isAllowed(old, 's3:GetObject', `arn:aws:s3:::web/\${aws:username}/a`)).toBe(true);
    expect(isAllowed(old, 's3:GetObject', 'arn:aws:s3:::web/you/a')).toBe(false);
    const condition = { StringEquals: { 's3:prefix': `\${*}` } };
    const conditional = read(JSON.stringify({ Statement: [{ ...ALLOW, Condition: condition }] }));
    const facts = (prefix: string) => ({ keys: new Map([['s3:prefix', prefix]]) });
    const ask = (prefix: string): boolean =>
      authorize(compilePermissions(conditional), {
        action: 's3:GetObject',
        resource: 'arn:aws:s3:::web/a',
        claims: {},
        facts: facts(prefix),
      }).allow;
    expect([ask(`\${*}`), ask('*')]).toEqual([true, false]);
  });
});

describe('a session policy is refused', () => {
  it.each<[string, unknown]>([
    ['NotAction', { Effect: 'Deny', NotAction: 's3:GetObject', Resource: '*' }],
    ['NotResource', { Effect: 'Deny', Action: 's3:*', NotResource: 'arn:aws:s3:::web/*' }],
    ['Principal', { ...ALLOW, Principal: '*' }],
    ['NotPrincipal', { ...ALLOW, NotPrincipal: '*' }],
    ['an unknown member', { ...ALLOW, Conditions: {} }],
    ['another effect', { ...ALLOW, Effect: 'allow' }],
    ['no effect', { Action: 's3:GetObject', Resource: '*' }],
    ['no action', { Effect: 'Allow', Resource: '*' }],
    ['no resource', { Effect: 'Allow', Action: '*' }],
    ['an empty list of actions', { ...ALLOW, Action: [] }],
    ['a resource that is no text', { ...ALLOW, Resource: [1] }],
    ['an action without a service', { ...ALLOW, Action: 'GetObject' }],
    ['a wildcard in the service', { ...ALLOW, Action: 's*:GetObject' }],
    ['a broken Sid', { ...ALLOW, Sid: 'a b' }],
    ['an unknown operator', { ...ALLOW, Condition: { StringEqual: { 's3:prefix': 'a' } } }],
    ['an unknown key', { ...ALLOW, Condition: { StringEquals: { 'aws:RequestedRegion': 'x' } } }],
    ['a broken condition', { ...ALLOW, Condition: [] }],
    ['a statement that is none', 'Allow'],
  ])('for %s', (_, statement) => {
    expect(problemOf(policyOf(ALLOW, statement))).toMatch(/^statement 2: /);
  });

  // Left out of a Deny, each of these would widen.
  it.each([
    'arn:*',
    'arn:aws:s3:*:*:web/*',
    'arn:aws:s3::*:web',
    'arn:aws:*:::web/*',
    'arn:aws:s3:::',
    '*/web',
    'arn:?ws:s3:::web',
    'arn:AWS:S3:::web/*',
    'web',
  ])('for the resource %s, which could mean one of ours', (resource) => {
    expect(problemOf(policyOf({ Effect: 'Deny', Action: 's3:*', Resource: resource }))).toMatch(
      /^statement 1: Resource/,
    );
  });

  it.each([
    ['', 'not strict JSON'],
    ['{}', 'Statement is missing'],
    ['[]', 'wanted an object'],
    ['{"Statement":[],"Statement":[]}', 'not strict JSON'],
    ['{"Version":"2025-01-01","Statement":[]}', 'Version'],
    ['{"Statement":[],"Id":1}', 'Id'],
    ['{"Statement":[],"statement":[]}', '"statement"'],
    [policyOf({ ...ALLOW, Sid: 'ā' }), 'beyond U+00FF'],
    [policyOf({ ...ALLOW, Resource: `arn:aws:s3:::${'a'.repeat(2048)}` }), '2048 characters'],
  ])('%.60j: %s', (text, problem) => {
    expect(problemOf(text)).toContain(problem);
  });

  it('only beyond 6,144 characters where the operator names it', () => {
    const long = (chars: number): string =>
      policyOf({ ...ALLOW, Resource: Array(3).fill(`arn:aws:s3:::${'a'.repeat(chars)}`) });
    expect(readNamedPolicy(long(1900)).ok).toBe(true);
    expect(readNamedPolicy(long(2030))).toMatchObject({ ok: false, error: { reason: 'session_policy_malformed' } });
  });

  it('whatever it holds, by a value and never by throwing', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const policy = readNamedPolicy(text);
        if (policy.ok) compilePermissions(policy.value);
      }),
      { numRuns: propertyRuns() },
    );
  });
});

it('in union with another allows no more than the two, and what either denies is denied', () => {
  const statement = fc.record({
    Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
    Action: fc.array(fc.constantFrom('s3:GetObject', 's3:PutObject', 's3:*', '*', 'ec2:*'), {
      minLength: 1,
      maxLength: 2,
    }),
    Resource: fc.constantFrom('*', 'arn:aws:s3:::web/*', 'arn:aws:s3:::*/a', ['arn:aws:ec2:::x', 'arn:aws:s3:::web']),
  });
  const policy = fc.array(statement, { maxLength: 3 }).map((statements) => read(policyOf(...statements)));
  const everything = read(policyOf({ Effect: 'Allow', Action: '*', Resource: '*' }));
  const action = fc.constantFrom('s3:GetObject', 's3:PutObject');
  const resource = fc.constantFrom('arn:aws:s3:::web', 'arn:aws:s3:::web/a', 'arn:aws:s3:::ops/a');
  let allowed = 0;
  fc.assert(
    fc.property(policy, policy, action, resource, (inline, named, ...asked) => {
      const isUnionAllowed = isAllowed([...inline, ...named], ...asked);
      const isDenied = (statements: readonly Statement[]): boolean =>
        !isAllowed([...statements, ...everything], ...asked);
      if (isUnionAllowed) allowed += 1;
      expect(!isUnionAllowed || isAllowed(inline, ...asked) || isAllowed(named, ...asked)).toBe(true);
      expect(isUnionAllowed && (isDenied(inline) || isDenied(named))).toBe(false);
    }),
    { numRuns: propertyRuns() },
  );
  expect(allowed).toBeGreaterThan(100);
});
