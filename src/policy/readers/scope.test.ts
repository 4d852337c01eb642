// Scopes narrow: what is not exactly an action, or an action and a resource of its kind, is refused.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import type { Statement } from '../../base/core/permissions.ts';
import { compilePermissions } from '../iam/statements.ts';
import { readScope, scopeOf } from './scope.ts';

const read = (text: string): readonly Statement[] | string => {
  const scope = readScope(text);
  return scope.ok ? scope.value : scope.error.reason;
};
const allow = (action: string, resource: string, line = 1): Statement => ({
  effect: 'allow',
  actions: [action],
  resources: [resource],
  line,
});

describe('a scope', () => {
  test.each<[string, string, string]>([
    ['s3:GetObject', 's3:GetObject', 'arn:aws:s3:::*'],
    ['http:PUT', 'http:PUT', 'arn:jobpass:http:::*'],
    ['s3:Get*:arn:aws:s3:::web/7/*', 's3:Get*', 'arn:aws:s3:::web/7/*'],
    ['http:*:arn:jobpass:http:::artifacts/a:b?c', 'http:*', 'arn:jobpass:http:::artifacts/a:b?c'],
  ])('%s allows one action on one kind of resource', (text, action, resource) => {
    expect(read(text)).toEqual([allow(action, resource)]);
  });

  test('of several is their union, the same one twice counts once', () => {
    expect(read('s3:GetObject http:PUT s3:GetObject')).toEqual([
      allow('s3:GetObject', 'arn:aws:s3:::*'),
      allow('http:PUT', 'arn:jobpass:http:::*', 2),
    ]);
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['a space alone', ' '],
    ['two spaces between', 's3:GetObject  http:PUT'],
    ['a space at the end', 's3:GetObject '],
    ['a tab between', 's3:GetObject\thttp:PUT'],
    ['no kind', 'read'],
    ['another kind', 'ec2:RunInstances'],
    ['a kind of Object.prototype', 'constructor:x'],
    ['a wildcard for everything', '*'],
    ['a wildcard for the kind', '*:GetObject'],
    ['no action', 's3:'],
    ['a method in lower case', 'http:put'],
    ['an empty resource', 's3:GetObject:'],
    ['a resource of another kind', 's3:GetObject:arn:jobpass:http:::artifacts/*'],
    ['a resource beyond ours', 's3:GetObject:arn:aws:iam:::x'],
    ['a resource with a wildcard in its head', 's3:GetObject:arn:*:s3:::web'],
    ['a resource without a name', 's3:GetObject:arn:aws:s3:::'],
    ['a variable', `s3:GetObject:arn:aws:s3:::\${claims.bucket}/*`],
    ['an escape', `s3:GetObject:arn:aws:s3:::web/\${*}`],
    ['a quote', 's3:GetObject:arn:aws:s3:::web/"a'],
    ['a backslash', 's3:GetObject:arn:aws:s3:::web/\\a'],
    ['a character beyond ASCII', 's3:GetObject:arn:aws:s3:::web/é'],
    ['a control character', 's3:GetObject:arn:aws:s3:::web/\u0000'],
    ['one good and one bad part', 's3:GetObject admin'],
    ['more than 2,048 characters', `s3:GetObject:arn:aws:s3:::${'a'.repeat(2048)}`],
    ['more than 20 parts', Array.from({ length: 21 }, (_, at) => `s3:GetObject:arn:aws:s3:::b${at}`).join(' ')],
  ])('is refused with %s', (_what, text) => {
    expect(read(text)).toBe('scope_malformed');
  });

  test('is told again as it was asked for', () => {
    const text = 's3:GetObject http:PUT:arn:jobpass:http:::artifacts/7/*';
    const statements = read(text);
    expect(typeof statements === 'string' ? statements : scopeOf(statements)).toBe(text);
  });

  test('whatever its text compiles, and is told in one form', () => {
    const part = fc.oneof(
      fc.constantFrom(
        's3:',
        'http:',
        '*',
        '?',
        'GET',
        ' ',
        ':',
        'arn:aws:s3:::',
        'arn:jobpass:http:::',
        '${',
        '}',
        '$',
      ),
      fc.string({ maxLength: 5 }),
    );
    const text = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (given) => {
        const statements = read(given);
        if (typeof statements === 'string') return;
        compilePermissions(statements);
        const told = scopeOf(statements) ?? '';
        expect(read(told)).toEqual(statements);
      }),
      { numRuns: propertyRuns() },
    );
  });
});

test('a session policy with several actions and resources is a scope for each pair', () => {
  const [actions, resources] = [
    ['s3:Get*', 's3:List*'],
    ['arn:aws:s3:::*', 'arn:aws:s3:::a'],
  ];
  expect(scopeOf([{ effect: 'allow', actions, resources, line: 1 }])).toBe(
    's3:Get* s3:Get*:arn:aws:s3:::a s3:List* s3:List*:arn:aws:s3:::a',
  );
});

describe('a session policy is no scope', () => {
  const base = allow('s3:GetObject', 'arn:aws:s3:::web/*');
  test.each<[string, readonly Statement[]]>([
    ['that allows nothing', []],
    ['that denies', [{ ...base, effect: 'deny' }]],
    ['with a condition', [{ ...base, conditions: { Bool: { 'aws:SecureTransport': true } } }]],
    ['with an action of another kind than its resource', [{ ...base, actions: ['http:GET'] }]],
    ['with an action of every kind', [{ ...base, actions: ['*'] }]],
    ['with a space in a resource', [allow('s3:GetObject', 'arn:aws:s3:::web/a b')]],
    ['with a variable', [allow('s3:GetObject', `arn:aws:s3:::\${claims.bucket}/*`)]],
    ['with one such statement among others', [base, { ...base, effect: 'deny' }]],
  ])('%s', (_what, policy) => {
    expect(scopeOf(policy)).toBeUndefined();
  });
});
