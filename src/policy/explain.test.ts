import { describe, expect, it } from 'vitest';
import { ISSUER, makeRole } from '../../test/fakes/roles.ts';
import type { Claims } from '../base/core/json.ts';
import { decide } from './decide.ts';
import { type Explanation, explain } from './explain.ts';
import { buildPolicySet } from './policy-set.ts';
import { readPolicy } from './read-policy.ts';
import type { Role } from './role.ts';
import type { TokenView } from './trust/trust.ts';

const rule = (claims: string): string => `{ issuer: ${ISSUER}, claims: { ${claims} } }`;
const role = (name: string, ...rules: readonly string[]): Role =>
  makeRole({ name, trust: `[${rules.map(rule).join(', ')}]` });
const view = (claims: Claims, issuer = ISSUER): TokenView => ({ issuer, claims, now: 0 });
const set = buildPolicySet([
  role('publish', 'owner_id: "42", ref: refs/heads/main, environment: production'),
  role('preview', 'owner_id: "42"'),
  role('other', 'owner_id: "43", ref: refs/heads/main'),
]);
const PUBLISH = { tenant: 'main', name: 'publish' };
const about = (claims: Claims, name = 'publish'): Explanation =>
  explain(set, { token: view(claims), role: { tenant: 'main', name } });

describe('an explanation of one role', () => {
  it('is the decision, with every clause of it and no clause left unread', () => {
    const { roles, decision, policySet } = about({ owner_id: '43', ref: 'refs/heads/Main' });
    expect({ decision, policySet }).toEqual({ decision: 'deny', policySet: set.id });
    expect(roles).toHaveLength(1);
    expect(roles[0]?.trace?.rules[0]?.clauses.map(({ subject, outcome }) => `${subject} ${outcome}`)).toEqual([
      'issuer held',
      'owner_id failed',
      'ref failed',
      'environment failed',
      'fork held',
      'runner_environment held',
    ]);
    expect(roles[0]).toMatchObject({
      role: 'main/publish',
      reason: 'no_rule_matched',
      missing: 3,
      firstFailure: { file: 'main/publish.yaml', line: 2, clause: { subject: 'owner_id' } },
    });
  });

  it('reaches nothing behind an issuer that is another', () => {
    const { roles } = explain(set, { token: view({ owner_id: '42' }, 'https://x'), role: PUBLISH });
    expect(roles[0]?.firstFailure?.clause.subject).toBe('issuer');
    expect(roles[0]?.trace?.rules[0]?.clauses.slice(1).every(({ outcome }) => outcome === 'not_reached')).toBe(true);
    expect(roles[0]?.trace?.satisfiable).toBe('no');
  });

  it('says what to write where only case differs', () => {
    expect(about({ owner_id: '42', ref: 'refs/heads/Main', environment: 'production' }).roles[0]?.fixes).toEqual([
      {
        file: 'main/publish.yaml',
        line: 2,
        subject: 'ref',
        nearMiss: 'case',
        found: 'refs/heads/main',
        write: 'refs/heads/Main',
      },
    ]);
  });

  it('says that no other wanted value would do where the type differs', () => {
    const [fix] = about({ owner_id: 42 }).roles[0]?.fixes ?? [];
    expect(fix).toMatchObject({ subject: 'owner_id', nearMiss: 'type', found: '42', write: null });
  });

  it('says that a safe default failed because of the subject', () => {
    const { roles } = about({ owner_id: '42', sub: 'fork:x' }, 'preview');
    expect(roles[0]?.firstFailure?.clause).toMatchObject({ subject: 'fork', problem: 'sub begins with fork:' });
  });

  it('names the nearest other role, and none beside a role that lets the token in', () => {
    expect(about({ owner_id: '42' }).nearest).toEqual({ role: 'main/preview', file: 'main/preview.yaml', missing: 0 });
    expect(about({ owner_id: '42' }, 'preview')).toMatchObject({ decision: 'allow', nearest: null });
  });

  it('of a role that does not exist is that', () => {
    const { roles } = about({}, 'none');
    expect(roles).toEqual([expect.objectContaining({ decision: 'deny', reason: 'role_unknown', fixes: [] })]);
  });
});

describe('an explanation of all roles', () => {
  it('begins with those that let the token in, then those that miss least', () => {
    const explanation = explain(set, { token: view({ owner_id: '42', ref: 'refs/heads/main' }) });
    expect(explanation.decision).toBe('allow');
    expect(explanation.roles.map(({ role: name, missing }) => [name, missing])).toEqual([
      ['main/preview', 0],
      ['main/other', 1],
      ['main/publish', 1],
    ]);
  });

  it('never disagrees with the decision', () => {
    for (const owner_id of ['42', '43', '44']) {
      const token = view({ owner_id, ref: 'refs/heads/main' });
      for (const one of explain(set, { token }).roles) {
        expect(one.decision === 'allow').toBe(decide(set, { ...token, role: one.ref }).allow);
        expect(one.missing === 0).toBe(one.decision === 'allow');
      }
    }
  });
});

describe('a policy of any dialect', () => {
  const azure = '{"issuer": "https://ci.example.com",\n"subject": "owner:Acme@42"}';

  it('is found by its shape; a cloud’s document is named as its file', () => {
    const read = readPolicy({ tenant: 'x', file: 'clouds/web.json', text: azure });
    expect(read.ok && read.value.ref.name).toBe('web');
    if (!read.ok) return;
    const token = view({ sub: 'owner:acme@42', aud: 'api://AzureADTokenExchange' });
    const explanation = explain(buildPolicySet([read.value]), { token });
    expect(explanation.roles[0]).toMatchObject({
      role: 'clouds/web.json',
      decision: 'deny',
      fixes: [{ file: 'clouds/web.json', line: 2, found: 'owner:Acme@42', write: 'owner:acme@42' }],
    });
  });

  it.each(['{}', '[]', '42', '{"a": 1}', 'a: b', '', '{', '\u0000'])('is refused when it is none: %j', (text) => {
    const read = readPolicy({ tenant: 'x', file: 'web.yaml', text });
    expect(!read.ok && read.error.length).toBeGreaterThan(0);
  });

  it('is refused as a role where it looks like one', () => {
    const read = readPolicy({ tenant: 'x', file: 'web.yaml', text: 'role: web' });
    expect(!read.ok && read.error.map(({ path }) => path)).toContain('trust');
  });
});
