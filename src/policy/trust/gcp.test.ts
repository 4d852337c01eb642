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
const mapped = (more: JsonObject): JsonObject =>
  provider({ attributeMapping: { 'google.subject': 'assertion.sub', ...more } });
const judge = (document: JsonValue, claims: Claims = GOOD, issuer = ISSUER, reach?: Reach): Verdict =>
  trustOf(compileGcpTrust, document).judge({ issuer, claims, now: 1200 }, reach);
const clauseOf = (verdict: Verdict, subject: string): ClauseTrace | undefined =>
  verdict.rules[0]?.clauses.find((clause) => clause.subject === subject);
const failedOf = (verdict: Verdict): ClauseTrace | undefined => {
  expect(verdict.held).toBe(false);
  return verdict.rules[0]?.clauses.find((clause) => clause.outcome === 'failed');
};

describe('a provider with bindings', () => {
  it('lets in by issuer, audience, mapping, condition and member, and shows each', () => {
    const member = `principalSet://${POOL}/attribute.ref/refs/heads/main`;
    const verdict = judge({
      provider: provider({ attributeCondition: "assertion.ref == 'refs/heads/main'" }),
      bindings: [{ role: USER, members: ['user:ann@example.com', member] }],
    });
    const subject = `principal://${POOL}/subject/owner:acme@42`;
    expect(verdict).toEqual({
      held: true,
      rules: [
        {
          line: 1,
          held: true,
          clauses: [
            { subject: 'issuer', wanted: [ISSUER], presented: ISSUER, outcome: 'held', line: 4 },
            { subject: 'aud', wanted: ['sts'], presented: 'sts', outcome: 'held', line: 4 },
            {
              subject: 'google.subject',
              operator: 'attributeMapping',
              wanted: ['assertion.sub'],
              presented: 'owner:acme@42',
              outcome: 'held',
              line: 4,
            },
            {
              subject: 'attribute.ref',
              operator: 'attributeMapping',
              wanted: ['assertion.ref'],
              presented: 'refs/heads/main',
              outcome: 'held',
              line: 4,
            },
            {
              subject: 'condition',
              operator: 'attributeCondition',
              wanted: ["assertion.ref == 'refs/heads/main'"],
              outcome: 'held',
              line: 3,
            },
            {
              subject: 'bindings',
              operator: USER,
              wanted: [member],
              presented: [subject, member],
              outcome: 'held',
              line: 2,
            },
          ],
        },
      ],
    });
  });

  it('lets everyone in that the condition lets in when there are no bindings, and says so', () => {
    expect(clauseOf(judge(provider()), 'bindings')).toEqual({
      subject: 'bindings',
      wanted: [`principalSet://${POOL}/* (no bindings given: everyone it lets in)`],
      presented: `principal://${POOL}/subject/owner:acme@42`,
      outcome: 'held',
      line: 1,
    });
  });

  it('lets nobody in by an empty policy', () => {
    expect(judge({ provider: provider(), bindings: [] }).held).toBe(false);
    expect(judge({ provider: provider(), bindings: { etag: 'ACAB' } }).held).toBe(false);
  });
});

describe('issuer and state', () => {
  it.each<[string, string, ClauseTrace['nearMiss']]>([
    ['another issuer', 'https://other.example.com', undefined],
    ['a trailing slash', `${ISSUER}/`, undefined],
    ['other case', 'https://CI.example.com', 'case'],
  ])('%s is refused and nothing else is looked at', (_, issuer, nearMiss) => {
    for (const reach of ['first_failure', 'every_clause'] as const) {
      const verdict = judge(provider({ attributeCondition: 'true' }), GOOD, issuer, reach);
      expect(failedOf(verdict)?.nearMiss).toBe(nearMiss);
      expect(verdict.rules[0]?.clauses.map((clause) => clause.outcome)).toEqual([
        'failed',
        ...Array.from({ length: 5 }, () => 'not_reached'),
      ]);
    }
  });

  it.each([
    [{ disabled: true }, 'invalid_target: the provider is disabled'],
    [{ state: 'DELETED' }, 'invalid_target: the provider is deleted'],
  ])('a provider with %j takes no token', (more, problem) => {
    expect(failedOf(judge(provider(more)))).toMatchObject({ subject: 'provider', problem });
    expect(trustOf(compileGcpTrust, provider(more)).satisfiable(ISSUER)).toBe('no');
  });
});

describe('the audience', () => {
  const nameless = provider({ oidc: { issuerUri: ISSUER } });
  it.each<[JsonValue, JsonValue, boolean]>([
    [provider(), 'sts', true],
    [provider(), ['sts'], true],
    [provider(), ['sts', 'other'], false],
    [provider(), 'Sts', false],
    [provider(), `//iam.googleapis.com/${NAME}`, false],
    [nameless, `//iam.googleapis.com/${NAME}`, true],
    [nameless, `https://iam.googleapis.com/${NAME}`, true],
    [nameless, `http://iam.googleapis.com/${NAME}`, false],
    [nameless, `iam.googleapis.com/${NAME}`, false],
    [nameless, 'sts', false],
    [provider({ oidc: { issuerUri: ISSUER, allowedAudiences: [] } }), `//iam.googleapis.com/${NAME}`, true],
  ])('of %j may be %j: %s', (document, aud, held) => {
    expect(judge(document, { ...GOOD, aud }).held).toBe(held);
  });

  it('names a miss in case, and an absent one', () => {
    expect(failedOf(judge(provider(), { ...GOOD, aud: 'STS' }))).toMatchObject({ subject: 'aud', nearMiss: 'case' });
    const { aud: _, ...none } = GOOD;
    expect(failedOf(judge(provider(), none))).not.toHaveProperty('presented');
  });
});

describe('the lifetime', () => {
  it.each([
    [24 * 3600 - 1, true],
    [24 * 3600, false],
  ])('of %d seconds: %s', (seconds, held) => {
    expect(judge(provider(), { ...GOOD, exp: GOOD.iat + seconds }).held).toBe(held);
  });

  it('is not asked for where a dry run leaves it out', () => {
    const { iat: _iat, exp: _exp, ...rest } = GOOD;
    expect(judge(provider(), rest).held).toBe(true);
  });
});

describe('the mapping', () => {
  it.each<[string, JsonObject, Claims, string, string]>([
    ['a missing claim', {}, { aud: 'sts' }, 'google.subject', 'there is no field sub'],
    [
      'a missing claim of a custom attribute',
      { 'attribute.x': 'assertion.x' },
      GOOD,
      'attribute.x',
      'there is no field x',
    ],
    [
      'a subject that is no text',
      {},
      { ...GOOD, sub: 7 },
      'google.subject',
      "The mapped attribute 'google.subject' must be of type STRING.",
    ],
    [
      'an attribute that is no text',
      { 'attribute.x': 'assertion.ref == "x"' },
      GOOD,
      'attribute.x',
      "The mapped attribute 'attribute.x' must be of type STRING.",
    ],
    [
      'an attribute that is a list',
      { 'attribute.x': '[assertion.ref]' },
      GOOD,
      'attribute.x',
      "The mapped attribute 'attribute.x' must be of type STRING.",
    ],
    [
      'groups that are text',
      { 'google.groups': 'assertion.ref' },
      GOOD,
      'google.groups',
      "The mapped attribute 'google.groups' must be of type LIST of STRING.",
    ],
    [
      'groups of numbers',
      { 'google.groups': '[1]' },
      GOOD,
      'google.groups',
      "The mapped attribute 'google.groups' must be of type LIST of STRING.",
    ],
    ['an empty subject', {}, { ...GOOD, sub: '' }, 'google.subject', 'The mapped attribute google.subject is empty.'],
    [
      'a subject of 128 bytes',
      {},
      { ...GOOD, sub: 'é'.repeat(64) },
      'google.subject',
      'The size of mapped attribute google.subject exceeds the 127 bytes limit.',
    ],
    [
      'more than 8 KB',
      { 'attribute.x': 'assertion.ref' },
      { ...GOOD, ref: 'x'.repeat(8200) },
      'attributeMapping',
      'The mapped attributes are too large.',
    ],
  ])('refuses %s', (_, more, claims, subject, problem) => {
    const failed = failedOf(judge(mapped(more), claims));
    expect(failed?.subject).toBe(subject);
    expect(failed?.problem).toContain('invalid_grant: ');
    expect(failed?.problem).toContain(problem);
  });

  it('takes a subject of 127 bytes', () => {
    expect(judge(provider(), { ...GOOD, sub: 'x'.repeat(127) }).held).toBe(true);
  });

  it('counts names and values into the 8 KB', () => {
    const document = mapped({ 'attribute.x': 'assertion.ref' });
    const rest = 'google.subject'.length + 'attribute.x'.length + GOOD.sub.length;
    const judged = (bytes: number): boolean => judge(document, { ...GOOD, ref: 'x'.repeat(bytes - rest) }).held;
    expect([judged(8192), judged(8193)]).toEqual([true, false]);
  });

  it('stops at the first failure, unless every clause is asked for', () => {
    const document = mapped({ 'attribute.x': 'assertion.x', 'attribute.y': 'assertion.ref' });
    const outcomes = (reach: Reach): unknown =>
      judge(document, GOOD, ISSUER, reach)
        .rules[0]?.clauses.slice(2)
        .map((clause) => clause.outcome);
    expect(outcomes('first_failure')).toEqual(['held', 'failed', 'not_reached', 'not_reached']);
    expect(outcomes('every_clause')).toEqual(['held', 'failed', 'held', 'not_reached']);
  });

  it.each([
    ["assertion.ref.extract('refs/heads/{branch}')", 'main'],
    ["assertion.sub.extract('owner:{name}@')", 'acme'],
    ["assertion.sub.extract('project:{name}@')", ''],
    ["assertion.ref.split('/')[2]", 'main'],
    ["assertion.ref.startsWith('refs/tags/') ? 'tag' : 'branch'", 'branch'],
  ])('%s gives %j', (source, value) => {
    expect(clauseOf(judge(mapped({ 'attribute.x': source })), 'attribute.x')?.presented).toBe(value);
  });
});
