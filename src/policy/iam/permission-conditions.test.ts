import { describe, expect, it } from 'vitest';
import type { ConditionBlock, Statement } from '../../base/core/permissions.ts';
import { permissionSetId } from '../policy-set.ts';
import { authorize } from './authorize.ts';
import { compilePermissionConditions, type RequestFacts } from './permission-conditions.ts';
import { claimsMentioned, compilePermissions } from './statements.ts';

const RESOURCE = 'arn:jobpass:http:::artifacts/a';
const statement = (conditions: ConditionBlock, effect: Statement['effect'] = 'allow'): Statement => ({
  effect,
  actions: ['http:GET'],
  resources: ['arn:jobpass:http:::artifacts/*'],
  conditions,
  line: 7,
});
const query = (text: string): RequestFacts => {
  const all = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) all.set(name, [...(all.get(name) ?? []), value]);
  return { query: all };
};
const isAllowed = (
  statements: readonly Statement[],
  facts?: RequestFacts,
  claims: Record<string, string> = {},
): boolean =>
  authorize(compilePermissions(statements), {
    action: 'http:GET',
    resource: RESOURCE,
    claims,
    ...(facts === undefined ? {} : { facts }),
  }).allow;

describe('conditions of a permission', () => {
  it('let a query through that they name', () => {
    const only = [statement({ StringEquals: { 'http:Query/format': ['json', 'text'] } })];
    expect(isAllowed(only, query('format=json'))).toBe(true);
    expect(isAllowed(only, query('format=xml'))).toBe(false);
    expect(isAllowed(only, query(''))).toBe(false);
  });

  it('must all hold', () => {
    const both = [statement({ StringLike: { 'http:Query/a': 'x*' }, Null: { 'http:Query/b': 'true' } })];
    expect(isAllowed(both, query('a=xy'))).toBe(true);
    expect(isAllowed(both, query('a=xy&b='))).toBe(false);
  });

  it('hold for no parameter that stands twice: the resource may take the other one', () => {
    const only = [statement({ StringEquals: { 'http:Query/acl': 'private' } })];
    expect(isAllowed(only, query('acl=private&acl=public'))).toBe(false);
    expect(isAllowed(only, query('acl=private&ACL=public'))).toBe(false);
    const everyone = [statement({ 'ForAllValues:StringEquals': { 'http:Query/acl': 'private' } })];
    expect(isAllowed(everyone, query('acl=private&acl=private'))).toBe(true);
    expect(isAllowed(everyone, query('acl=private&acl=public'))).toBe(false);
  });

  it('that nobody can evaluate allow nothing and deny', () => {
    const negated = { StringNotEquals: { 'http:Query/acl': 'public' } };
    expect(isAllowed([statement(negated)])).toBe(false);
    expect(isAllowed([statement(negated)], query(''))).toBe(true);
    expect(isAllowed([statement({}), statement({ StringEquals: { 'aws:SourceIp': 'x' } }, 'deny')])).toBe(false);
  });

  it('narrow a deny', () => {
    const all = [statement({}), statement({ StringEquals: { 'http:Query/force': 'true' } }, 'deny')];
    expect(isAllowed(all, query('force=true'))).toBe(false);
    expect(isAllowed(all, query('force=false'))).toBe(true);
  });

  it('compare claims, and take them as variables, literally', () => {
    const claim = [statement({ StringEquals: { 'claims.environment': 'production' } })];
    expect(isAllowed(claim, {}, { environment: 'production' })).toBe(true);
    expect(isAllowed(claim, {}, {})).toBe(false);
    const variable = [statement({ StringLike: { 'http:Query/branch': `\${claims.ref}` } })];
    expect(isAllowed(variable, query('branch=main'), { ref: 'main' })).toBe(true);
    expect(isAllowed(variable, query('branch=main'), { ref: '*' })).toBe(false);
    expect(isAllowed(variable, query('branch=main'), { ref: 'main', REF: 'x' })).toBe(false);
  });

  it('compare session tags, addresses and the time', () => {
    const tag = [statement({ StringEquals: { 'aws:PrincipalTag/Team': 'web' } })];
    expect(isAllowed(tag, { tags: { team: 'web' } })).toBe(true);
    expect(isAllowed(tag, {})).toBe(false);
    expect(isAllowed([statement({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } })], { sourceAddress: '10.1.1.1' })).toBe(
      true,
    );
    const time = [statement({ DateLessThan: { 'aws:CurrentTime': '2030-01-01' } })];
    expect(isAllowed(time, { now: 1_800_000_000 })).toBe(true);
    expect(isAllowed(time, { now: 2_000_000_000 })).toBe(false);
  });

  it('compare what only a gateway of S3 knows; what it does not tell is unknown, and null is missing', () => {
    const prefix = [statement({ StringEquals: { 's3:prefix': 'web/' } })];
    const not = [statement({ StringNotEquals: { 's3:PREFIX': 'web/' } })];
    const keys = (value: string | null): RequestFacts => ({ keys: new Map([['s3:prefix', value]]) });
    expect(isAllowed(prefix, keys('web/'))).toBe(true);
    expect(isAllowed(prefix, keys(null))).toBe(false);
    expect(isAllowed(not, keys(null))).toBe(true);
    expect(isAllowed(not, { keys: new Map() })).toBe(false);
    expect(isAllowed(not, {})).toBe(false);
    expect(isAllowed([statement({}), statement({ StringEquals: { 's3:prefix': 'x' } }, 'deny')], {})).toBe(false);
    expect(
      isAllowed([statement({ Null: { 's3:delimiter': 'true' } })], { keys: new Map([['s3:delimiter', null]]) }),
    ).toBe(true);
    expect(isAllowed([statement({ Null: { 's3:delimiter': 'true' } })], {})).toBe(false);
  });

  it('compare the source identity, whose absence is known', () => {
    const you = [statement({ StringEquals: { 'aws:SourceIdentity': 'you', 'sts:sourceidentity': 'you' } })];
    expect(isAllowed(you, { sourceIdentity: 'you' })).toBe(true);
    expect(isAllowed(you, { sourceIdentity: null })).toBe(false);
    const not = [statement({ StringNotEquals: { 'aws:SourceIdentity': 'you' } })];
    expect(isAllowed(not, { sourceIdentity: null })).toBe(true);
    expect(isAllowed(not, {})).toBe(false);
  });

  it('take no other fact of a gateway for one of its keys', () => {
    const facts = {
      keys: new Map([
        ['aws:sourceip', '10.1.1.1'],
        ['claims.a', 'x'],
        ['aws:principaltag/team', 'web'],
      ]),
    };
    expect(isAllowed([statement({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } })], facts)).toBe(false);
    expect(isAllowed([statement({ StringEquals: { 'aws:PrincipalTag/team': 'web' } })], { ...facts, tags: {} })).toBe(
      false,
    );
    expect(isAllowed([statement({ StringEquals: { 'claims.a': 'x' } })], facts)).toBe(false);
  });

  it('hold for no claim that the session does not carry: the token may well have had it', () => {
    const not = { StringNotEquals: { 'claims.environment': 'production' } };
    expect(isAllowed([statement(not)], {}, { environment: 'staging' })).toBe(true);
    expect(isAllowed([statement(not)], {}, {})).toBe(false);
    expect(isAllowed([statement({ Null: { 'claims.environment': 'true' } })], {}, {})).toBe(false);
    expect(isAllowed([statement({}), statement({ StringEquals: { 'claims.fork': 'true' } }, 'deny')], {}, {})).toBe(
      false,
    );
  });

  it('name their claims, so that sessions carry them', () => {
    const conditions = {
      StringEquals: { 'claims.environment': 'x', 'http:Query/a': [`\${claims.ref}`, `\${claims.sha, 'y'}`] },
    };
    expect(claimsMentioned([statement(conditions)])).toEqual(['environment', 'ref', 'sha']);
  });

  it('belong to the identity of a permission set', () => {
    const id = (conditions: ConditionBlock): string =>
      permissionSetId([{ role: 'main/a', statements: [statement(conditions)] }]);
    expect(id({ Bool: { 'http:Query/a': true } })).not.toBe(id({ Bool: { 'http:Query/a': false } }));
  });

  it.each<[string, ConditionBlock]>([
    ['an unknown operator', { StringEqual: { 'http:Query/a': 'x' } }],
    ['an unknown key', { StringEquals: { 'http:Header/a': 'x' } }],
    ['a key of nothing', { StringEquals: { 'http:Query/': 'x' } }],
    ['a claim that is no name', { StringEquals: { 'claims.a b': 'x' } }],
    ['a wanted number that is none', { NumericEquals: { 'http:Query/a': 'x' } }],
    ['a variable that is unknown', { StringEquals: { 'http:Query/a': `\${aws:username}` } }],
    ['no value', { StringEquals: { 'http:Query/a': [] } }],
  ])('with %s are a problem, and no gateway compiles them', (_, conditions) => {
    const problems: string[] = [];
    compilePermissionConditions(conditions, { report: (_path, message) => problems.push(message), at: [], line: 1 });
    expect(problems).not.toEqual([]);
    expect(() => compilePermissions([statement(conditions)])).toThrow(
      expect.objectContaining({ code: 'ERR_PERMISSIONS_INVALID' }),
    );
  });
});
