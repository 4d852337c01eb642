// What AWS trust policies mean, foot-gun by foot-gun: each is a policy as people write it and the token it meets.
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/base/core/json.ts';
import { compileAwsTrust } from '../../src/policy/readers/aws.ts';
import { detectAwsTrust } from '../../src/policy/readers/aws-detect.ts';
import type { TokenView, Trust, Verdict } from '../../src/policy/trust/trust.ts';

const GITHUB = 'token.actions.githubusercontent.com';
const CI = 'ci.example.com';
const arnOf = (provider: string): string => `arn:aws:iam::111122223333:oidc-provider/${provider}`;
const NOW = 1_795_000_000;

const statement = (condition: JsonValue, more: JsonObject = {}): JsonObject => ({
  Effect: 'Allow',
  Principal: { Federated: arnOf(CI) },
  Action: 'sts:AssumeRoleWithWebIdentity',
  Condition: condition,
  ...more,
});
const policy = (...statements: readonly JsonValue[]): JsonObject => ({ Version: '2012-10-17', Statement: statements });

function compile(value: JsonValue): { trust: Trust | undefined; problems: readonly string[] } {
  const problems: string[] = [];
  const trust = compileAwsTrust(value, {
    report: (path, message, hint) =>
      problems.push(`${path.join('.')}: ${message}${hint === undefined ? '' : ` (${hint})`}`),
    at: [],
    lineOf: (path) => path.length,
  });
  return { trust, problems };
}

function judge(value: JsonValue, claims: JsonObject, more: Partial<TokenView> = {}): Verdict {
  const { trust, problems } = compile(value);
  if (trust === undefined) throw new Error(problems.join('\n'));
  return trust.judge({ issuer: `https://${CI}`, claims, now: NOW, ...more });
}
const holds = (condition: JsonValue, claims: JsonObject, more: Partial<TokenView> = {}): boolean =>
  judge(policy(statement(condition)), claims, more).held;

describe('near misses', () => {
  const github = policy(
    statement(
      {
        StringEquals: {
          [`${GITHUB}:aud`]: 'sts.amazonaws.com',
          [`${GITHUB}:sub`]: 'repo:Acme/web:ref:refs/heads/main',
        },
      },
      { Principal: { Federated: arnOf(GITHUB) } },
    ),
  );
  const asked = (sub: JsonValue): Verdict =>
    judge(github, { aud: 'sts.amazonaws.com', sub }, { issuer: `https://${GITHUB}` });

  it('names the clause that one letter’s case fails', () => {
    const verdict = asked('repo:acme/web:ref:refs/heads/main');
    expect(verdict.held).toBe(false);
    expect(verdict.rules[0]?.clauses.find((clause) => clause.outcome === 'failed')).toEqual({
      subject: `${GITHUB}:sub`,
      operator: 'StringEquals',
      wanted: ['repo:Acme/web:ref:refs/heads/main'],
      presented: 'repo:acme/web:ref:refs/heads/main',
      outcome: 'failed',
      nearMiss: 'case',
      line: 5,
    });
    expect(asked('repo:Acme/web:ref:refs/heads/main').held).toBe(true);
  });

  it('names space at the ends', () => {
    expect(asked('repo:Acme/web:ref:refs/heads/main ').rules[0]?.clauses.at(-1)?.nearMiss).toBe('space');
  });

  it('names a type: text operators compare text', () => {
    const verdict = judge(policy(statement({ StringEquals: { [`${CI}:run`]: '42' } })), { run: 42 });
    expect(verdict.rules[0]?.clauses.at(-1)).toMatchObject({
      outcome: 'failed',
      nearMiss: 'type',
      problem: expect.stringContaining('type'),
    });
  });

  it('names the case of an issuer', () => {
    const verdict = judge(
      policy(statement({}, { Principal: { Federated: arnOf('ci.example.com/Acme') } })),
      {},
      { issuer: 'https://ci.example.com/acme' },
    );
    expect(verdict.rules[0]?.clauses[0]).toMatchObject({ subject: 'issuer', outcome: 'failed', nearMiss: 'case' });
    expect(verdict.rules[0]?.clauses[1]?.outcome).toBe('not_reached');
  });
});

describe('missing keys', () => {
  it.each([
    ['StringEquals', false],
    ['StringNotEquals', true],
    ['StringLike', false],
    ['StringNotLike', true],
    ['NumericNotEquals', true],
    ['NotIpAddress', true],
    ['StringEqualsIfExists', true],
    ['ForAnyValue:StringEquals', false],
    ['ForAnyValue:StringNotEquals', false],
    ['ForAllValues:StringEquals', true],
    ['ForAnyValue:StringLikeIfExists', true],
  ])('%s on a claim that the token does not carry: %s', (operator, expected) => {
    const value = operator === 'NotIpAddress' ? '10.0.0.0/8' : '1';
    expect(holds({ [operator]: { [`${CI}:x`]: value } }, {})).toBe(expected);
    expect(holds({ [operator]: { [`${CI}:x`]: value } }, { x: [] })).toBe(expected);
  });

  it('is true under ForAllValues, which Null:false repairs', () => {
    const all = { 'ForAllValues:StringEquals': { [`${CI}:groups`]: ['deploy'] } };
    expect(holds(all, {})).toBe(true);
    expect(holds({ ...all, Null: { [`${CI}:groups`]: 'false' } }, {})).toBe(false);
    expect(holds({ ...all, Null: { [`${CI}:groups`]: 'false' } }, { groups: ['deploy'] })).toBe(true);
  });

  it('is not what a key is that only AWS knows: that is unknown, and allows nothing', () => {
    const region = { StringNotEquals: { 'aws:RequestedRegion': 'us-east-1' } };
    expect(holds(region, {})).toBe(false);
    const denied = policy(statement({}), statement(region, { Effect: 'Deny' }));
    expect(judge(denied, {}).held).toBe(false);
    expect(judge(denied, {}).rules[1]?.clauses.at(-1)).toMatchObject({ outcome: 'held', problem: expect.any(String) });
  });

  it('is not what the address and the session name are where nobody told them', () => {
    expect(holds({ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, {})).toBe(false);
    expect(holds({ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, {}, { sourceAddress: '192.0.2.1' })).toBe(true);
    expect(holds({ StringNotLike: { 'sts:RoleSessionName': 'x*' } }, {})).toBe(false);
  });
});

describe('several values', () => {
  it('are alternatives under a positive operator and all refused under a negated one', () => {
    const list = ['refs/heads/a', 'refs/heads/b'];
    expect(holds({ StringEquals: { [`${CI}:ref`]: list } }, { ref: 'refs/heads/b' })).toBe(true);
    expect(holds({ StringNotEquals: { [`${CI}:ref`]: list } }, { ref: 'refs/heads/b' })).toBe(false);
  });

  it('under two operators on one key must satisfy both', () => {
    const both = { StringLike: { [`${CI}:ref`]: 'refs/heads/*' }, StringNotLike: { [`${CI}:ref`]: '*/tmp-*' } };
    expect(holds(both, { ref: 'refs/heads/x' })).toBe(true);
    expect(holds(both, { ref: 'refs/heads/tmp-x' })).toBe(false);
  });

  it('of amr are a multi-valued key', () => {
    expect(holds({ 'ForAnyValue:StringEquals': { [`${CI}:amr`]: 'mfa' } }, { amr: ['pwd', 'mfa'] })).toBe(true);
    expect(holds({ 'ForAllValues:StringEquals': { [`${CI}:amr`]: 'mfa' } }, { amr: ['pwd', 'mfa'] })).toBe(false);
  });
});

describe('texts', () => {
  it('of StringEquals take a star literally', () => {
    expect(holds({ StringEquals: { [`${CI}:sub`]: 'repo:acme/*' } }, { sub: 'repo:acme/web' })).toBe(false);
  });

  it('of StringLike let a star cross : and /, so that an open prefix takes in strangers', () => {
    expect(holds({ StringLike: { [`${CI}:sub`]: 'repo:acme*' } }, { sub: 'repo:acme-evil/x:ref:y' })).toBe(true);
  });

  it('never read a star of the presented value as a wildcard', () => {
    expect(holds({ StringEquals: { [`${CI}:sub`]: 'repo:acme/web' } }, { sub: 'repo:acme/*' })).toBe(false);
    const tagged = { StringLike: { [`${CI}:ref`]: `refs/heads/\${aws:RequestTag/team}` } };
    const claims = { ref: 'refs/heads/main', 'https://aws.amazon.com/tags': { principal_tags: { team: ['*'] } } };
    const both = { Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] };
    // `*` is no character of a tag: the token is refused before.
    expect(judge(policy(statement(tagged, both)), claims).held).toBe(false);
    expect(holds({ StringLike: { [`${CI}:ref`]: `\${${CI}:sub}` } }, { ref: 'main', sub: '*' })).toBe(false);
  });

  it('have variables under Version 2012-10-17 only', () => {
    const condition = { StringEquals: { [`${CI}:ref`]: `\${${CI}:sub}` } };
    const old = { ...policy(statement(condition)), Version: '2008-10-17' };
    expect(judge(policy(statement(condition)), { ref: 'a', sub: 'a' }).held).toBe(true);
    expect(judge(old, { ref: 'a', sub: 'a' }).held).toBe(false);
    expect(judge(old, { ref: `\${${CI}:sub}`, sub: 'a' }).held).toBe(true);
  });

  it('with a variable that has no value allow nothing and deny', () => {
    const condition = { StringNotEquals: { [`${CI}:ref`]: `\${aws:RequestTag/team}` } };
    expect(holds(condition, { ref: 'a' })).toBe(false);
    expect(judge(policy(statement({}), statement(condition, { Effect: 'Deny' })), { ref: 'a' }).held).toBe(false);
    const defaulted = { StringEquals: { [`${CI}:ref`]: `\${aws:RequestTag/team, 'a'}` } };
    expect(holds(defaulted, { ref: 'a' })).toBe(true);
  });

  it('ignore the case of key names, not of values', () => {
    expect(holds({ StringEquals: { 'CI.EXAMPLE.COM:SUB': 'a' } }, { sub: 'a' })).toBe(true);
    expect(holds({ StringEquals: { [`${CI}:sub`]: 'A' } }, { sub: 'a' })).toBe(false);
    expect(holds({ StringEqualsIgnoreCase: { [`${CI}:sub`]: 'A' } }, { sub: 'a' })).toBe(true);
  });

  it('fold only ASCII: a Kelvin sign is neither k nor surely another letter', () => {
    expect(holds({ StringEqualsIgnoreCase: { [`${CI}:sub`]: 'k' } }, { sub: '\u212a' })).toBe(false);
    expect(holds({ StringNotEqualsIgnoreCase: { [`${CI}:sub`]: 'k' } }, { sub: '\u212a' })).toBe(false);
  });
});

describe('typed values', () => {
  it('tell ids above 2^53 apart', () => {
    expect(holds({ NumericEquals: { [`${CI}:id`]: '9007199254740993' } }, { id: '9007199254740992' })).toBe(false);
  });

  it('see a v4 address in its v6 form', () => {
    const inside = { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } };
    expect(holds(inside, {}, { sourceAddress: '::ffff:10.1.2.3' })).toBe(true);
    expect(holds({ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, {}, { sourceAddress: '::ffff:a01:203' })).toBe(
      false,
    );
  });

  it('keep the wildcards of an ARN in their part', () => {
    expect(holds({ ArnLike: { [`${CI}:arn`]: 'arn:aws:s3:::*' } }, { arn: 'arn:aws:s3:::a:b' })).toBe(true);
    expect(holds({ ArnLike: { [`${CI}:arn`]: 'arn:aws:*:::b' } }, { arn: 'arn:aws:s3:eu:1:b' })).toBe(false);
  });

  it.each<[string, boolean]>([
    ['42', true],
    ['1970-01-01T00:00:42Z', true],
    ['1970-01-01T01:00:42+01:00', true],
    // A year or seconds: nobody can say which.
    ['2026', false],
    ['1970-02-30', false],
  ])('read %s as a date: %s', (value, expected) => {
    expect(holds({ DateLessThan: { [`${CI}:at`]: '2030-01-01' } }, { at: value })).toBe(expected);
  });

  it('compare the clock', () => {
    expect(holds({ DateLessThan: { 'aws:CurrentTime': '2030-01-01T00:00:00Z' } }, {})).toBe(true);
    expect(holds({ NumericLessThan: { 'aws:EpochTime': String(NOW) } }, {})).toBe(false);
  });
});

describe('principals and audiences', () => {
  it('meet a token of their issuer, path and trailing slash included, and no other', () => {
    const trust = policy(statement({}, { Principal: { Federated: [arnOf('a.example.com/x/'), arnOf(CI)] } }));
    expect(judge(trust, {}, { issuer: 'https://a.example.com/x/' }).held).toBe(true);
    expect(judge(trust, {}, { issuer: 'https://a.example.com/x' }).held).toBe(false);
    expect(judge(trust, {}, { issuer: 'http://ci.example.com' }).held).toBe(false);
    expect(compile(trust).trust?.issuers).toEqual(['https://a.example.com/x/', `https://${CI}`]);
  });

  it('stand for http on a loopback address, unless the tenant may trust only the other', () => {
    const value = policy(statement({}, { Principal: { Federated: arnOf('127.0.0.1:9443/ci') } }));
    expect(compile(value).trust?.issuers).toEqual(['https://127.0.0.1:9443/ci', 'http://127.0.0.1:9443/ci']);
    const narrowed = compileAwsTrust(value, {
      report: () => {},
      at: [],
      lineOf: () => 1,
      allowedIssuers: ['http://127.0.0.1:9443/ci'],
    });
    expect(narrowed?.issuers).toEqual(['http://127.0.0.1:9443/ci']);
  });

  it('of services and accounts are read and let no web identity in, not even with a star', () => {
    for (const Principal of [{ Service: 'ec2.amazonaws.com' }, { AWS: '*' }, { AWS: '111122223333' }]) {
      expect(judge(policy(statement({}, { Principal, Action: 'sts:*' })), {}).held).toBe(false);
    }
  });

  it('azp takes the place of aud, which becomes oaud', () => {
    const condition = { StringEquals: { [`${CI}:aud`]: 'client', [`${CI}:oaud`]: 'sts' } };
    expect(holds(condition, { aud: 'sts', azp: 'client' })).toBe(true);
    expect(holds(condition, { aud: 'client', oaud: 'sts' })).toBe(false);
  });

  it('a claim in two spellings is no claim at all', () => {
    expect(holds({ StringEquals: { [`${CI}:ref`]: 'main' } }, { ref: 'main', Ref: 'other' })).toBe(false);
    expect(holds({ StringNotEquals: { [`${CI}:ref`]: 'x' } }, { ref: 'main', Ref: 'other' })).toBe(false);
  });

  it('a claim cannot pass for a key of AWS', () => {
    expect(holds({ StringEquals: { 'aws:RequestTag/team': 'x' } }, { 'aws:RequestTag/team': 'x' })).toBe(false);
  });
});

describe('effects and actions', () => {
  it.each(['first', 'last'])('Deny beats Allow when it stands %s', (where) => {
    const deny = statement({ StringEquals: { [`${CI}:ref`]: 'x' } }, { Effect: 'Deny' });
    const all = where === 'first' ? policy(deny, statement({})) : policy(statement({}), deny);
    expect(judge(all, { ref: 'x' }).held).toBe(false);
    expect(judge(all, { ref: 'y' }).held).toBe(true);
  });

  it('a Deny for everybody meets web identities too', () => {
    const all = policy(statement({}), { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:*' });
    expect(judge(all, {}).held).toBe(false);
  });

  const tagged = {
    'https://aws.amazon.com/tags': { principal_tags: { team: ['web'] }, transitive_tag_keys: ['team'] },
  };

  it('a token with tags needs sts:TagSession, from whichever statement', () => {
    expect(judge(policy(statement({})), tagged)).toMatchObject({ held: false });
    const more = statement({ StringEquals: { 'aws:RequestTag/team': 'web' } }, { Action: 'sts:TagSession' });
    const verdict = judge(policy(statement({}), more), tagged);
    expect(verdict).toMatchObject({
      held: true,
      attributes: { tags: { team: 'web' }, transitiveTagKeys: ['team'], sourceIdentity: null },
    });
    expect(judge(policy(statement({}), more), {})).toMatchObject({ held: true, attributes: { tags: {} } });
  });

  it('a token with tags in the flattened form gives the same attributes', () => {
    const flat = {
      'https://aws.amazon.com/tags/principal_tags/team': 'web',
      'https://aws.amazon.com/tags/transitive_tag_keys': ['team'],
    };
    const verdict = judge(policy(statement({}, { Action: 'sts:*' })), flat);
    expect(verdict.attributes).toEqual({ tags: { team: 'web' }, transitiveTagKeys: ['team'], sourceIdentity: null });
  });

  it('a token with a source identity needs sts:SetSourceIdentity', () => {
    const claims = { 'https://aws.amazon.com/source_identity': 'ci-42' };
    const refused = judge(policy(statement({})), claims);
    expect(refused.held).toBe(false);
    expect(refused.rules.at(-1)?.clauses[0]?.problem).toContain('sts:SetSourceIdentity');
    const both = { Action: ['sts:AssumeRoleWithWebIdentity', 'sts:SetSourceIdentity'] };
    const condition = { StringLike: { 'sts:SourceIdentity': 'ci-*' } };
    expect(judge(policy(statement(condition, both)), claims).attributes?.sourceIdentity).toBe('ci-42');
  });

  it.each<[string, JsonObject]>([
    ['two values of one tag', { 'https://aws.amazon.com/tags': { principal_tags: { a: ['x', 'y'] } } }],
    ['keys that differ in case', { 'https://aws.amazon.com/tags': { principal_tags: { a: ['x'], A: ['y'] } } }],
    [
      '51 tags',
      {
        'https://aws.amazon.com/tags': {
          principal_tags: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, ['v']])),
        },
      },
    ],
    ['a key of 129 characters', { 'https://aws.amazon.com/tags': { principal_tags: { ['k'.repeat(129)]: ['v'] } } }],
    ['a value of 257 characters', { 'https://aws.amazon.com/tags': { principal_tags: { k: ['v'.repeat(257)] } } }],
    ['a key of AWS', { 'https://aws.amazon.com/tags': { principal_tags: { 'aws:x': ['v'] } } }],
    [
      'a transitive key without its tag',
      { 'https://aws.amazon.com/tags': { principal_tags: {}, transitive_tag_keys: ['x'] } },
    ],
    ['both forms', { 'https://aws.amazon.com/tags': {}, 'https://aws.amazon.com/tags/principal_tags/a': 'x' }],
    ['a source identity of one character', { 'https://aws.amazon.com/source_identity': 'x' }],
    ['a source identity that is no text', { 'https://aws.amazon.com/source_identity': ['abc'] }],
  ])('a token with %s is refused', (_, claims) => {
    const verdict = judge(policy(statement({}, { Action: 'sts:*' })), claims);
    expect(verdict.held).toBe(false);
    expect(verdict.rules.at(-1)?.clauses[0]).toMatchObject({ outcome: 'failed', problem: expect.any(String) });
  });
});

describe('could any token pass', () => {
  const satisfiable = (value: JsonValue, issuer = `https://${CI}`): string | undefined =>
    compile(value).trust?.satisfiable(issuer);

  it.each<[string, JsonValue, string]>([
    ['a condition that names its subject', { StringEquals: { [`${CI}:sub`]: 'a' } }, 'yes'],
    ['a pattern', { StringLike: { [`${CI}:sub`]: 'repo:acme/*' } }, 'yes'],
    [
      'two different subjects at once',
      { StringEquals: { [`${CI}:sub`]: 'a' }, StringLike: { [`${CI}:sub`]: 'b*' } },
      'no',
    ],
    [
      'a subject that is excluded again',
      { StringEquals: { [`${CI}:sub`]: 'a' }, StringNotLike: { [`${CI}:sub`]: '*' } },
      'no',
    ],
    [
      'a claim that must be there and must not',
      { StringEquals: { [`${CI}:ref`]: 'a' }, Null: { [`${CI}:ref`]: 'true' } },
      'no',
    ],
    ['a key of another provider', { StringEquals: { 'gitlab.com:sub': 'a' } }, 'no'],
    ['the issuer as a claim', { StringEquals: { [`${CI}:iss`]: CI } }, 'no'],
    ['its provider by a variable', { StringNotEquals: { 'aws:FederatedProvider': `\${aws:RequestTag/x}` } }, 'unknown'],
    ['the issuer by a variable', { StringEquals: { [`${CI}:iss`]: `\${${CI}:url}` } }, 'unknown'],
    ['another provider', { StringEquals: { 'aws:FederatedProvider': arnOf('other.example.com') } }, 'no'],
    ['the time of day', { DateLessThan: { 'aws:CurrentTime': '2030-01-01' } }, 'unknown'],
    [
      'two patterns that may overlap',
      { StringLike: { [`${CI}:sub`]: '*a' }, 'ForAnyValue:StringLike': { [`${CI}:sub`]: 'b*' } },
      'unknown',
    ],
  ])('%s', (_, condition, expected) => {
    expect(satisfiable(policy(statement(condition)))).toBe(expected);
  });

  it('of an issuer that the policy does not name: no', () => {
    expect(satisfiable(policy(statement({})), 'https://other.example.com')).toBe('no');
  });

  it('with a Deny without conditions: no', () => {
    expect(satisfiable(policy(statement({}), { ...statement({}), Effect: 'Deny' }))).toBe('no');
  });
});

describe('what AWS refuses at save is refused at load, in its words', () => {
  const without = (name: string): JsonValue =>
    Object.fromEntries(Object.entries(statement({})).filter(([key]) => key !== name));
  it.each<[string, JsonValue, string]>([
    [
      'no statement',
      { Version: '2012-10-17', Statement: [] },
      'Statement: MalformedPolicyDocument: Could not parse the policy: Statement is empty!',
    ],
    [
      'an unknown version',
      { ...policy(statement({})), Version: '2012-10-18' },
      'Version: MalformedPolicyDocument: The policy must contain a valid version string',
    ],
    ['Resource', policy(statement({}, { Resource: '*' })), 'Has prohibited field Resource'],
    [
      'NotPrincipal',
      policy({ ...(without('Principal') as JsonObject), NotPrincipal: { AWS: '*' } }),
      'AssumeRole policy must not contain NotPrincipal field.',
    ],
    [
      'NotAction',
      policy({ ...(without('Action') as JsonObject), NotAction: 'sts:x' }),
      'Has prohibited field NotAction',
    ],
    ['no Principal', policy(without('Principal')), 'Missing required field Principal'],
    ['no Action', policy(without('Action')), 'Missing required field Action'],
    ['no Effect', policy(without('Effect')), 'Missing required field Effect'],
    ['an effect in lower case', policy(statement({}, { Effect: 'allow' })), 'Invalid effect: allow'],
    ['a principal that is a text', policy(statement({}, { Principal: '*' })), 'Principal must be a JSON object.'],
    [
      'a federated star',
      policy(statement({}, { Principal: { Federated: '*' } })),
      'Invalid principal in policy: "FEDERATED":"*"',
    ],
    [
      'a provider with its scheme',
      policy(statement({}, { Principal: { Federated: arnOf('https://ci.example.com') } })),
      'Invalid principal in policy',
    ],
    [
      'another action',
      policy(statement({}, { Action: 's3:GetObject' })),
      'AssumeRole policy may only specify STS AssumeRole actions.',
    ],
    [
      'every action',
      policy(statement({}, { Action: '*' })),
      'AssumeRole policy may only specify STS AssumeRole actions.',
    ],
    [
      'an unknown operator',
      policy(statement({ StringEqual: { [`${CI}:sub`]: 'a' } })),
      'Invalid Condition type : StringEqual (StringEquals)',
    ],
    [
      'NullIfExists',
      policy(statement({ NullIfExists: { [`${CI}:sub`]: 'true' } })),
      'Invalid Condition type : NullIfExists',
    ],
    ['a number that is none', policy(statement({ NumericEquals: { [`${CI}:x`]: 'many' } })), 'wanted a number'],
    [
      'the thirtieth of February',
      policy(statement({ DateLessThan: { 'aws:CurrentTime': '2026-02-30' } })),
      'wanted a date',
    ],
    [
      'a range that is none',
      policy(statement({ IpAddress: { 'aws:SourceIp': '10.0.0.0/33' } })),
      'wanted an IP address',
    ],
    ['a broken variable', policy(statement({ StringLike: { [`${CI}:sub`]: `\${aws:RequestTag/x` } })), 'wanted $'],
    [
      'an unknown key of AWS',
      policy(statement({ StringEquals: { 'aws:SourceIpp': 'x' } })),
      'nearest known one is aws:SourceIp',
    ],
    [
      'one key in two cases',
      policy(statement({ StringEquals: { [`${CI}:sub`]: 'a', [`${CI}:SUB`]: 'b' } })),
      'the same key stands here in another case',
    ],
    ['no value', policy(statement({ StringEquals: { [`${CI}:sub`]: [] } })), 'wanted at least one value'],
    ['an operator without keys', policy(statement({ StringEquals: {} })), 'wanted at least one key'],
    [
      'two statements of one name',
      policy(statement({}, { Sid: 'A' }), statement({}, { Sid: 'A' })),
      'The Statement Ids in the policy are not unique',
    ],
    ['an unknown field', policy(statement({}, { Conditions: {} })), 'Unknown field Conditions (Condition)'],
    [
      'more than 2,048 characters',
      policy(statement({ StringEquals: { [`${CI}:sub`]: 'x'.repeat(2000) } })),
      'LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048',
    ],
  ])('%s', (_, value, message) => {
    const { trust, problems } = compile(value);
    expect(trust).toBeUndefined();
    expect(problems.join('\n')).toContain(message);
  });

  it('all problems at once, each under its path', () => {
    const { problems } = compile(
      policy(statement({ StringEqual: {} }, { Effect: 'No', Action: ['sts:AssumeRole', 's3:*'] })),
    );
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'Statement.0.Effect',
      'Statement.0.Action.1',
      'Statement.0.Condition.StringEqual',
    ]);
  });
});

describe('a shared issuer', () => {
  const trusting = (condition: JsonValue, provider = GITHUB): readonly string[] =>
    compile(policy(statement(condition, { Principal: { Federated: arnOf(provider) } }))).problems;
  const audience = { [`${GITHUB}:aud`]: 'sts.amazonaws.com' };

  it.each<[string, JsonValue]>([
    ['only an audience', { StringEquals: audience }],
    ['a subject of wildcards alone', { StringEquals: audience, StringLike: { [`${GITHUB}:sub`]: '*' } }],
    ['a bare star among the subjects', { StringLike: { [`${GITHUB}:sub`]: ['repo:acme/*', '?*'] } }],
    ['only an excluded subject', { StringNotLike: { [`${GITHUB}:sub`]: 'repo:evil/*' } }],
    ['only the presence of a subject', { Null: { [`${GITHUB}:sub`]: 'false' } }],
    ['no condition at all', {}],
  ])('is not trusted with %s', (_, condition) => {
    expect(trusting(condition).join()).toContain(
      `without a condition that limits it to one tenant (add a condition on ${GITHUB}:sub)`,
    );
  });

  it.each<[string, JsonValue]>([
    ['a subject', { StringLike: { [`${GITHUB}:sub`]: 'repo:acme/*' } }],
    ['a repository id', { StringEquals: { [`${GITHUB}:repository_id`]: '42' } }],
    ['what people paste under ForAllValues', { 'ForAllValues:StringLike': { [`${GITHUB}:sub`]: 'repo:acme/*' } }],
  ])('is trusted with %s', (_, condition) => {
    expect(trusting(condition)).toEqual([]);
  });

  it('is each of those that AWS lists, and not a CI of one’s own', () => {
    for (const provider of ['gitlab.com', 'agent.buildkite.com', 'app.terraform.io', 'oidc.vercel.com']) {
      expect(trusting({}, provider)).toHaveLength(1);
    }
    expect(trusting({}, CI)).toEqual([]);
  });
});

describe('what AWS’s tools print', () => {
  const value = policy(statement({}));
  it.each<[string, JsonValue, readonly string[]]>([
    ['the document', value, []],
    [
      'aws iam get-role',
      { Role: { RoleName: 'x', AssumeRolePolicyDocument: value } },
      ['Role', 'AssumeRolePolicyDocument'],
    ],
    [
      'the IAM API, URL-encoded',
      { Role: { AssumeRolePolicyDocument: encodeURIComponent(JSON.stringify(value)) } },
      ['Role', 'AssumeRolePolicyDocument'],
    ],
    ['a text', JSON.stringify(value), []],
  ])('%s', (_, printed, at) => {
    expect(detectAwsTrust(printed)).toEqual({ document: value, at });
  });

  it.each<[string, JsonValue]>([
    ['several roles', { Roles: [{ AssumeRolePolicyDocument: value }, { AssumeRolePolicyDocument: value }] }],
    ['a broken escape', '%7B%'],
    ['a text that is no document', '{"a":1}'],
    ['nothing of the kind', { role: 'x' }],
    ['duplicate names', '{"Statement":[],"Statement":[]}'],
  ])('finds none in %s', (_, printed) => {
    expect(detectAwsTrust(printed)).toBeUndefined();
  });
});
