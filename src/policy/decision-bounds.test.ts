// What one author's role may cost and let in, whatever it says.
import { describe, expect, it } from 'vitest';
import { ISSUER, makeRole, roleText, wideCeiling } from '../../test/fakes/roles.ts';
import type { Claims, JsonValue } from '../base/core/json.ts';
import { decide, type PolicyDecision } from './decide.ts';
import { buildPolicySet } from './policy-set.ts';
import { readRole } from './readers/jobpass.ts';

const NAME = 'projects/42/locations/global/workloadIdentityPools/ci-pool/providers/jobpass';
const AUD = `//iam.googleapis.com/${NAME}`;
const EVERYONE = `principalSet://iam.googleapis.com/${NAME.replace('/providers/jobpass', '')}/*`;

function decided(trust: string, claims: Claims): PolicyDecision {
  const set = buildPolicySet([makeRole({ trust })]);
  return decide(set, { role: { tenant: 'main', name: 'publish-web' }, issuer: ISSUER, claims, now: 0 });
}

const gcp = (more: Readonly<Record<string, JsonValue>>, mapping: Readonly<Record<string, string>> = {}): string =>
  JSON.stringify([
    {
      gcp: {
        provider: {
          name: NAME,
          oidc: { issuerUri: ISSUER },
          attributeMapping: { 'google.subject': 'assertion.sub', ...mapping },
        },
        ...more,
      },
    },
  ]);
const BOUND = { bindings: [{ role: 'roles/iam.workloadIdentityUser', members: [EVERYONE] }] };

describe('an expression that unfolds without end', () => {
  it.each([20, 60, 120])('is stopped: %i doublings', (doublings) => {
    const endless = `[assertion.sub]${'.map(a,[a,a])'.repeat(doublings)}`;
    expect(decided(gcp(BOUND, { 'attribute.x': endless }), { sub: 's', aud: AUD }).allow).toBe(false);
  });

  it('is the only reason: without it the token is let in', () => {
    expect(decided(gcp(BOUND), { sub: 's', aud: AUD }).allow).toBe(true);
  });
});

describe('many dear expressions in one role', () => {
  const dear = 'claims.l.all(x, claims.l.exists(y, y == x))';
  const many = (count: number): string =>
    JSON.stringify(Array.from({ length: count }, () => ({ issuer: ISSUER, when: `${dear} && false` })));
  const claims = { l: Array.from({ length: 400 }, (_, index) => String(index)) };

  it('share one budget, and end in a no', () => {
    const decision = decided(many(300), claims);
    expect(decision).toMatchObject({ allow: false, reason: 'no_rule_matched' });
    // The first of them use the budget up; each of the others ends at its first step.
    const problems = decision.trace?.rules.map(({ clauses }) => clauses.at(-1)?.problem);
    expect(problems?.at(-1)).toBe('the evaluation costs too much');
  });
});

describe('a provider without bindings', () => {
  it.each([
    ['left out', {}],
    ['emptied to nothing', { bindings: null }],
  ])('is refused in a role that grants: %s', (_what, more) => {
    const role = readRole(
      { tenant: 'main', file: 'main/publish-web.yaml', text: roleText({ trust: gcp(more) }) },
      wideCeiling(),
    );
    expect(role.ok).toBe(false);
  });

  it('lets nobody in when its list is empty', () => {
    expect(decided(gcp({ bindings: [] }), { sub: 's', aud: AUD }).allow).toBe(false);
  });
});

describe('a job from a person’s own machine', () => {
  it.each([{ runner_environment: 'local' }, { runner_environment: 'Local' }, { sub: 'local:owner:acme@42' }])(
    'is never let in by a cloud’s own document: %j',
    (local) => {
      const token = { sub: 's', aud: AUD };
      expect(decided(gcp(BOUND), token).allow).toBe(true);
      expect(decided(gcp(BOUND), { ...token, ...local }).allow).toBe(false);
    },
  );

  it('is not named by a wildcard', () => {
    const rule = (runner: string): string =>
      JSON.stringify([{ issuer: ISSUER, claims: { owner_id: '42', runner_environment: runner } }]);
    const token = { owner_id: '42', runner_environment: 'local' };
    expect(decided(rule('local'), token).allow).toBe(true);
    expect(decided(rule('*'), token).allow).toBe(false);
    expect(decided(rule('*'), { ...token, runner_environment: 'self-hosted' }).allow).toBe(true);
  });
});
