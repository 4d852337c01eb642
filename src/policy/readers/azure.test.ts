import { describe, expect, it } from 'vitest';
import { compileTrust } from '../../../test/fakes/compiled-trust.ts';
import type { JsonObject, JsonValue } from '../../base/core/json.ts';
import { compileAzureTrust, detectAzure } from './azure.ts';

const GITHUB = 'https://token.actions.githubusercontent.com';
const EXACT = { name: 'main', issuer: GITHUB, subject: 'repo:acme/web:ref:refs/heads/main' };
const flexible = (value: JsonValue, more: JsonObject = {}): JsonObject => ({
  name: 'any-branch',
  issuer: GITHUB,
  subject: null,
  claimsMatchingExpression: { value, languageVersion: 1 },
  ...more,
});
const MATCHES = "claims['sub'] matches 'repo:acme/web:*'";

const problemsOf = (value: JsonValue): readonly string[] => {
  const { trust, problems } = compileTrust(compileAzureTrust, value);
  expect(trust === undefined).toBe(problems.length > 0);
  return problems;
};

describe('what Azure’s own tools print is read unchanged', () => {
  const APPLICATION = {
    audiences: ['api://AzureADTokenExchange'],
    description: null,
    id: '00000000-0000-0000-0000-000000000001',
    issuer: GITHUB,
    name: 'main',
    subject: 'repo:acme/web:ref:refs/heads/main',
  };

  it.each<[string, JsonValue]>([
    ['az ad app federated-credential show', APPLICATION],
    ['az, of a credential made without a description', { ...APPLICATION, description: '' }],
    ['az ad app federated-credential list', [APPLICATION, { ...APPLICATION, name: 'dev', subject: 'x' }]],
    [
      'az identity federated-credential list',
      [{ ...APPLICATION, resourceGroup: 'ci', systemData: null, type: 'Microsoft.ManagedIdentity/…' }],
    ],
    [
      'Microsoft Graph',
      { '@odata.context': 'https://graph.microsoft.com/beta/$metadata', value: [flexible(MATCHES), APPLICATION] },
    ],
    ['a role file', { issuer: GITHUB, subject: 'x', audiences: ['api://AzureADTokenExchange'] }],
  ])('%s', (_, value) => {
    expect(problemsOf(value)).toEqual([]);
    expect(detectAzure(value)).toBe(value);
  });

  it.each<[string, JsonValue]>([
    ['another document', { Statement: [], Version: '2012-10-17' }],
    ['an empty list', []],
    ['a list with something else in it', [EXACT, {}]],
    ['text', 'issuer'],
  ])('%s is not taken for it', (_, value) => {
    expect(detectAzure(value)).toBeUndefined();
  });
});

describe('a credential that Azure would refuse is refused', () => {
  it.each<[string, JsonValue, readonly string[]]>([
    ['no mapping', 7, [': wanted a mapping']],
    ['an unknown key', { ...EXACT, subjects: [] }, ['subjects: unknown key']],
    ['an inherited name', JSON.parse('{"issuer":"i","subject":"s","__proto__":{}}'), ['__proto__: unknown key']],
    ['no issuer', { subject: 's' }, ['issuer: wanted text']],
    ['an issuer of another type', { ...EXACT, issuer: 1 }, ['issuer: wanted text']],
    ['an empty issuer', { ...EXACT, issuer: '' }, ['issuer: wanted text that is not empty']],
    [
      'an issuer of 601',
      { ...EXACT, issuer: 'i'.repeat(601) },
      ['issuer: wanted at most 600 characters, as the cloud does'],
    ],
    ['no subject', { issuer: GITHUB }, ['subject: wanted text']],
    ['an empty subject', { ...EXACT, subject: '' }, ['subject: wanted text that is not empty']],
    [
      'a subject of 601',
      { ...EXACT, subject: 's'.repeat(601) },
      ['subject: wanted at most 600 characters, as the cloud does'],
    ],
    ['a name of 2', { ...EXACT, name: 'ab' }, ['name: wanted 3 to 120 of A-Z, a-z, 0-9, _ and -']],
    ['a name of 121', { ...EXACT, name: 'a'.repeat(121) }, ['name: wanted 3 to 120 of A-Z, a-z, 0-9, _ and -']],
    ['a name with a dot', { ...EXACT, name: 'a.b' }, ['name: wanted 3 to 120 of A-Z, a-z, 0-9, _ and -']],
    ['no audience', { ...EXACT, audiences: [] }, ['audiences: wanted a list of exactly one audience, as Azure does']],
    [
      'two audiences',
      { ...EXACT, audiences: ['a', 'b'] },
      ['audiences: wanted a list of exactly one audience, as Azure does'],
    ],
    [
      'audiences as text',
      { ...EXACT, audiences: 'a' },
      ['audiences: wanted a list of exactly one audience, as Azure does'],
    ],
    [
      'an audience of 601',
      { ...EXACT, audiences: ['a'.repeat(601)] },
      ['audiences[0]: wanted at most 600 characters, as the cloud does'],
    ],
    ['an audience of another type', { ...EXACT, audiences: [null] }, ['audiences[0]: wanted text']],
    ['half a character', { ...EXACT, subject: '\ud800' }, ['subject: wanted whole characters']],
    [
      'everything at once',
      { name: '!', issuer: 1, subject: '', audiences: [], more: 1 },
      [
        'more: unknown key',
        'name: wanted 3 to 120 of A-Z, a-z, 0-9, _ and -',
        'issuer: wanted text',
        'audiences: wanted a list of exactly one audience, as Azure does',
        'subject: wanted text that is not empty',
      ],
    ],
  ])('%s', (_, value, wanted) => {
    expect(problemsOf(value)).toEqual(wanted);
  });

  it('keeps each bound exactly', () => {
    const long = 'x'.repeat(600);
    expect(problemsOf({ name: 'a'.repeat(120), issuer: long, subject: long, audiences: [long] })).toEqual([]);
    expect(problemsOf({ ...EXACT, name: 'a_-' })).toEqual([]);
  });
});

describe('the credentials of one application', () => {
  const numbered = (count: number): readonly JsonObject[] =>
    Array.from({ length: count }, (_, index) => ({ ...EXACT, name: `name-${index}`, subject: `s${index}` }));

  it('may be 20 and no more', () => {
    expect(problemsOf(numbered(20))).toEqual([]);
    expect(problemsOf(numbered(21))).toEqual([': wanted at most 20 credentials: Azure allows an application no more']);
  });

  it('must be at least one', () => {
    expect(problemsOf([])).toEqual([': wanted at least one credential']);
    expect(problemsOf({ value: [] })).toEqual(['value: wanted at least one credential']);
  });

  it('have issuer and subject, or issuer and expression, once', () => {
    const message = 'the combination of issuer and subject must be unique on the application';
    expect(problemsOf([EXACT, { ...EXACT, name: 'other' }])).toEqual([`[1]: ${message}`]);
    expect(problemsOf([flexible(MATCHES), flexible(MATCHES, { name: 'other' })])).toEqual([`[1]: ${message}`]);
    expect(problemsOf([EXACT, { ...EXACT, name: 'other', subject: 'Repo' }])).toEqual([]);
  });

  it('have each name once', () => {
    expect(problemsOf([EXACT, { ...EXACT, subject: 'x' }])).toEqual([
      '[1].name: wanted another name: an earlier credential has it',
    ]);
  });

  it('are all read even when one is broken, and none of them counts then', () => {
    expect(problemsOf({ value: [EXACT, { ...EXACT, name: 'b', subject: 'x' }, 7], more: 1 })).toEqual([
      'more: unknown key',
      'value[1].name: wanted 3 to 120 of A-Z, a-z, 0-9, _ and -',
      'value[2]: wanted a mapping',
    ]);
  });
});

describe('a flexible credential', () => {
  it.each([
    ['GitHub', GITHUB, "claims['job_workflow_ref'] matches 'acme/ci/*' and claims['sub'] eq 'repo:acme/web:x'"],
    ['GitLab', 'https://gitlab.com', MATCHES],
    ['a GitLab of one’s own', 'https://gitlab.example.com', MATCHES],
    ['a Canadian one', 'https://gitlab.example.ca', MATCHES],
    ['Terraform Cloud', 'https://app.terraform.io', MATCHES],
    ['Terraform Cloud in Europe', 'https://app.eu.terraform.io', MATCHES],
  ])('is read for %s', (_, issuer, expression) => {
    expect(problemsOf(flexible(expression, { issuer }))).toEqual([]);
  });

  it.each([
    ['GitHub of an enterprise', `${GITHUB}/acme`],
    ['a look-alike', 'https://gitlab.com.example.org'],
    ['an unknown one', 'https://ci.example.com'],
    ['a trailing slash', 'https://gitlab.com/'],
  ])('is refused for %s', (_, issuer) => {
    expect(problemsOf(flexible(MATCHES, { issuer }))).toEqual([
      'claimsMatchingExpression.value: wanted a subject: Azure takes expressions only for GitHub, GitLab and Terraform Cloud',
    ]);
  });

  const FORM = "claims['name'] eq 'text' or claims['name'] matches 'text'";
  it.each([
    ['nothing', 'x', `wanted ${FORM} (after 0 characters)`],
    [
      'or',
      `${MATCHES} or ${MATCHES}`,
      'Azure knows no or: wanted and, or a credential of its own for each case (after 39 characters)',
    ],
    ['not', `not ${MATCHES}`, `Azure knows no not: wanted ${FORM} (after 0 characters)`],
    [
      'another operator',
      "claims['sub'] startsWith 'x'",
      'Azure knows only the operators eq and matches (after 0 characters)',
    ],
    [
      'an operator in capitals',
      "claims['sub'] EQ 'x'",
      'Azure knows only the operators eq and matches (after 0 characters)',
    ],
    ['two spaces', "claims['sub']  eq 'x'", 'wanted exactly one space around the operator (after 0 characters)'],
    ['double quotes', 'claims["sub"] eq "x"', `wanted ${FORM} (after 0 characters)`],
    ['no end', "claims['sub'] eq 'x", `wanted ${FORM} (after 0 characters)`],
    [
      'a bare quote',
      "claims['sub'] eq 'it's'",
      "wanted the end, or one space, and, and one space; a quote within quotes is written '' (after 21 characters)",
    ],
    [
      'a full stop',
      `${MATCHES}.`,
      "wanted the end, or one space, and, and one space; a quote within quotes is written '' (after 39 characters)",
    ],
    ['a dangling and', `${MATCHES} and `, `wanted ${FORM} (after 44 characters)`],
    ['an empty literal', "claims['sub'] eq ''", 'wanted literals that are not empty'],
    ['a literal of 601', `claims['sub'] eq '${'x'.repeat(601)}'`, 'wanted literals of at most 600 characters'],
    ['another claim', "claims['repository'] eq 'x'", 'of this issuer Azure compares only sub and job_workflow_ref'],
    [
      'an expression of 2,049',
      `claims['sub'] eq '${'x'.repeat(2049 - 19)}'`,
      'wanted at most 2048 characters (after 2048 characters)',
    ],
  ])('is refused with %s', (_, expression, message) => {
    expect(problemsOf(flexible(expression))).toEqual([`claimsMatchingExpression.value: ${message}`]);
  });

  it('may name only the subject outside GitHub', () => {
    expect(problemsOf(flexible("claims['job_workflow_ref'] eq 'x'", { issuer: 'https://gitlab.com' }))).toEqual([
      'claimsMatchingExpression.value: of this issuer Azure compares only sub',
    ]);
  });

  it.each([2, '1', 1.5, true, null])('wants language version 1, not %j', (languageVersion) => {
    expect(problemsOf(flexible(MATCHES, { claimsMatchingExpression: { value: MATCHES, languageVersion } }))).toEqual([
      'claimsMatchingExpression.languageVersion: wanted 1',
    ]);
  });

  it('has no subject besides', () => {
    expect(problemsOf(flexible(MATCHES, { subject: 'x' }))).toEqual([
      'subject: wanted null: Azure takes subject or claimsMatchingExpression, not both',
    ]);
  });

  it('does not stand on a managed identity', () => {
    expect(problemsOf(flexible(MATCHES, { type: 'Microsoft.ManagedIdentity/…' }))).toEqual([
      'claimsMatchingExpression: wanted a subject: Azure takes expressions on applications only, not on managed identities',
    ]);
  });

  it('has no other keys in its expression', () => {
    const claimsMatchingExpression = { value: MATCHES, languageVersion: 1, language: 'x' };
    expect(problemsOf(flexible(MATCHES, { claimsMatchingExpression }))).toEqual([
      'claimsMatchingExpression.language: unknown key',
    ]);
    expect(problemsOf(flexible(MATCHES, { claimsMatchingExpression: [] }))).toEqual([
      'claimsMatchingExpression: wanted a mapping',
    ]);
  });
});
