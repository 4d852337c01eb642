import { describe, expect, test } from 'vitest';
import { makeRole } from '../../../test/fakes/roles.ts';
import { buildPolicySet } from '../policy-set.ts';
import { policyCoverage } from './coverage.ts';
import { runPolicyTests } from './run.ts';
import { type PolicyTest, readPolicyTests } from './test-file.ts';

const NOW = 1_795_403_647;
const GITHUB = 'https://token.actions.githubusercontent.com';
const OTHER = 'https://other.example.com';

const SET = buildPolicySet([
  makeRole({
    name: 'publish-web',
    trust: `
  - issuer: https://ci.example.com
    claims:
      owner_id: "42"
      ref: refs/heads/main
      environment: [production, staging]
  - issuer: ${OTHER}
    claims: { owner_id: "42" }`,
  }),
  makeRole({ name: 'unwatched', trust: '[{ issuer: https://ci.example.com, claims: { owner_id: "42" } }]' }),
]);

const testsOf = (yaml: string): readonly PolicyTest[] => {
  const read = readPolicyTests(
    { file: 'main/publish-web.test.yaml', text: `tests:\n${yaml}` },
    { tenant: 'main', now: NOW, readToken: () => ({ ok: false, error: 'no file' }) },
  );
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value.tests;
};
const run = (yaml: string) => runPolicyTests(SET, testsOf(yaml));
const only = (yaml: string) => {
  const [result, ...others] = run(yaml);
  if (result === undefined || others.length > 0) throw new Error('wanted one test');
  return result;
};

const PRODUCTION = 'event: jobpass environment production';

describe('a policy test', () => {
  test('passes when the decision is the expected one', () => {
    expect(only(`  - { name: a, ${PRODUCTION}, expect: allow }`)).toMatchObject({ passed: true, got: 'allow' });
    expect(only('  - { name: a, event: jobpass push main, expect: deny }')).toMatchObject({
      passed: true,
      got: 'deny',
      reason: 'no_rule_matched',
    });
  });

  test('fails when the decision is the other one, and names the clause that made it', () => {
    expect(only(`  - { name: a, ${PRODUCTION}, with: { branch: Main }, expect: allow }`)).toMatchObject({
      passed: false,
      mismatch: expect.stringContaining('wanted allow, got deny'),
      decisive: [{ subject: 'ref', presented: 'refs/heads/Main', nearMiss: 'case' }],
    });
    expect(only(`  - { name: a, ${PRODUCTION}, expect: deny }`)).toMatchObject({
      passed: false,
      mismatch: 'wanted deny, got allow',
      decisive: expect.arrayContaining([expect.objectContaining({ subject: 'ref', outcome: 'held' })]),
    });
  });

  test('of a role that does not exist fails, unless that is what it expects', () => {
    const absent = `role: publish-wep, ${PRODUCTION}, expect: deny`;
    expect(only(`  - { name: a, ${absent} }`)).toMatchObject({
      passed: false,
      mismatch: 'there is no role main/publish-wep',
    });
    expect(only(`  - { name: a, ${absent}, reason: role_unknown }`).passed).toBe(true);
    expect(
      only('  - { name: a, role: publish-wep, event: github pull request from a fork, expect: deny }').passed,
    ).toBe(false);
  });

  test('holds the reason of a refusal to the expected one', () => {
    const refused = 'event: jobpass push main, expect: deny';
    expect(only(`  - { name: a, ${refused}, reason: no_rule_matched }`).passed).toBe(true);
    expect(only(`  - { name: a, ${refused}, reason: token_expired }`)).toMatchObject({
      passed: false,
      mismatch: expect.stringContaining('wanted reason token_expired, got no_rule_matched'),
    });
  });

  test('holds the failed clause to the expected one, of the rule that came nearest', () => {
    const refused = `${PRODUCTION}, with: { branch: feature }, expect: deny`;
    expect(only(`  - { name: a, ${refused}, failed_clause: ref }`).passed).toBe(true);
    // The other rule failed on its issuer, but it is not what kept this token out.
    for (const subject of ['issuer', 'environment', 'owner_id'])
      expect(only(`  - { name: a, ${refused}, failed_clause: ${subject} }`)).toMatchObject({
        passed: false,
        mismatch: `wanted ${subject} to be what keeps it out, got ref`,
      });
  });

  test('of an event without a token is refused for want of one, and looks at no clause', () => {
    expect(only('  - { name: a, event: github pull request from a fork, expect: deny }')).toMatchObject({
      passed: true,
      reason: 'token_missing',
      detail: expect.stringContaining('GitHub gives'),
      trace: null,
    });
    expect(only('  - { name: a, event: github pull request from a fork, expect: allow }').passed).toBe(false);
  });

  test('with another issuer than the role trusts is refused', () => {
    expect(only(`  - { name: a, event: github push main, expect: deny, failed_clause: issuer }`)).toMatchObject({
      passed: true,
      decisive: [
        { subject: 'issuer', presented: GITHUB },
        { subject: 'issuer', presented: GITHUB },
      ],
    });
  });
});

describe('coverage', () => {
  const uncovered = (yaml: string) =>
    policyCoverage(SET, run(yaml)).uncovered.map(
      ({ role, subject, wanted, wasTrue, wasFalse }) =>
        `${role} ${subject} ${wanted[0]} ${wasTrue ? '' : 'true'}${wasFalse ? '' : 'false'}`,
    );

  test('without tests is nothing, for every written clause of every role', () => {
    const { clauses, uncovered: missing, untested } = policyCoverage(SET, []);
    expect(clauses).toHaveLength(8);
    expect(missing).toEqual(clauses);
    expect(untested).toEqual(['main/publish-web', 'main/unwatched']);
    expect(clauses.map(({ line }) => line).slice(0, 6)).toEqual([3, 5, 6, 7, 8, 9]);
  });

  test('counts a clause as true or false where a test reached it, and as neither behind one that failed', () => {
    expect(uncovered(`  - { name: a, ${PRODUCTION}, with: { branch: feature }, expect: deny }`).slice(0, 4)).toEqual([
      'main/publish-web issuer https://ci.example.com false',
      'main/publish-web owner_id 42 false',
      'main/publish-web ref refs/heads/main true',
      'main/publish-web environment production truefalse',
    ]);
  });

  test('of a role is whole when every clause held once and failed once', () => {
    const missing = uncovered(`
  - { name: a, ${PRODUCTION}, expect: allow }
  - { name: b, ${PRODUCTION}, with: { owner_id: "43" }, expect: deny }
  - { name: c, ${PRODUCTION}, with: { branch: feature }, expect: deny }
  - { name: d, event: jobpass push main, expect: deny }
  - { name: e, issuer: ${OTHER}, claims: { owner_id: "42" }, expect: allow }
  - { name: f, issuer: ${OTHER}, claims: { owner_id: "43" }, expect: deny }`);
    expect(missing.filter((line) => line.startsWith('main/publish-web'))).toEqual([]);
    expect(missing.filter((line) => line.startsWith('main/unwatched'))).toHaveLength(2);
  });

  test('is not gained by a token that was never presented', () => {
    const { untested, clauses } = policyCoverage(
      SET,
      run('  - { name: a, event: github pull request from a fork, expect: deny }'),
    );
    expect(untested).toEqual(['main/unwatched']);
    expect(clauses.some(({ wasTrue, wasFalse }) => wasTrue || wasFalse)).toBe(false);
  });
});
