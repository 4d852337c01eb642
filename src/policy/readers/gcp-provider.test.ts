import { describe, expect, it } from 'vitest';
import { compileTrust } from '../../../test/fakes/compiled-trust.ts';
import type { JsonObject, JsonValue } from '../../base/core/json.ts';
import { compileGcpTrust } from './gcp.ts';

const NAME = 'projects/42/locations/global/workloadIdentityPools/ci-pool/providers/jobpass';
const OIDC = { issuerUri: 'https://ci.example.com' };
const PROVIDER: JsonObject = {
  name: NAME,
  attributeMapping: { 'google.subject': 'assertion.sub' },
  oidc: OIDC,
};
const condition = (attributeCondition: JsonValue, issuerUri = OIDC.issuerUri): JsonObject => ({
  ...PROVIDER,
  attributeCondition,
  oidc: { issuerUri },
});
const mapping = (more: JsonObject): JsonObject => ({
  ...PROVIDER,
  attributeMapping: { 'google.subject': 'assertion.sub', ...more },
});

const problemsOf = (value: JsonValue): readonly string[] => {
  const { trust, problems } = compileTrust(compileGcpTrust, value);
  expect(trust === undefined).toBe(problems.length > 0);
  return problems;
};

const NAME_FORM = 'wanted projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER';
const named = (name: JsonValue): JsonObject => ({ ...PROVIDER, name });
const ID = (what: string): string => `wanted a ${what} id of 4 to 32 of a-z, 0-9 and -`;

describe('a provider that Google would refuse is refused', () => {
  it.each<[string, JsonValue, readonly string[]]>([
    ['no mapping', 7, [': wanted a mapping']],
    ['an unknown key', { ...PROVIDER, attributeConditions: 'x' }, ['attributeConditions: unknown key']],
    ['an unknown key of oidc', { ...PROVIDER, oidc: { ...OIDC, issuer: 'x' } }, ['oidc.issuer: unknown key']],
    ['no name', { ...PROVIDER, name: null }, ['name: wanted text']],
    ['another name', named('providers/x'), [`name: ${NAME_FORM}`]],
    ['a full resource name', named(`//iam.googleapis.com/${NAME}`), [`name: ${NAME_FORM}`]],
    [
      'a project’s id',
      named(NAME.replace('42', 'acme')),
      ['name: wanted the number of the project, not its id: names are by number'],
    ],
    [
      'a region',
      named(NAME.replace('global', 'europe-west1')),
      ['name: wanted the location global: Google has no other'],
    ],
    ['a pool id of 3', named(NAME.replace('ci-pool', 'abc')), [`name: ${ID('pool')}`]],
    ['a pool id of 33', named(NAME.replace('ci-pool', 'a'.repeat(33))), [`name: ${ID('pool')}`]],
    ['a provider id with a capital', named(NAME.replace('jobpass', 'Jobpass')), [`name: ${ID('provider')}`]],
    [
      'a pool id that begins with gcp-',
      named(NAME.replace('ci-pool', 'gcp-pool')),
      ['name: wanted another pool id: the prefix gcp- is reserved for use by Google'],
    ],
    [
      'a provider id that begins with gcp-',
      named(NAME.replace('jobpass', 'gcp-jobs')),
      ['name: wanted another provider id: the prefix gcp- is reserved for use by Google'],
    ],
    [
      'a display name of 33',
      { ...PROVIDER, displayName: 'x'.repeat(33) },
      ['displayName: wanted at most 32 characters, as the cloud does'],
    ],
    [
      'a description of 257',
      { ...PROVIDER, description: 'x'.repeat(257) },
      ['description: wanted at most 256 characters, as the cloud does'],
    ],
    ['an unknown state', { ...PROVIDER, state: 'FROZEN' }, ['state: wanted ACTIVE or DELETED']],
    ['disabled as text', { ...PROVIDER, disabled: 'false' }, ['disabled: wanted true or false']],
    [
      'an AWS provider',
      { ...PROVIDER, oidc: null, aws: { accountId: '1' } },
      ['aws: wanted a provider of kind oidc', 'oidc: wanted a mapping'],
    ],
    ['no issuer', { ...PROVIDER, oidc: {} }, ['oidc.issuerUri: wanted text']],
    [
      'an http issuer',
      condition('true', 'http://ci.example.com'),
      ['oidc.issuerUri: wanted an https URL without query and fragment, as Google does'],
    ],
    [
      'an issuer with a query',
      condition('true', 'https://ci.example.com?x'),
      ['oidc.issuerUri: wanted an https URL without query and fragment, as Google does'],
    ],
    [
      'audiences as text',
      { ...PROVIDER, oidc: { ...OIDC, allowedAudiences: 'x' } },
      ['oidc.allowedAudiences: wanted a list of audiences'],
    ],
    [
      'eleven audiences',
      { ...PROVIDER, oidc: { ...OIDC, allowedAudiences: Array.from({ length: 11 }, (_, at) => `aud-${at}`) } },
      ['oidc.allowedAudiences: wanted at most 10 audiences, as Google does'],
    ],
    [
      'an audience of 257',
      { ...PROVIDER, oidc: { ...OIDC, allowedAudiences: ['x'.repeat(257)] } },
      ['oidc.allowedAudiences[0]: wanted at most 256 characters, as the cloud does'],
    ],
    [
      'an audience of another type',
      { ...PROVIDER, oidc: { ...OIDC, allowedAudiences: [1] } },
      ['oidc.allowedAudiences[0]: wanted text'],
    ],
  ])('%s', (_, value, wanted) => {
    expect(problemsOf(value)).toEqual(wanted);
  });

  it('keeps each bound exactly', () => {
    const audiences = Array.from({ length: 10 }, (_, at) => `${at}`.padEnd(256, 'x'));
    const name = NAME.replace('ci-pool', 'abcd').replace('jobpass', 'a'.repeat(32));
    expect(problemsOf({ ...PROVIDER, name, oidc: { ...OIDC, allowedAudiences: audiences } })).toEqual([]);
  });

  it('an http issuer on a loopback address, unless the ceiling lists that very URL', () => {
    const issuer = 'http://127.0.0.1:8701';
    const document = { provider: condition("assertion.a == 'x'", issuer), bindings: [] };
    const read = (allowedIssuers: readonly string[]): readonly string[] =>
      compileTrust(compileGcpTrust, document, [], allowedIssuers).problems;
    expect(read([issuer])).toEqual([]);
    expect(read(['http://127.0.0.1:8702'])).toHaveLength(1);
    expect(problemsOf(document)).toHaveLength(1);
    const elsewhere = { provider: condition("assertion.a == 'x'", 'http://ci.example.com'), bindings: [] };
    expect(compileTrust(compileGcpTrust, elsewhere, [], ['http://ci.example.com']).problems).toHaveLength(1);
  });

  it('says everything at once, under where it stands', () => {
    const value = { provider: { ...PROVIDER, name: 'x', oidc: {} }, bindings: [7], more: 1, direct: 'yes' };
    expect(compileTrust(compileGcpTrust, value, ['trust', 2, 'gcp']).problems).toEqual([
      'trust[2].gcp.more: unknown key',
      'trust[2].gcp.direct: wanted true or false',
      'trust[2].gcp.bindings[0]: wanted a mapping',
      `trust[2].gcp.provider.name: ${NAME_FORM}`,
      'trust[2].gcp.provider.oidc.issuerUri: wanted text',
    ]);
  });
});

const KEY_FORM =
  "Invalid mapped attribute key. Custom mapped attributes must be in format 'attribute.{custom_attribute}': a-z, 0-9, _, at most 100";

describe('an attribute mapping that Google would refuse is refused', () => {
  it.each<[string, JsonValue, readonly string[]]>([
    ['none', { ...PROVIDER, attributeMapping: null }, ['attributeMapping: google.subject must be mapped']],
    [
      'a list',
      { ...PROVIDER, attributeMapping: [] },
      ['attributeMapping: wanted a mapping of attributes to expressions'],
    ],
    [
      'no google.subject',
      { ...PROVIDER, attributeMapping: { 'attribute.a': 'assertion.a' } },
      ['attributeMapping: google.subject must be mapped'],
    ],
    [
      'an unknown google attribute',
      mapping({ 'google.display_name': 'assertion.sub' }),
      [`attributeMapping["google.display_name"]: ${KEY_FORM}`],
    ],
    ['a bare key', mapping({ repository: 'assertion.repository' }), [`attributeMapping.repository: ${KEY_FORM}`]],
    ['a capital', mapping({ 'attribute.Ref': 'assertion.ref' }), [`attributeMapping["attribute.Ref"]: ${KEY_FORM}`]],
    ['a dash', mapping({ 'attribute.a-b': 'assertion.ref' }), [`attributeMapping["attribute.a-b"]: ${KEY_FORM}`]],
    [
      'an attribute without a name',
      mapping({ 'attribute.': 'assertion.ref' }),
      [`attributeMapping["attribute."]: ${KEY_FORM}`],
    ],
    [
      'fifty-one custom attributes',
      mapping(Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`attribute.a${at}`, 'assertion.a']))),
      ['attributeMapping: wanted at most 50 custom attributes, as Google does'],
    ],
    [
      'an expression of 2,049',
      mapping({ 'attribute.a': `'${'x'.repeat(2047)}'` }),
      ['attributeMapping["attribute.a"]: wanted at most 2048 characters, as the cloud does'],
    ],
    [
      'an empty expression',
      mapping({ 'attribute.a': '' }),
      ['attributeMapping["attribute.a"]: wanted text that is not empty'],
    ],
    ['no text', mapping({ 'attribute.a': 1 }), ['attributeMapping["attribute.a"]: wanted text']],
    ['a null', mapping({ 'attribute.a': null }), ['attributeMapping["attribute.a"]: wanted text']],
    [
      'a prototype’s name',
      { ...PROVIDER, attributeMapping: JSON.parse('{"google.subject":"assertion.sub","__proto__":"x"}') },
      [`attributeMapping.__proto__: ${KEY_FORM}`],
    ],
  ])('%s', (_, value, wanted) => {
    expect(problemsOf(value)).toEqual(wanted);
  });

  it('an attribute’s name of 101 characters', () => {
    expect(problemsOf(mapping({ [`attribute.${'a'.repeat(100)}`]: 'assertion.a' }))).toEqual([]);
    expect(problemsOf(mapping({ [`attribute.${'a'.repeat(101)}`]: 'assertion.a' }))).toHaveLength(1);
  });

  it('fifty custom attributes and an expression of 2,048 are taken', () => {
    const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`attribute.a${at}`, 'assertion.a']));
    expect(problemsOf(mapping({ ...fifty, 'attribute.a0': `'${'x'.repeat(2046)}'` }))).toEqual([]);
  });

  it.each([
    ['what is no CEL', 'assertion.'],
    ['an unknown function', 'assertion.a.reverse()'],
    ['the condition’s variables', 'attribute.a'],
    ['another variable', 'claims.a'],
  ])('an expression with %s', (_, source) => {
    expect(problemsOf(mapping({ 'attribute.a': source }))).toEqual([
      expect.stringMatching(/^attributeMapping\["attribute\.a"\]: .* \(after \d+ characters\)$/),
    ]);
  });

  it.each([
    "assertion.a.extract('x/{v}/')",
    "assertion.a.split('/').join('-')",
    'assertion.a.lowerAscii().upperAscii()',
  ])('but Google’s own functions are known: %s', (source) => {
    expect(problemsOf(mapping({ 'attribute.a': source }))).toEqual([]);
  });
});

describe('an attribute condition', () => {
  it('has at most 4,096 characters', () => {
    const padded = (length: number): string => `assertion.a == '${'x'.repeat(length - 17)}'`;
    expect(problemsOf(condition(padded(4096)))).toEqual([]);
    expect(problemsOf(condition(padded(4097)))).toEqual([
      'attributeCondition: wanted at most 4096 characters, as the cloud does',
    ]);
  });

  it.each([1, [], false])('is text, not %j', (value) => {
    expect(problemsOf(condition(value))).toEqual(['attributeCondition: wanted text']);
  });

  it('is CEL over assertion, google and attribute', () => {
    expect(problemsOf(condition("assertion.a == google.subject && attribute.r != ''"))).toEqual([]);
    expect(problemsOf(condition("claims.a == 'x'"))).toEqual([
      expect.stringMatching(/^attributeCondition: .*\(after \d+ characters\)$/),
    ]);
  });

  const UNBOUND = "attributeCondition: The attribute condition must reference one of the provider's claims";
  it.each(['https://token.actions.githubusercontent.com', 'https://gitlab.com', 'https://app.terraform.io'])(
    'is demanded for %s, whose tokens are everyone’s',
    (issuerUri) => {
      expect(problemsOf({ ...PROVIDER, oidc: { issuerUri } })).toEqual([UNBOUND]);
      expect(problemsOf(condition('', issuerUri))).toEqual([UNBOUND]);
      expect(problemsOf(condition('true', issuerUri))).toEqual([UNBOUND]);
      expect(problemsOf(condition("'assertion.a' == 'assertion.a'", issuerUri))).toEqual([UNBOUND]);
      expect(problemsOf(condition("assertion.repository_owner_id == '42'", issuerUri))).toEqual([]);
      expect(problemsOf(condition("attribute.owner == '42'", issuerUri))).toEqual([]);
    },
  );

  it('is not demanded for an issuer of one’s own', () => {
    expect(problemsOf(PROVIDER)).toEqual([]);
    expect(problemsOf(condition('', 'https://gitlab.example.com'))).toEqual([]);
  });
});
