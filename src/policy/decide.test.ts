import { describe, expect, it } from 'vitest';
import { ISSUER, makeRole } from '../../test/fakes/roles.ts';
import type { RoleTrace } from '../base/core/decision.ts';
import type { Claims } from '../base/core/json.ts';
import { decide, type PolicyDecision } from './decide.ts';
import { buildPolicySet } from './policy-set.ts';

const REF = { tenant: 'main', name: 'publish-web' };
const OTHER = 'https://other.example.com';

const ask = (trust: string, claims: Claims, issuer = ISSUER): PolicyDecision =>
  decide(buildPolicySet([makeRole({ trust })]), { role: REF, issuer, claims, now: 0 });
const traceOf = (decision: PolicyDecision): RoleTrace => {
  if (decision.trace === undefined) throw new Error('no trace');
  return decision.trace;
};
/** `✓ ref refs/heads/main`, `✗ …`, `– …`, with the near miss in brackets. */
const linesOf = (decision: PolicyDecision): readonly string[] =>
  traceOf(decision).rules.flatMap((rule) =>
    rule.clauses.map((clause) => {
      const mark = { held: '✓', failed: '✗', not_reached: '–' }[clause.outcome];
      const got = clause.presented === undefined ? '' : ` ${JSON.stringify(clause.presented)}`;
      return `${mark} ${clause.subject}${got}${clause.nearMiss ? ` [${clause.nearMiss}]` : ''}`;
    }),
  );

const RULE = `[{ issuer: ${ISSUER}, claims: { owner_id: "42", ref: refs/heads/main, environment: [production, staging] } }]`;
const GOOD = { owner_id: '42', ref: 'refs/heads/main', environment: 'staging', fork: 'false' };

describe('a decision', () => {
  it('lets in a token that every clause holds for, and shows each of them', () => {
    const decision = ask(RULE, GOOD);
    expect(decision.allow && decision.role.ref).toEqual(REF);
    expect(linesOf(decision)).toEqual([
      `✓ issuer "${ISSUER}"`,
      '✓ owner_id "42"',
      '✓ ref "refs/heads/main"',
      '✓ environment "staging"',
      '✓ fork "false"',
      '✓ runner_environment',
    ]);
    expect(traceOf(decision)).toMatchObject({ file: 'main/publish-web.yaml', satisfiable: 'yes' });
    expect(traceOf(decision).rules[0]?.clauses.map((clause) => clause.line)).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it.each([
    ['the issuer', GOOD, OTHER, 'issuer wanted https://ci.example.com, got https://other.example.com'],
    ['one clause', { ...GOOD, owner_id: '43' }, ISSUER, 'owner_id wanted 42, got 43'],
    [
      'a missing claim',
      { ...GOOD, environment: undefined },
      ISSUER,
      'environment wanted production or staging, the token carries none',
    ],
    ['a list', { ...GOOD, environment: 'test' }, ISSUER, 'environment wanted production or staging, got test'],
  ])('refuses by %s', (_, claims, issuer, detail) => {
    const decision = ask(RULE, JSON.parse(JSON.stringify(claims)), issuer);
    expect(decision).toMatchObject({ allow: false, reason: 'no_rule_matched', detail });
  });

  it('stops at the first failure of a rule and says what was not reached', () => {
    expect(linesOf(ask(RULE, { ...GOOD, ref: 'refs/heads/dev' }))).toEqual([
      `✓ issuer "${ISSUER}"`,
      '✓ owner_id "42"',
      '✗ ref "refs/heads/dev"',
      '– environment',
      '– fork',
      '– runner_environment',
    ]);
  });

  it.each([
    ['case', { ref: 'refs/heads/Main' }, 'differs only in case'],
    ['space', { ref: 'refs/heads/main ' }, 'differs only in space at its ends'],
    ['type', { owner_id: 42 }, 'right but for its type: only text matches'],
    ['type', { owner_id: ['42'] }, 'right but for its type: only text matches'],
  ] as const)('names a near miss: %s', (nearMiss, changed, words) => {
    const decision = ask(RULE, { ...GOOD, ...changed });
    expect(decision.allow).toBe(false);
    expect(traceOf(decision).rules[0]?.clauses.find((clause) => clause.outcome === 'failed')?.nearMiss).toBe(nearMiss);
    expect(!decision.allow && decision.detail).toContain(words);
  });

  it('names no near miss where there is none', () => {
    for (const owner of ['43', 43, null, {}, ['42', '42'], true]) {
      const failed = traceOf(ask(RULE, { ...GOOD, owner_id: owner })).rules[0]?.clauses[1];
      expect(failed).toMatchObject({ outcome: 'failed', presented: owner });
      expect(failed?.nearMiss).toBeUndefined();
    }
  });

  it('compares nothing but own text: arrays, numbers, booleans and inherited members never match', () => {
    const rule = `[{ issuer: ${ISSUER}, claims: { constructor: "**", x: "**" } }]`;
    expect(ask(rule, { x: 'a' }).allow).toBe(false);
    for (const x of [['a'], 1, true, null, {}]) expect(ask(rule, { constructor: 'a', x }).allow).toBe(false);
    expect(ask(rule, { constructor: 'a', x: 'a' }).allow).toBe(true);
  });

  it('lets a token in by any one rule and shows the ones that did not hold before it', () => {
    const two = `[{ issuer: ${OTHER}, claims: { a: b } }, { issuer: ${ISSUER}, claims: { a: b } }]`;
    const decision = ask(two, { a: 'b' });
    expect(decision.allow).toBe(true);
    expect(traceOf(decision).rules.map((rule) => rule.held)).toEqual([false, true]);
  });

  it('explains by the rule that got furthest', () => {
    const two = `[{ issuer: ${ISSUER}, claims: { a: x } }, { issuer: ${ISSUER}, claims: { a: b, c: d } }]`;
    expect(ask(two, { a: 'b' })).toMatchObject({ detail: 'c wanted d, the token carries none' });
  });

  it('knows no role of another tenant, of another name, or of a name with a slash', () => {
    const set = buildPolicySet([makeRole({ trust: RULE })]);
    for (const role of [
      { tenant: 'other', name: 'publish-web' },
      { tenant: 'main', name: 'publish' },
      { tenant: 'main', name: '../main/publish-web' },
      { tenant: 'main/publish-web', name: '' },
      { tenant: '__proto__', name: 'constructor' },
    ]) {
      const decision = decide(set, { role, issuer: ISSUER, claims: GOOD, now: 0 });
      expect(decision).toEqual({
        allow: false,
        reason: 'role_unknown',
        detail: 'no active role of this tenant has this name',
      });
    }
  });
});

describe('safe defaults', () => {
  const ANY = `[{ issuer: ${ISSUER}, claims: { a: b } }]`;
  const FORK = `[{ issuer: ${ISSUER}, claims: { a: b, fork: "true" } }]`;
  const LOCAL = `[{ issuer: ${ISSUER}, claims: { a: b, runner_environment: local } }]`;

  it.each(['true', 'True', ' true', 'yes', '', true, 1, ['true'], null])(
    'a token with fork %j passes no rule that does not name fork, and the trace says so',
    (fork) => {
      const decision = ask(ANY, { a: 'b', fork });
      expect(decision).toMatchObject({ allow: false, reason: 'no_rule_matched' });
      expect(traceOf(decision).rules[0]?.clauses[2]).toMatchObject({
        subject: 'fork',
        wanted: ['not from a fork, unless the rule names fork'],
        presented: fork,
        outcome: 'failed',
      });
    },
  );

  it('a token of a fork passes a rule that names fork', () => {
    expect(ask(FORK, { a: 'b', fork: 'true' }).allow).toBe(true);
    expect(ask(FORK, { a: 'b', fork: 'true', sub: 'fork:owner:acme@42' }).allow).toBe(true);
    expect(ask(FORK, { a: 'b', fork: 'false' }).allow).toBe(false);
    expect(ask(LOCAL, { a: 'b', fork: 'true', runner_environment: 'local' }).allow).toBe(false);
  });

  it('a token that says nothing of forks, or no, passes', () => {
    for (const claims of [{}, { fork: 'false' }, { fork: false }])
      expect(ask(ANY, { a: 'b', ...claims }).allow).toBe(true);
  });

  it('a subject of a fork passes only where fork is named, whatever the claim says', () => {
    expect(ask(ANY, { a: 'b', sub: 'fork:owner:acme@42' }).allow).toBe(false);
  });

  it.each([
    { runner_environment: 'local' },
    { runner_environment: 'LOCAL ' },
    { runner_environment: ['local'] },
    { sub: 'local:owner:acme@42' },
  ])('a local token (%j) passes no rule that does not name runner_environment, and the trace says so', (claims) => {
    const decision = ask(ANY, { a: 'b', ...claims });
    expect(decision).toMatchObject({ allow: false, reason: 'no_rule_matched' });
    expect(traceOf(decision).rules[0]?.clauses[3]).toMatchObject({
      subject: 'runner_environment',
      wanted: ['not local, unless the rule names runner_environment'],
      outcome: 'failed',
    });
    expect(ask(FORK, { a: 'b', fork: 'true', ...claims }).allow).toBe(false);
  });

  it('a local token passes a rule that names runner_environment', () => {
    const local = { a: 'b', sub: 'local:owner:acme@42', runner_environment: 'local' };
    expect(ask(LOCAL, local).allow).toBe(true);
    expect(ask(LOCAL, { ...local, runner_environment: 'hosted' }).allow).toBe(false);
    expect(ask(ANY, { a: 'b', runner_environment: 'hosted', sub: 'localhost:x' }).allow).toBe(true);
  });
});

describe('whether any token of the issuer could pass', () => {
  const rule = (claims: string): string => `[{ issuer: ${ISSUER}, claims: { ${claims} } }]`;
  it.each([
    ['no rule names the issuer', rule('a: b'), OTHER, 'no'],
    ['a rule names it', rule('a: b'), ISSUER, 'yes'],
    ['a time is wanted as text', rule('exp: "1"'), ISSUER, 'no'],
    ['another issuer is wanted as a claim', rule(`iss: ${OTHER}`), ISSUER, 'no'],
    ['the issuer is wanted as a claim', rule(`iss: ${ISSUER}`), ISSUER, 'yes'],
    ['a fork’s subject is wanted, forks are not', rule('sub: "fork:owner:acme@42:*"'), ISSUER, 'no'],
    ['a local subject is wanted, local jobs are not', rule('sub: "local:*"'), ISSUER, 'no'],
    [
      'a local subject is wanted, and local jobs by name',
      rule('sub: "local:*", runner_environment: local'),
      ISSUER,
      'yes',
    ],
    ['one of several subjects can pass', rule('sub: ["fork:x", y]'), ISSUER, 'yes'],
  ])('%s', (_, trust, issuer, satisfiable) => {
    expect(traceOf(ask(trust, { a: 'z' }, issuer)).satisfiable).toBe(satisfiable);
  });
});

it('prints no control character and no long value of a token', () => {
  const decision = ask(RULE, { ...GOOD, owner_id: `\u001b[31m${'x'.repeat(9999)}` });
  const detail = decision.allow ? '' : decision.detail;
  expect(detail.length).toBeLessThan(200);
  expect(detail).not.toContain('\u001b');
});
