import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ISSUER, roleText, wideCeiling } from '../../../test/fakes/roles.ts';
import type { Role } from '../role.ts';
import { readRole } from './jobpass.ts';
import { RolePool } from './role-pool.ts';

const TEXT = `role: publish-web
trust:
  - issuer: https://ci.example.com
    claims:
      owner_id: "42"
      ref: refs/heads/main
      environment: [production, staging]
      workflow: release-*
  - issuer: https://other.example.com
    claims: { sub: "repo:acme/web:*" }
session: { gateway: artifacts, max_duration: 30m, single_use: true }
permissions:
  - { effect: allow, actions: ["s3:PutObject"], resources: ["arn:aws:s3:::web/\${claims.owner_id}/*"] }
  - { effect: deny, actions: ["http:*"], resources: ["arn:jobpass:http:::artifacts/old/*"] }
`;
const read = (text: string, file = 'main/publish-web.yaml') => readRole({ tenant: 'main', file, text }, wideCeiling());
const roleOf = (text: string): Role => {
  const outcome = read(text);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error));
  return outcome.value;
};
const problemsOf = (text: string, file?: string): readonly string[] => {
  const outcome = read(text, file);
  return outcome.ok
    ? []
    : outcome.error.map(({ path, message, hint }) => `${path}: ${message}${hint ? ` (${hint})` : ''}`);
};
const withClaims = (claims: string): string => roleText({ trust: `[{ issuer: ${ISSUER}, claims: ${claims} }]` });
const withPermission = (action: string, resource: string): string =>
  roleText({
    trust: `[{ issuer: ${ISSUER}, claims: { a: b } }]`,
    permissions: `[{ effect: allow, actions: ["${action}"], resources: ["${resource}"] }]`,
  });

/** Subject, line and wanted values of the first entry's clauses, safe defaults left out. */
const writtenClauses = (role: Role): readonly unknown[] =>
  (role.trust[0]?.judge({ issuer: ISSUER, claims: {}, now: 0 }).rules[0]?.clauses ?? [])
    .filter(({ subject }) => subject !== 'fork' && subject !== 'runner_environment')
    .map(({ subject, line, wanted }) => [subject, line, wanted]);

describe('a policy file', () => {
  it('becomes a role with the line of every rule, clause and statement', () => {
    const role = roleOf(TEXT);
    expect(role.ref).toEqual({ tenant: 'main', name: 'publish-web' });
    expect(role.file).toBe('main/publish-web.yaml');
    expect(role.digest).toBe(createHash('sha256').update(TEXT).digest('hex'));
    expect(role.session).toEqual({ gateway: 'artifacts', maxDurationSeconds: 1800, singleUse: true });
    expect(role.trust.map(({ dialect, issuers, line }) => [dialect, issuers, line])).toEqual([
      ['jobpass', ['https://ci.example.com'], 3],
      ['jobpass', ['https://other.example.com'], 9],
    ]);
    expect(writtenClauses(role)).toEqual([
      ['issuer', 3, ['https://ci.example.com']],
      ['owner_id', 5, ['42']],
      ['ref', 6, ['refs/heads/main']],
      ['environment', 7, ['production', 'staging']],
      ['workflow', 8, ['release-*']],
    ]);
    expect(role.permissions.map((statement) => [statement.effect, statement.line])).toEqual([
      ['allow', 13],
      ['deny', 14],
    ]);
  });

  it('has short sessions and reusable tokens when it does not say otherwise, never beyond the ceiling', () => {
    const text = TEXT.replace(', max_duration: 30m, single_use: true', '');
    expect(roleOf(text).session).toEqual({ gateway: 'artifacts', maxDurationSeconds: 1200, singleUse: false });
    const outcome = readRole(
      { tenant: 'main', file: 'main/publish-web.yaml', text },
      { ...wideCeiling(), maxDurationSeconds: 300 },
    );
    expect(outcome.ok && outcome.value.session.maxDurationSeconds).toBe(300);
  });

  it('is read the same with the texts and patterns of other files at hand', () => {
    const pool = new RolePool();
    const [, a] = [1, 2].map(() => {
      const outcome = readRole({ tenant: 'main', file: 'publish-web.yaml', text: TEXT }, wideCeiling(), { pool });
      if (!outcome.ok) throw new Error('refused');
      return outcome.value;
    });
    expect(a && writtenClauses(a)).toEqual(writtenClauses(roleOf(TEXT)));
    expect(a && { ...a, trust: [] }).toEqual({ ...roleOf(TEXT), file: 'publish-web.yaml', trust: [] });
  });
});

describe('a policy file is refused', () => {
  it('with all problems at once', () => {
    const text = `role: Publish
trust:
  - issuer: https://evil.example.com
    claims: { owner_id: 42, ref: a***, when: [] }
    when: claim.x == "1"
session: { gateway: artifact, max_duration: 1800 }
permissions:
  - { effect: allow, actions: ["http:put"], resources: ["arn:aws:s3:::\${claims}/x"] }
aws: { role_arn: x }
`;
    expect(problemsOf(text)).toEqual([
      'role: wanted up to 63 of a-z, 0-9 and -, not beginning with -',
      'role: wanted publish-web, as the file is called',
      'trust[0].issuer: beyond the ceiling of tenant main (https://ci.example.com)',
      'trust[0].claims.owner_id: wanted text or a list (quote it: "42")',
      'trust[0].claims.ref: wanted at most two stars in a row',
      'trust[0].claims.when: wanted at least 1 entry',
      expect.stringMatching(/^trust\[0\]\.when: .*claim/),
      'session.gateway: beyond the ceiling of tenant main (artifacts)',
      'session.max_duration: wanted a duration such as 45s, 30m or 2h (quote it: "1800")',
      'permissions[0].actions[0]: wanted http:METHOD in upper case or s3:Action, with * and ? as wildcards',
      `permissions[0].resources[0]: wanted \${claims.NAME}, \${aws:PrincipalTag/KEY}, \${*}, \${?} or \${$} where a dollar and a brace stand`,
      'aws.role_arn: wanted arn:aws:iam::<account, 12 digits>:role/[path/]name',
    ]);
  });

  it('has conditions in IAM’s form on its permissions', () => {
    const conditional = (conditions: string): string =>
      roleText({
        trust: '[{ issuer: https://ci.example.com, claims: { a: b } }]',
        permissions: `[{ effect: allow, actions: ["http:GET"], resources: ["arn:jobpass:http:::artifacts/*"], conditions: ${conditions} }]`,
      });
    expect(roleOf(conditional('{ StringEquals: { "http:Query/a": [x, y] } }')).permissions[0]?.conditions).toEqual({
      StringEquals: { 'http:Query/a': ['x', 'y'] },
    });
    expect(problemsOf(conditional('{ StringEqual: { "http:Query/a": x }, Bool: { "http:Header/a": true } }'))).toEqual([
      'permissions[0].conditions.StringEqual: Invalid Condition type : StringEqual (StringEquals)',
      expect.stringMatching(/^permissions\[0\]\.conditions\.Bool\["http:Header\/a"\]: unknown condition key/),
    ]);
  });

  it.each([
    ['true', 'trust[0].claims.x: wanted text or a list (quote it: "true")'],
    ['1.10', 'trust[0].claims.x: wanted text or a list (quote it: "1.10")'],
    ['null', 'trust[0].claims.x: wanted text or a list'],
    ['', 'trust[0].claims.x: wanted text or a list'],
    ['[]', 'trust[0].claims.x: wanted at least 1 entry'],
    ['[a, 42]', 'trust[0].claims.x[1]: wanted text (quote it: "42")'],
    ['""', 'trust[0].claims.x: wanted text that is not empty'],
    ['{ a: b }', 'trust[0].claims.x: wanted text or a list'],
    ['"a\\\\b"', 'trust[0].claims.x: wanted \\* or \\\\ after a backslash'],
  ])('for a claim that wants %s', (value, problem) => {
    expect(problemsOf(withClaims(`{ x: ${value} }`))).toEqual([problem]);
  });

  it('for a rule that lets everyone in', () => {
    const everyone = 'trust[0].claims: wanted at least one claim: a rule without any lets everyone in';
    expect(problemsOf(withClaims('{}'))).toEqual([everyone]);
    expect(problemsOf(roleText({ trust: `[{ issuer: ${ISSUER} }]` }))).toEqual([
      'trust[0].claims: wanted claims, when, or both: a rule without any lets everyone in',
    ]);
    expect(problemsOf(roleText({ trust: '[]' }))).toEqual(['trust: wanted at least 1 entry']);
    const nobody = 'wanted more than wildcards: this names nobody (name the owner and the pipeline)';
    for (const sub of ['*', '**', '**:**', '*/*']) {
      expect(problemsOf(withClaims(`{ sub: "${sub}" }`))).toEqual([`trust[0].claims.sub: ${nobody}`]);
      expect(problemsOf(withClaims(`{ sub: [a, "${sub}"] }`))).toEqual([`trust[0].claims.sub[1]: ${nobody}`]);
    }
    expect(problemsOf(withClaims('{ sub: "owner:acme@42:**" }'))).toEqual([]);
    expect(problemsOf(withClaims('{ __proto__: x }'))).not.toEqual([]);
  });

  it.each([
    ['http:PUT', 'arn:jobpass:http:::artifacts/*', true],
    ['http:*', `arn:jobpass:http:::artifacts/\${*}`, true],
    ['s3:Get*', `arn:aws:s3:::web/\${claims.a/b.c}`, true],
    ['http:put', 'arn:jobpass:http:::artifacts/*', false],
    ['*', 'arn:jobpass:http:::artifacts/*', false],
    ['iam:PassRole', 'arn:jobpass:http:::artifacts/*', false],
    ['S3:PutObject', 'arn:aws:s3:::web/*', false],
    [`http:\${claims.x}`, 'arn:aws:s3:::web/*', false],
    ['s3:PutObject', '*', false],
    ['s3:PutObject', 'arn:aws:s3:::', false],
    ['s3:PutObject', `arn:aws:s3:::\${aws:username}/*`, false],
    ['s3:PutObject', `arn:aws:s3:::\${claims.x`, false],
    ['s3:PutObject', `arn:aws:s3:::\${claims.}`, false],
    ['s3:PutObject', `arn:aws:s3:::${'x'.repeat(2048)}`, false],
  ])('for a permission of an unknown form: %s on %s', (action, resource, accepted) => {
    expect(problemsOf(withPermission(action, resource)).length === 0).toBe(accepted);
  });

  it('for anything beyond the ceiling of its tenant, and for a ceiling that is another tenant’s', () => {
    const narrow = {
      tenant: 'main',
      issuers: [ISSUER],
      actions: ['s3:Get*'],
      resources: ['arn:aws:s3:::web/*'],
      gateways: ['packages'],
      maxDurationSeconds: 1799,
      awsAccounts: [],
      gcpProjects: [],
      azureTenants: [],
    };
    const outcome = readRole({ tenant: 'main', file: 'publish-web.yaml', text: TEXT }, narrow);
    const paths = outcome.ok ? [] : outcome.error.map((problem) => problem.path);
    expect(paths).toEqual(['trust[1].issuer', 'session.gateway', 'session.max_duration', 'permissions[0].actions[0]']);
    const foreign = readRole({ tenant: 'other', file: 'publish-web.yaml', text: TEXT }, wideCeiling('main'));
    expect(!foreign.ok && foreign.error.map((problem) => problem.message)).toEqual(['tenant other has no ceiling']);
  });

  it.each([
    'arn:aws:iam::42:role/publish-web',
    'arn:aws:iam::000000000042:user/publish-web',
    'arn:aws:sts::000000000042:assumed-role/publish-web/job-1',
    'arn:aws:iam::000000000042:role/publish web',
    'publish-web',
  ])('for an ARN that is no role’s: %s', (roleArn) => {
    const text = roleText({ trust: `[{ issuer: ${ISSUER}, claims: { a: b } }]`, roleArn });
    expect(problemsOf(text)).toEqual(['aws.role_arn: wanted arn:aws:iam::<account, 12 digits>:role/[path/]name']);
    expect(problemsOf(text.replace('role_arn', 'arn')).join()).toContain('aws.arn: unknown key');
  });

  it('for an AWS account that is not its tenant’s', () => {
    const roleArn = 'arn:aws:iam::000000000042:role/publish-web';
    const text = roleText({ trust: `[{ issuer: ${ISSUER}, claims: { a: b } }]`, roleArn });
    expect(problemsOf(text)).toEqual([]);
    const source = { tenant: 'main', file: 'publish-web.yaml', text };
    for (const awsAccounts of [[], ['000000000043']]) {
      const outcome = readRole(source, { ...wideCeiling(), awsAccounts });
      expect(!outcome.ok && outcome.error.map(({ path }) => path)).toEqual(['aws.role_arn']);
    }
    expect(readRole(source, { ...wideCeiling(), awsAccounts: 'all' }).ok).toBe(true);
  });

  it('for more clauses or bytes than the bounds', () => {
    const values = (count: number): string =>
      `[${Array.from({ length: count }, (_, index) => `v${index}`).join(', ')}]`;
    expect(problemsOf(withClaims(`{ x: ${values(998)} }`))).toEqual([]);
    expect(problemsOf(withClaims(`{ x: ${values(999)} }`))).toEqual([': holds more than 1000 clauses']);
    expect(problemsOf(`${TEXT}#${'x'.repeat(65_536)}`)).toEqual([': larger than 65536 bytes']);
  });

  it('for more wildcards than the bound', () => {
    const patterns = (stars: number): string => `["${'*a'.repeat(stars - 500)}", "${'*b'.repeat(500)}"]`;
    expect(problemsOf(withClaims(`{ x: ${patterns(1000)} }`))).toEqual([]);
    expect(problemsOf(withClaims(`{ x: ${patterns(1001)} }`))).toEqual([
      'trust: wanted at most 1000 wildcards in all claims together',
    ]);
  });

  it('when its name is not its file’s', () => {
    expect(problemsOf(TEXT, 'main/deploy.yaml')).toEqual(['role: wanted deploy, as the file is called']);
    expect(problemsOf(TEXT, 'publish-web.yml')).toEqual([]);
  });

  it('whatever it holds, by a value and never by throwing', () => {
    const key = fc.constantFrom('role', 'trust', 'session', 'permissions', 'claims', 'issuer', 'effect', 'x');
    const json = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, fc.string(), fc.integer(), fc.constant(null), tie('list'), tie('map')),
      list: fc.array(tie('value'), { maxLength: 3 }),
      map: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
    })).map;
    fc.assert(
      fc.property(json, (value) => {
        expect(readRole({ tenant: 'main', file: 'x.json', text: JSON.stringify(value) }, wideCeiling()).ok).toBe(false);
      }),
    );
  });
});
