import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Statement } from '../../base/core/permissions.ts';
import { authorize } from './authorize.ts';
import { claimsMentioned, compilePermissions } from './statements.ts';

const HTTP = 'arn:jobpass:http:::artifacts';
const S3 = 'arn:aws:s3:::web';
const allow = (action: string, ...resources: string[]): Statement => ({
  effect: 'allow',
  actions: [action],
  resources,
  line: 1,
});
const deny = (action: string, ...resources: string[]): Statement => ({
  effect: 'deny',
  actions: [action],
  resources,
  line: 2,
});
const isAllowed = (
  statements: readonly Statement[],
  action: string,
  resource: string,
  claims: Record<string, string> = {},
): boolean => authorize(compilePermissions(statements), { action, resource, claims }).allow;

describe('permissions', () => {
  it('allow nothing that no statement allows', () => {
    const answer = authorize(compilePermissions([]), { action: 'http:GET', resource: `${HTTP}/a`, claims: {} });
    expect(answer).toEqual({ allow: false, statement: null });
    expect(isAllowed([allow('http:GET', `${HTTP}/a`)], 'http:PUT', `${HTTP}/a`)).toBe(false);
    expect(isAllowed([allow('http:GET', `${HTTP}/a`)], 'http:GET', `${HTTP}/b`)).toBe(false);
  });

  it('match what is asked again once, and evaluate their conditions each time', () => {
    const conditions = { NumericLessThan: { 'aws:EpochTime': '100' } };
    const compiled = compilePermissions([
      deny('http:GET', `${HTTP}/b`),
      { ...allow('http:*', `${HTTP}/*`), conditions },
    ]);
    const matched = new WeakMap();
    const ask = (now: number, resource = `${HTTP}/a`) =>
      authorize(compiled, { action: 'http:GET', resource, claims: {}, facts: { now }, matched }).allow;
    expect([ask(1), ask(100), ask(1)]).toEqual([true, false, true]);
    expect(compiled.statements.map((statement) => matched.get(statement))).toEqual([false, true]);
    // Not matched again, so whoever asks something else must not bring the same memory.
    expect(ask(1, 'arn:aws:s3:::web')).toBe(true);
  });

  it('name the statement that decided', () => {
    const statements = [allow('http:*', `${HTTP}/*`), deny('http:DELETE', `${HTTP}/*`)];
    const compiled = compilePermissions(statements);
    const ask = (action: string) => authorize(compiled, { action, resource: `${HTTP}/a`, claims: {} });
    expect(ask('http:GET')).toEqual({ allow: true, statement: statements[0] });
    expect(ask('http:DELETE')).toEqual({ allow: false, statement: statements[1] });
  });

  it('let an explicit deny win, whichever stands first', () => {
    const both = [allow('http:*', `${HTTP}/*`), deny('http:PUT', `${HTTP}/locked/*`)];
    for (const statements of [both, both.toReversed()]) {
      expect(isAllowed(statements, 'http:PUT', `${HTTP}/open/x`)).toBe(true);
      expect(isAllowed(statements, 'http:PUT', `${HTTP}/locked/x`)).toBe(false);
    }
  });

  it('match any one action and any one resource of a statement', () => {
    const statement = { ...allow('s3:GetObject', `${S3}/a`, `${S3}/b`), actions: ['s3:GetObject', 's3:PutObject'] };
    expect(isAllowed([statement], 's3:PutObject', `${S3}/b`)).toBe(true);
    expect(isAllowed([statement], 's3:PutObject', `${S3}/c`)).toBe(false);
  });

  it('compare actions without ASCII case, and resources byte for byte', () => {
    expect(isAllowed([allow('s3:PutObject', `${S3}/a`)], 's3:putobject', `${S3}/a`)).toBe(true);
    expect(isAllowed([allow('s3:PutObject', `${S3}/a`)], 's3:PutObject', `${S3}/A`)).toBe(false);
    expect(isAllowed([allow('http:LOCK', `${S3}/a`)], 'http:LOC\u212a', `${S3}/a`)).toBe(false);
  });
});

describe('claims in permissions', () => {
  const own = [allow('s3:PutObject', `${S3}/\${claims.pipeline_id}/*`)];

  it('stand for themselves, never for a pattern', () => {
    expect(isAllowed(own, 's3:PutObject', `${S3}/7/x`, { pipeline_id: '7' })).toBe(true);
    expect(isAllowed(own, 's3:PutObject', `${S3}/8/x`, { pipeline_id: '7' })).toBe(false);
    for (const pattern of ['*', '?', `\${*}`, `\${claims.pipeline_id}`]) {
      expect(isAllowed(own, 's3:PutObject', `${S3}/7/x`, { pipeline_id: pattern })).toBe(false);
      expect(isAllowed(own, 's3:PutObject', `${S3}/${pattern}/x`, { pipeline_id: pattern })).toBe(true);
    }
  });

  it.each([{}, { pipeline_id: '' }, Object.create({ pipeline_id: '7' })])(
    'an allow statement does not apply when one is missing or empty (%#)',
    (claims) => {
      expect(isAllowed(own, 's3:PutObject', `${S3}/7/x`, claims)).toBe(false);
      expect(isAllowed(own, 's3:PutObject', `${S3}//x`, claims)).toBe(false);
      const mixed = [allow('s3:PutObject', `${S3}/open`, `${S3}/\${claims.pipeline_id}/*`)];
      expect(isAllowed(mixed, 's3:PutObject', `${S3}/open`, claims)).toBe(false);
      expect(isAllowed(mixed, 's3:PutObject', `${S3}/open`, { pipeline_id: '7' })).toBe(true);
    },
  );

  it('a deny statement with a missing one refuses every resource of its actions', () => {
    const statements = [allow('s3:*', `${S3}/*`), deny('s3:DeleteObject', `${S3}/\${claims.owner}/*`)];
    expect(isAllowed(statements, 's3:DeleteObject', `${S3}/x/y`)).toBe(false);
    expect(isAllowed(statements, 's3:DeleteObject', `${S3}/x/y`, { owner: '' })).toBe(false);
    expect(isAllowed(statements, 's3:DeleteObject', `${S3}/x/y`, { owner: 'acme' })).toBe(true);
    expect(isAllowed(statements, 's3:DeleteObject', `${S3}/acme/y`, { owner: 'acme' })).toBe(false);
    expect(isAllowed(statements, 's3:GetObject', `${S3}/x/y`)).toBe(true);
  });

  it('are named once each', () => {
    const statements = [allow('s3:*', `${S3}/\${claims.a}/\${claims.b}`), deny('s3:*', `${S3}/\${claims.a}\${*}`)];
    expect(claimsMentioned(statements)).toEqual(['a', 'b']);
  });
});

describe('session tags in permissions', () => {
  const own = [allow('s3:PutObject', `${S3}/\${aws:PrincipalTag/Pipeline}/*`)];
  const isAllowedWith = (
    statements: readonly Statement[],
    resource: string,
    tags?: Record<string, string>,
    claims: Record<string, string> = {},
  ): boolean => {
    const facts = tags === undefined ? {} : { tags };
    return authorize(compilePermissions(statements), { action: 's3:PutObject', resource, claims, facts }).allow;
  };

  it('stand for themselves, whatever the case of their key, and never for a pattern', () => {
    expect(isAllowedWith(own, `${S3}/web/x`, { pipeline: 'web' })).toBe(true);
    expect(isAllowedWith(own, `${S3}/Web/x`, { pipeline: 'web' })).toBe(false);
    for (const pattern of ['*', '?', '**']) {
      expect(isAllowedWith(own, `${S3}/web/x`, { Pipeline: pattern })).toBe(false);
    }
    const odd = [allow('s3:PutObject', `${S3}/\${aws:principaltag/a b/ü:=+-@}/*`)];
    expect(isAllowedWith(odd, `${S3}/v/x`, { 'a b/ü:=+-@': 'v' })).toBe(true);
  });

  it('are no claims, and claims are no tags', () => {
    expect(isAllowedWith(own, `${S3}/web/x`, {}, { pipeline: 'web', Pipeline: 'web' })).toBe(false);
    const claim = [allow('s3:PutObject', `${S3}/\${claims.pipeline}/*`)];
    expect(isAllowedWith(claim, `${S3}/web/x`, { pipeline: 'web' })).toBe(false);
  });

  it.each([undefined, {}, { pipeline: '' }, { other: 'web' }])('missing ones allow nothing and deny: %j', (tags) => {
    expect(isAllowedWith(own, `${S3}/web/x`, tags)).toBe(false);
    expect(isAllowedWith(own, `${S3}//x`, tags)).toBe(false);
    const denied = [allow('s3:*', `${S3}/*`), deny('s3:PutObject', `${S3}/\${aws:PrincipalTag/Pipeline}/*`)];
    expect(isAllowedWith(denied, `${S3}/other/x`, tags)).toBe(false);
    expect(isAllowedWith(denied, `${S3}/other/x`, { Pipeline: 'web' })).toBe(true);
  });

  it('need not be carried as claims', () => {
    expect(claimsMentioned(own)).toEqual([]);
  });
});

it.each([
  { effect: 'allow', actions: ['iam:x'], resources: [`${S3}/a`] },
  { effect: 'allow', actions: ['s3:Get'], resources: ['*'] },
  { effect: 'allow', actions: ['s3:Get'], resources: [`${S3}/\${aws:x}`] },
  { effect: 'allow', actions: ['s3:Get'], resources: [`${S3}/\${aws:PrincipalTag/}`] },
  { effect: 'allow', actions: ['s3:Get'], resources: [`${S3}/\${aws:PrincipalTag/a*}`] },
  { effect: 'Allow', actions: ['s3:Get'], resources: [`${S3}/a`] },
])('a statement that no reader lets through is never compiled (%#)', (statement) => {
  const received = JSON.parse(JSON.stringify([{ ...statement, line: 3 }]));
  expect(() => compilePermissions(received)).toThrow(expect.objectContaining({ code: 'ERR_PERMISSIONS_INVALID' }));
});

it('more statements never allow what a deny refused, and one more allow never refuses what was allowed', () => {
  const part = fc.constantFrom('a', 'b', '*', '?', '/', `\${claims.x}`);
  const resource = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `${S3}/${parts.join('')}`);
  const action = fc.constantFrom('s3:Get', 's3:Put', 's3:*', 's3:?et');
  const statement: fc.Arbitrary<Statement> = fc.record({
    effect: fc.constantFrom('allow', 'deny'),
    actions: fc.array(action, { minLength: 1, maxLength: 2 }),
    resources: fc.array(resource, { minLength: 1, maxLength: 2 }),
    line: fc.constant(1),
  });
  const asked = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 4 }).map((parts) => `${S3}/${parts.join('')}`);
  const claims = fc.constantFrom<Record<string, string>>({}, { x: 'a' }, { x: '*' });
  fc.assert(
    fc.property(
      fc.array(statement, { maxLength: 4 }),
      statement,
      asked,
      claims,
      (statements, added, target, session) => {
        const before = isAllowed(statements, 's3:Get', target, session);
        const after = isAllowed([...statements, added], 's3:Get', target, session);
        expect(added.effect === 'allow' ? after || !before : before || !after).toBe(true);
      },
    ),
    { numRuns: 3000 },
  );
});
