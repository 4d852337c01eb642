import { describe, expect, it } from 'vitest';
import { trustOf } from '../../../test/fakes/compiled-trust.ts';
import type { ClauseTrace } from '../../base/core/decision.ts';
import type { Claims, JsonObject, JsonValue } from '../../base/core/json.ts';
import { compileGcpTrust } from '../readers/gcp.ts';
import type { Reach, Verdict } from './trust.ts';

const ISSUER = 'https://ci.example.com';
const NAME = 'projects/42/locations/global/workloadIdentityPools/ci-pool/providers/jobpass';
const POOL = 'iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci-pool';
const USER = 'roles/iam.workloadIdentityUser';
const GOOD = { sub: 'owner:acme@42', aud: 'sts', ref: 'refs/heads/main', iat: 1000, exp: 1600 };

const provider = (more: JsonObject = {}): JsonObject => ({
  name: NAME,
  attributeMapping: { 'google.subject': 'assertion.sub', 'attribute.ref': 'assertion.ref' },
  oidc: { issuerUri: ISSUER, allowedAudiences: ['sts'] },
  ...more,
});
const bound = (...members: readonly string[]): JsonObject => ({
  provider: provider(),
  bindings: [{ role: USER, members }],
});
const judge = (document: JsonValue, claims: Claims = GOOD, issuer = ISSUER, reach?: Reach): Verdict =>
  trustOf(compileGcpTrust, document).judge({ issuer, claims, now: 1200 }, reach);
const clauseOf = (verdict: Verdict, subject: string): ClauseTrace | undefined =>
  verdict.rules[0]?.clauses.find((clause) => clause.subject === subject);
const failedOf = (verdict: Verdict): ClauseTrace | undefined => {
  expect(verdict.held).toBe(false);
  return verdict.rules[0]?.clauses.find((clause) => clause.outcome === 'failed');
};

describe('the condition', () => {
  const conditional = (attributeCondition: string): JsonObject => provider({ attributeCondition });

  it.each([
    ["assertion.ref == 'refs/heads/main'", true],
    ["google.subject.startsWith('owner:acme@42')", true],
    ['attribute.ref == assertion.ref', true],
    ["has(assertion.environment) && assertion.environment == 'production'", false],
    ["!has(assertion.environment) || assertion.environment == 'production'", true],
    ["assertion.environment == 'production'", false],
    ["assertion.environment != 'production'", false],
    ["assertion['environment'] == 'production'", false],
    ["'environment' in assertion", false],
    ["attribute.environment == ''", false],
    ["'x' in google.groups", false],
    ['assertion.ref', false],
    ['assertion.iat < 2000', true],
    ["assertion.sub == 'x' || assertion.missing == 'x'", false],
    ["assertion.ref.matches('^refs/heads/(a+)+$')", false],
  ])('%s: %s', (source, held) => {
    expect(judge(conditional(source)).held).toBe(held);
  });

  it('that is false says which part, with what the token has there and a miss in case', () => {
    const source = "assertion.sub == 'owner:acme@42' && assertion.ref == 'refs/heads/Main' && assertion.x == 'y'";
    expect(failedOf(judge(conditional(source)))).toEqual({
      subject: 'condition',
      operator: 'attributeCondition',
      wanted: [source],
      presented: 'refs/heads/main',
      nearMiss: 'case',
      problem: "not so: assertion.ref == 'refs/heads/Main' (unauthorized_client)",
      outcome: 'failed',
      line: 2,
    });
  });

  it.each<[string, string, JsonValue | undefined]>([
    [
      "(assertion.ref == 'a && b' || assertion.sub == 'c')",
      '',
      { 'assertion.ref': GOOD.ref, 'assertion.sub': GOOD.sub },
    ],
    ["assertion.ref != 'assertion.sub' && assertion.sub == '&&'", "assertion.sub == '&&'", GOOD.sub],
    ['has(assertion.environment)', '', undefined],
    ["assertion.ref == 'x' ? true : false && true", '', GOOD.ref],
    ["[assertion.ref].exists(r, r == 'x' && true) && true", "[assertion.ref].exists(r, r == 'x' && true)", GOOD.ref],
  ])('%s is taken apart with care', (source, part, presented) => {
    const failed = failedOf(judge(conditional(source)));
    expect(failed?.problem).toBe(
      part === ''
        ? 'unauthorized_client: rejected by the attribute condition'
        : `not so: ${part} (unauthorized_client)`,
    );
    expect(failed?.presented).toEqual(presented);
  });

  it('that cannot be evaluated is a no with its reason', () => {
    const failed = failedOf(judge(conditional("assertion.environment == 'x'")));
    expect(failed?.problem).toBe('unauthorized_client: there is no field environment');
  });

  it('keeps the bindings from being reached', () => {
    const document = { ...bound(`principalSet://${POOL}/*`), provider: conditional("assertion.ref == 'x'") };
    expect(clauseOf(judge(document), 'bindings')?.outcome).toBe('not_reached');
    const whole = judge(document, GOOD, ISSUER, 'every_clause');
    expect(clauseOf(whole, 'bindings')?.outcome).toBe('held');
    expect(whole.held).toBe(false);
  });
});
