import { describe, expect, it } from 'vitest';
import { trustOf } from '../../../test/fakes/compiled-trust.ts';
import type { ClauseTrace } from '../../base/core/decision.ts';
import type { Claims, JsonValue } from '../../base/core/json.ts';
import { compileAzureTrust } from '../readers/azure.ts';
import type { Verdict } from './trust.ts';

const ISSUER = 'https://token.actions.githubusercontent.com';
const SUBJECT = 'repo:acme/web:ref:refs/heads/main';
const AUDIENCE = 'api://AzureADTokenExchange';
const EXACT = { issuer: ISSUER, subject: SUBJECT };
const GOOD = { aud: AUDIENCE, sub: SUBJECT };

const flexible = (value: string): JsonValue => ({
  issuer: ISSUER,
  subject: null,
  claimsMatchingExpression: { value, languageVersion: 1 },
});
const judge = (document: JsonValue, claims: Claims, issuer = ISSUER): Verdict =>
  trustOf(compileAzureTrust, document).judge({ issuer, claims, now: 1_800_000_000 });
const failedOf = (verdict: Verdict): ClauseTrace | undefined => {
  expect(verdict.held).toBe(false);
  return verdict.rules[0]?.clauses.find((clause) => clause.outcome === 'failed');
};

describe('an exact credential', () => {
  it('lets in its issuer, audience and subject, and shows each', () => {
    const verdict = judge(EXACT, GOOD);
    expect(verdict).toEqual({
      held: true,
      rules: [
        {
          line: 1,
          held: true,
          clauses: [
            { subject: 'issuer', wanted: [ISSUER], presented: ISSUER, outcome: 'held', line: 2 },
            { subject: 'aud', wanted: [AUDIENCE], presented: AUDIENCE, outcome: 'held', line: 2 },
            { subject: 'sub', wanted: [SUBJECT], presented: SUBJECT, outcome: 'held', line: 2 },
          ],
        },
      ],
    });
  });

  it('takes a list of one audience for the audience, and no longer list', () => {
    expect(judge(EXACT, { ...GOOD, aud: [AUDIENCE] }).held).toBe(true);
    expect(failedOf(judge(EXACT, { ...GOOD, aud: [AUDIENCE, 'x'] }))?.subject).toBe('aud');
  });

  it.each<[string, Claims, string, Partial<ClauseTrace>]>([
    [
      'another issuer',
      GOOD,
      'https://ci.example.com',
      { subject: 'issuer', problem: 'AADSTS700211: no credential has the presented issuer' },
    ],
    [
      'an issuer with a trailing slash',
      GOOD,
      `${ISSUER}/`,
      {
        problem:
          'AADSTS700211: no credential has the presented issuer; it differs only in a trailing slash, which Azure minds',
      },
    ],
    ['an issuer of other case', GOOD, ISSUER.replace('token', 'Token'), { subject: 'issuer', nearMiss: 'case' }],
    [
      'another audience',
      { ...GOOD, aud: 'x' },
      ISSUER,
      { subject: 'aud', problem: 'AADSTS700212: no credential has the presented audience' },
    ],
    ['no audience', { sub: SUBJECT }, ISSUER, { subject: 'aud' }],
    [
      'another subject',
      { ...GOOD, sub: 'x' },
      ISSUER,
      { subject: 'sub', problem: 'AADSTS700213: no credential has the presented subject' },
    ],
    ['no subject', { aud: AUDIENCE }, ISSUER, { problem: 'AADSTS700213: the token does not carry the claim' }],
    [
      'a subject of another type',
      { ...GOOD, sub: [SUBJECT] },
      ISSUER,
      { nearMiss: 'type', problem: 'AADSTS700213: the claim is not text' },
    ],
    [
      'a subject of other case',
      { ...GOOD, sub: 'repo:acme/web:ref:refs/heads/Main' },
      ISSUER,
      { nearMiss: 'case', problem: 'AADSTS7002138: the presented value differs only in case, which Azure minds' },
    ],
    ['a subject with space at its end', { ...GOOD, sub: `${SUBJECT} ` }, ISSUER, { nearMiss: 'space' }],
  ])('refuses %s', (_, claims, issuer, wanted) => {
    expect(failedOf(judge(EXACT, claims, issuer))).toMatchObject({ outcome: 'failed', ...wanted });
  });

  it('takes no wildcard for one', () => {
    expect(judge({ ...EXACT, subject: 'repo:acme/*' }, { ...GOOD, sub: 'repo:acme/web' }).held).toBe(false);
    expect(judge({ ...EXACT, subject: 'repo:acme/*' }, { ...GOOD, sub: 'repo:acme/*' }).held).toBe(true);
  });

  it('says what was not reached', () => {
    const { rules } = judge(EXACT, GOOD, 'https://ci.example.com');
    expect(rules[0]?.clauses.map((clause) => clause.outcome)).toEqual(['failed', 'not_reached', 'not_reached']);
    expect(rules[0]?.clauses[2]).not.toHaveProperty('presented');
  });

  it('goes on after a failure when every clause is asked for and the issuer is right', () => {
    const trust = trustOf(compileAzureTrust, EXACT);
    const outcomes = (issuer: string): unknown =>
      trust
        .judge({ issuer, claims: { ...GOOD, aud: 'x' }, now: 0 }, 'every_clause')
        .rules[0]?.clauses.map((clause) => clause.outcome);
    expect(outcomes(ISSUER)).toEqual(['held', 'failed', 'held']);
    expect(outcomes('https://ci.example.com')).toEqual(['failed', 'not_reached', 'not_reached']);
  });

  it('looks at own members only', () => {
    expect(judge({ ...EXACT, subject: 'x' }, Object.create({ sub: 'x', aud: AUDIENCE })).held).toBe(false);
  });
});

describe('a flexible credential', () => {
  it.each([
    ["claims['sub'] eq 'repo:acme/web:ref:refs/heads/main'", true],
    ["claims['sub'] eq 'repo:acme/web:ref:refs/heads/*'", false],
    ["claims['sub'] matches 'repo:acme/web:*'", true],
    ["claims['sub'] matches 'repo:acme/web:ref:refs/heads/????'", true],
    ["claims['sub'] matches 'repo:acme/web:ref:refs/heads/???'", false],
    ["claims['sub'] matches 'repo:acme/web'", false],
    ["claims['sub'] matches 'Repo:acme/*'", false],
    ["claims['sub'] matches '*main' and claims['job_workflow_ref'] eq 'acme/ci/x@main'", true],
    ["claims['sub'] matches '*main' and claims['job_workflow_ref'] eq 'other'", false],
  ])('%s: %s', (expression, held) => {
    expect(judge(flexible(expression), { ...GOOD, job_workflow_ref: 'acme/ci/x@main' }).held).toBe(held);
  });

  it('undoes a doubled quote', () => {
    expect(judge(flexible("claims['sub'] eq 'it''s'"), { ...GOOD, sub: "it's" }).held).toBe(true);
  });

  it('shows its operators, and a miss in case', () => {
    const verdict = judge(flexible("claims['sub'] matches 'repo:Acme/*'"), GOOD);
    expect(failedOf(verdict)).toEqual({
      subject: 'sub',
      operator: 'matches',
      wanted: ['repo:Acme/*'],
      presented: SUBJECT,
      outcome: 'failed',
      nearMiss: 'case',
      problem: 'AADSTS7002138: the presented value differs only in case, which Azure minds',
      line: 3,
    });
  });

  it('wants text, whatever its pattern', () => {
    for (const sub of [1, null, ['x'], {}, true]) {
      expect(judge(flexible("claims['sub'] matches 'x*'"), { ...GOOD, sub }).held).toBe(false);
    }
    expect(judge(flexible("claims['sub'] matches 'x*'"), { aud: AUDIENCE }).held).toBe(false);
  });

  it('takes half a character for none', () => {
    const any = flexible("claims['sub'] matches 'x?'");
    expect(judge(any, { ...GOOD, sub: 'x😀' }).held).toBe(true);
    expect(judge(any, { ...GOOD, sub: 'x\ud83d' }).held).toBe(false);
  });

  it('does not compare a pattern with more than 2,048 characters', () => {
    const any = flexible("claims['sub'] matches 'x*'");
    expect(judge(any, { ...GOOD, sub: 'x'.repeat(2048) }).held).toBe(true);
    expect(failedOf(judge(any, { ...GOOD, sub: 'x'.repeat(2049) }))?.problem).toBe(
      'AADSTS700213: no pattern is compared with more than 2048 characters',
    );
  });
});

describe('a list of credentials', () => {
  const LIST = [{ ...EXACT, issuer: 'https://ci.example.com' }, { ...EXACT, subject: 'other' }, EXACT];

  it('lets in by any one, and shows those before it', () => {
    expect(judge(LIST, GOOD).rules.map((rule) => rule.held)).toEqual([false, false, true]);
  });

  it('never puts one credential’s issuer to another’s subject', () => {
    expect(judge(LIST, { ...GOOD, sub: 'other' }, 'https://ci.example.com').held).toBe(false);
  });

  it('knows its issuers', () => {
    expect(trustOf(compileAzureTrust, LIST).issuers).toEqual(['https://ci.example.com', ISSUER]);
  });
});

describe('whether any token could pass', () => {
  it.each<[string, JsonValue, 'yes' | 'no' | 'unknown']>([
    ['an exact one', EXACT, 'yes'],
    ['one pattern', flexible("claims['sub'] matches 'a*'"), 'yes'],
    ['a text within a pattern', flexible("claims['sub'] matches 'a*' and claims['sub'] eq 'ab'"), 'yes'],
    ['a text outside a pattern', flexible("claims['sub'] matches 'a*' and claims['sub'] eq 'b'"), 'no'],
    ['two texts', flexible("claims['sub'] eq 'a' and claims['sub'] matches 'b'"), 'no'],
    ['two patterns', flexible("claims['sub'] matches 'a*' and claims['sub'] matches '*b'"), 'unknown'],
    ['two claims', flexible("claims['sub'] matches 'a*' and claims['job_workflow_ref'] eq 'b'"), 'yes'],
    [
      'two patterns beside an exact one',
      [flexible("claims['sub'] matches 'a*' and claims['sub'] matches '*b'"), EXACT],
      'yes',
    ],
  ])('%s', (_, document, wanted) => {
    const trust = trustOf(compileAzureTrust, document);
    expect(trust.satisfiable(ISSUER)).toBe(wanted);
    expect(trust.satisfiable('https://other.example.com')).toBe('no');
  });
});

it('judges the costliest pattern within the bounds', () => {
  const expression = `claims['sub'] matches '${'*a'.repeat(290)}b'`;
  const document = Array.from({ length: 20 }, (_, index) => ({
    ...(flexible(`${expression} and claims['job_workflow_ref'] eq '${index}'`) as object),
  }));
  const trust = trustOf(compileAzureTrust, document as JsonValue);
  const token = { issuer: ISSUER, claims: { ...GOOD, sub: 'a'.repeat(2048) }, now: 0 };
  expect(trust.judge(token).held).toBe(false);
});
