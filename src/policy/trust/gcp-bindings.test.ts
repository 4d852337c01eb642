import { describe, expect, it } from 'vitest';
import { trustOf } from '../../../test/fakes/compiled-trust.ts';
import type { ClauseTrace } from '../../base/core/decision.ts';
import type { JsonObject, JsonValue } from '../../base/core/json.ts';
import { compileGcpTrust } from '../readers/gcp.ts';
import type { Verdict } from './trust.ts';

const ISSUER = 'https://ci.example.com';
const NAME = 'projects/42/locations/global/workloadIdentityPools/ci-pool/providers/jobpass';
const POOL = 'iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci-pool';
const USER = 'roles/iam.workloadIdentityUser';
const TOKEN = { issuer: ISSUER, claims: { sub: 'owner:acme@42', aud: 'sts', ref: 'refs/heads/main' }, now: 1200 };

const provider = (more: JsonObject = {}): JsonObject => ({
  name: NAME,
  attributeMapping: { 'google.subject': 'assertion.sub', 'attribute.ref': 'assertion.ref' },
  oidc: { issuerUri: ISSUER, allowedAudiences: ['sts'] },
  ...more,
});
const mapped = (more: JsonObject): JsonObject =>
  provider({ attributeMapping: { 'google.subject': 'assertion.sub', ...more } });
const bound = (...members: readonly string[]): JsonObject => ({
  provider: provider(),
  bindings: [{ role: USER, members }],
});
const judge = (document: JsonValue): Verdict => trustOf(compileGcpTrust, document).judge(TOKEN);
const clauseOf = (verdict: Verdict, subject: string): ClauseTrace | undefined =>
  verdict.rules[0]?.clauses.find((clause) => clause.subject === subject);
const failedOf = (verdict: Verdict): ClauseTrace | undefined => {
  expect(verdict.held).toBe(false);
  return verdict.rules[0]?.clauses.find((clause) => clause.outcome === 'failed');
};

describe('members', () => {
  it.each([
    [`principal://${POOL}/subject/owner:acme@42`, true],
    [`principal://${POOL}/subject/owner:acme@4`, false],
    [`principal://${POOL}/subject/*`, false],
    [`principalSet://${POOL}/*`, true],
    [`principalSet://${POOL}/attribute.ref/refs/heads/main`, true],
    [`principalSet://${POOL}/attribute.ref/refs/heads`, false],
    [`principalSet://${POOL}/attribute.sub/owner:acme@42`, false],
    [`principalSet://${POOL}/group/owner:acme@42`, false],
    [`principalSet://${POOL.replace('ci-pool', 'other')}/*`, false],
    [`principalSet://${POOL.replace('42', '43')}/*`, false],
    ['serviceAccount:owner:acme@42', false],
  ])('%s: %s', (member, held) => {
    expect(judge(bound(member)).held).toBe(held);
  });

  it('match any one group', () => {
    const document = {
      provider: mapped({ 'google.groups': "['ops', 'ci']" }),
      bindings: [{ role: USER, members: [`principalSet://${POOL}/group/ci`] }],
    };
    expect(judge(document).held).toBe(true);
  });

  it('count only with the role that lets them act as the service account, unless the bindings are a resource’s own', () => {
    const bindings = [{ role: 'roles/storage.objectViewer', members: [`principalSet://${POOL}/*`] }];
    const failed = failedOf(judge({ provider: provider(), bindings }));
    expect(failed?.problem).toMatch(/^roles\/storage\.objectViewer lets nobody act as the service account/);
    expect(judge({ provider: provider(), bindings, direct: true }).held).toBe(true);
    expect(clauseOf(judge({ provider: provider(), bindings, direct: true }), 'bindings')).not.toHaveProperty(
      'operator',
    );
  });

  it.each([
    [`principal://${POOL}/subject/Owner:acme@42`, 'case', "Permission 'iam.serviceAccounts.getAccessToken' denied"],
    [`principal://${POOL}/subject/owner:acme@42 `, 'space', "Permission 'iam.serviceAccounts.getAccessToken' denied"],
    [`principalSet://${POOL.replace('ci-pool', 'other')}/*`, undefined, 'every member is of another pool'],
    [
      `principalSet://${POOL}/attribute.repo/x`,
      undefined,
      'no token matches attribute.repo: the provider does not map it',
    ],
  ])('%s misses by %s: %s', (member, nearMiss, problem) => {
    const failed = failedOf(judge(bound(member)));
    expect(failed).toMatchObject({ subject: 'bindings', problem });
    expect(failed?.nearMiss).toBe(nearMiss);
  });

  it('a name of the prototype is an attribute like any other', () => {
    const document = {
      provider: mapped({ 'attribute.__proto__': 'assertion.ref', 'attribute.constructor': "'c'" }),
      bindings: [{ role: USER, members: [`principalSet://${POOL}/attribute.__proto__/refs/heads/main`] }],
    };
    expect(judge(document).held).toBe(true);
    expect(judge(provider({ attributeCondition: 'has(attribute.constructor)' })).held).toBe(false);
  });
});

describe('whether any token could pass', () => {
  it.each<[string, JsonValue, 'yes' | 'no' | 'unknown']>([
    ['plain claims, no condition', provider(), 'yes'],
    ['plain claims and a member', bound(`principalSet://${POOL}/attribute.ref/x`), 'yes'],
    ['a condition', provider({ attributeCondition: "assertion.ref == 'x'" }), 'unknown'],
    ['a condition that is always false', provider({ attributeCondition: "'a' == 'b'" }), 'no'],
    ['a condition that is always an error', provider({ attributeCondition: '1 / 0 == 1' }), 'no'],
    ['a computed subject', provider({ attributeMapping: { 'google.subject': "'x' + assertion.sub" } }), 'unknown'],
    ['a subject that is a number', provider({ attributeMapping: { 'google.subject': 'assertion.iat' } }), 'unknown'],
    ['no members', { provider: provider(), bindings: [] }, 'no'],
    ['members of another pool', bound(`principalSet://${POOL.replace('ci-pool', 'other')}/*`), 'no'],
    ['an attribute that is not mapped', bound(`principalSet://${POOL}/attribute.repo/x`), 'no'],
    ['a subject that does not fit', bound(`principal://${POOL}/subject/${'x'.repeat(128)}`), 'no'],
    ['an attribute that barely fits', bound(`principalSet://${POOL}/attribute.ref/${'x'.repeat(128)}`), 'unknown'],
  ])('%s', (_, document, wanted) => {
    const trust = trustOf(compileGcpTrust, document);
    expect(trust.satisfiable(ISSUER)).toBe(wanted);
    expect(trust.satisfiable('https://other.example.com')).toBe('no');
    expect(trust.issuers).toEqual([ISSUER]);
  });
});
