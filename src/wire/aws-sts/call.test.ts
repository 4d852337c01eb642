// Requests of AWS's query protocol: what is read, what is refused, and with which code a client hears of it.
import { describe, expect, test } from 'vitest';
import { decodeAwsCall } from './call.ts';
import type { AwsCode } from './fault.ts';

const ARN = 'arn:aws:iam::111122223333:role/deploy';
const WHOLE: Readonly<Record<string, string>> = {
  Action: 'AssumeRoleWithWebIdentity',
  Version: '2011-06-15',
  RoleArn: ARN,
  RoleSessionName: 'job-1',
  WebIdentityToken: 'a.b.c',
};

type Changes = Readonly<Record<string, string | null>>;

const bodyOf = (changes: Changes): string => {
  const entries = Object.entries({ ...WHOLE, ...changes });
  return new URLSearchParams(entries.filter((entry): entry is [string, string] => entry[1] !== null)).toString();
};

interface Sent {
  readonly body?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const decode = ({ body = bodyOf({}), headers = {}, query = '' }: Sent) =>
  decodeAwsCall({
    query,
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', ...headers },
    body: new TextEncoder().encode(body),
  });

const bend = (changes: Changes) => decode({ body: bodyOf(changes) });

const refusalOf = (decoded: ReturnType<typeof decode>) => {
  if (decoded.ok) throw new Error(`was read: ${JSON.stringify(decoded.value)}`);
  const { failure, fault } = decoded.error;
  expect(failure.detail).toBe(fault.message);
  return { code: fault.code, status: fault.status, message: fault.message, reason: failure.reason };
};

const CALL = {
  action: 'AssumeRoleWithWebIdentity',
  roleArn: ARN,
  sessionName: 'job-1',
  token: 'a.b.c',
  askedSeconds: 3600,
  policy: null,
  policyArns: [],
};

describe('AssumeRoleWithWebIdentity', () => {
  test('is read with its defaults', () => {
    expect(bend({})).toEqual({ ok: true, value: CALL });
  });

  test('is read with everything that it may carry', () => {
    const read = 'arn:aws:iam::111122223333:policy/ReadOnly';
    const write = 'arn:aws:iam::aws:policy/WriteOnly';
    const changes = {
      DurationSeconds: '900',
      Policy: '{"Statement":[]}\n',
      'PolicyArns.member.2.arn': write,
      'PolicyArns.member.1.arn': read,
    };
    const value = { ...CALL, askedSeconds: 900, policy: '{"Statement":[]}\n', policyArns: [read, write] };
    expect(bend(changes)).toEqual({ ok: true, value });
    expect(bend({ PolicyArns: '' })).toEqual({ ok: true, value: CALL });
  });

  test('loses the white space at the end of its token, and nothing else', () => {
    expect(bend({ WebIdentityToken: 'a.b.c \t\r\n' })).toEqual({ ok: true, value: CALL });
    expect(bend({ WebIdentityToken: ' a.b.c' })).toEqual({ ok: true, value: { ...CALL, token: ' a.b.c' } });
  });

  test.each(['arn:aws:iam::111122223333:role/a', 'arn:aws:iam::111122223333:role/teams/web/deploy+=,.@-_'])(
    'may name %s',
    (RoleArn) => {
      expect(bend({ RoleArn })).toMatchObject({ ok: true, value: { roleArn: RoleArn } });
    },
  );

  test.each([
    ['the shortest duration', { DurationSeconds: '900' }, 900],
    ['the longest duration', { DurationSeconds: '43200' }, 43_200],
    ['a duration with a sign', { DurationSeconds: '+900' }, 900],
    ['a duration with leading zeros', { DurationSeconds: '0900' }, 900],
  ])('may ask for %s', (_what, changes, askedSeconds) => {
    expect(bend(changes)).toMatchObject({ ok: true, value: { askedSeconds } });
  });

  test.each(['ab', 'a'.repeat(64), 'botocore-session-1800000000', 'Az09_+=,.@-'])('may call its session %s', (name) => {
    expect(bend({ RoleSessionName: name })).toMatchObject({ ok: true, value: { sessionName: name } });
  });

  test.each<[string, Changes, string]>([
    ['no role', { RoleArn: null }, "Value null at 'roleArn' failed to satisfy constraint: Member must not be null"],
    ['a role too short', { RoleArn: 'not-an-arn' }, at('roleArn', 'have length greater than or equal to 20')],
    ['a role too long', { RoleArn: ARN.padEnd(2049, 'a') }, at('roleArn', 'have length less than or equal to 2048')],
    ['a role with a control character', { RoleArn: `${ARN}\u0000` }, at('roleArn', pattern('[\\u0009'))],
    ['no session name', { RoleSessionName: null }, "Value null at 'roleSessionName'"],
    ['a session name too short', { RoleSessionName: 'a' }, at('roleSessionName', 'have length greater than')],
    ['a session name too long', { RoleSessionName: 'a'.repeat(65) }, at('roleSessionName', 'have length less than')],
    ['a space in the session name', { RoleSessionName: 'a b' }, at('roleSessionName', pattern('[\\w+=,.@-]*'))],
    ['a slash in the session name', { RoleSessionName: 'a/b' }, at('roleSessionName', pattern('['))],
    ['markup in the session name', { RoleSessionName: '<a>&b' }, at('roleSessionName', pattern('['))],
    ['a letter beyond ASCII in it', { RoleSessionName: 'ábc' }, at('roleSessionName', pattern('['))],
    ['a line end in it', { RoleSessionName: 'abc\n' }, at('roleSessionName', pattern('['))],
    ['no token', { WebIdentityToken: null }, "Value null at 'webIdentityToken'"],
    ['a token of white space', { WebIdentityToken: ' \n \r\n' }, at('webIdentityToken', 'have length greater than')],
    ['a token too long', { WebIdentityToken: 'a'.repeat(20_001) }, at('webIdentityToken', 'have length less than')],
    [
      'a token of spaces and a sign',
      { WebIdentityToken: `${' '.repeat(120_000)}x` },
      at('webIdentityToken', 'have length less than'),
    ],
    ['an empty policy', { Policy: '' }, at('policy', 'have length greater than or equal to 1')],
    ['a policy too long', { Policy: 'a'.repeat(2049) }, at('policy', 'have length less than or equal to 2048')],
    ['a policy beyond Latin-1', { Policy: '{"a":"€"}' }, at('policy', pattern('[\\u0009'))],
    ['a named policy too short', { 'PolicyArns.member.1.arn': 'x' }, at('policyArns.1.member.arn', 'have length')],
    ['eleven named policies', named(11), at('policyArns', 'have length less than or equal to 10')],
    [
      'too short a duration',
      { DurationSeconds: '899' },
      at('durationSeconds', 'have value greater than or equal to 900'),
    ],
    [
      'too long a duration',
      { DurationSeconds: '43201' },
      at('durationSeconds', 'have value less than or equal to 43200'),
    ],
    ['a negative duration', { DurationSeconds: '-1' }, at('durationSeconds', 'have value greater than')],
  ])('is refused with %s', (_what, changes, problem) => {
    const refused = refusalOf(bend(changes));
    expect(refused).toMatchObject({ code: 'ValidationError', status: 400, reason: 'request_malformed' });
    expect(refused.message).toMatch(/^\d+ validation errors? detected: /);
    expect(refused.message).toContain(problem);
  });

  test('is told every problem at once, and none of its values', () => {
    const { message } = refusalOf(bend({ RoleArn: 'secret', RoleSessionName: 's e c r e t', DurationSeconds: '1' }));
    expect(message).toBe(
      "3 validation errors detected: Value at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20; " +
        "Value at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*; " +
        "Value at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    );
  });

  test.each([
    'arn:aws:iam::111122223333:user/deploy',
    'arn:aws:iam::11112222333:role/deploy-web',
    'arn:aws:sts::111122223333:role/deploy',
    'arn:aws-cn:iam::111122223333:role/deploy',
    'arn:evil:iam::111122223333:role/deploy',
    'arn:aws:iam:eu-1:111122223333:role/deploy',
    'arn:aws:iam::111122223333:role/',
    'arn:aws:iam::111122223333:role//deploy',
    'arn:aws:iam::111122223333:role/deploy/',
    'arn:aws:iam::111122223333:role/deploy\n',
    'arn:aws:iam::111122223333:role/de*',
    'ARN:aws:iam::111122223333:role/deploy',
  ])('is refused for %j, which is no role', (RoleArn) => {
    const refused = {
      code: 'ValidationError',
      message: 'RoleArn is not the ARN of an IAM role',
      reason: 'target_malformed',
    };
    expect(refusalOf(bend({ RoleArn }))).toMatchObject(refused);
  });

  test.each<[string, Changes, AwsCode]>([
    ['a provider', { ProviderId: 'www.amazon.com' }, 'ValidationError'],
    ['a parameter of another action', { 'Tags.member.1.Key': 'team' }, 'ValidationError'],
    ['a parameter that nobody knows', { 'a<b': '1' }, 'ValidationError'],
    ['a signature of an older protocol', { AWSAccessKeyId: 'AKIA' }, 'ValidationError'],
    ['a list that is none', { PolicyArns: 'x' }, 'MalformedInput'],
    ['a list with a gap', { 'PolicyArns.member.2.arn': 'arn:aws:iam::aws:policy/x' }, 'MalformedInput'],
    ['a list numbered from 0', { 'PolicyArns.member.0.arn': 'arn:aws:iam::aws:policy/x' }, 'ValidationError'],
    ['a number with a zero before it', { 'PolicyArns.member.01.arn': 'arn:aws:iam::aws:policy/x' }, 'ValidationError'],
    ['an empty duration', { DurationSeconds: '' }, 'MalformedInput'],
    ['half a second', { DurationSeconds: '900.5' }, 'MalformedInput'],
    ['an exponent', { DurationSeconds: '1e3' }, 'MalformedInput'],
    ['a hexadecimal duration', { DurationSeconds: '0x400' }, 'MalformedInput'],
    ['a duration with a space', { DurationSeconds: ' 900' }, 'MalformedInput'],
    ['a duration beyond 32 bits', { DurationSeconds: '2147483648' }, 'MalformedInput'],
  ])('is refused with %s', (_what, changes, code) => {
    expect(refusalOf(bend(changes))).toMatchObject({ code, status: 400, reason: 'request_malformed' });
  });

  test('names an unknown parameter only when it is a plain word', () => {
    expect(refusalOf(bend({ ExternalId: 'x' })).message).toMatch(/^ExternalId is not a parameter/);
    expect(refusalOf(bend({ '<b>': 'x' })).message).toMatch(/^One parameter is not a parameter/);
  });

  test.each([
    ['a signature', { authorization: 'AWS4-HMAC-SHA256 Credential=ASIA' }],
    ['client credentials', { authorization: 'Basic YTpi' }],
    ['a session token', { 'x-amz-security-token': 'a.b.c' }],
  ])('is refused when %s comes with it', (_what, headers) => {
    expect(refusalOf(decode({ headers }))).toMatchObject({
      code: 'AccessDenied',
      status: 403,
      reason: 'chaining_refused',
    });
  });
});

describe('GetCallerIdentity', () => {
  const body = 'Action=GetCallerIdentity&Version=2011-06-15';

  test('is read, signed or not', () => {
    expect(decode({ body })).toEqual({ ok: true, value: { action: 'GetCallerIdentity' } });
    expect(decode({ body, headers: { authorization: 'AWS4-HMAC-SHA256 x' } }).ok).toBe(true);
  });

  test('has no parameters', () => {
    expect(refusalOf(decode({ body: `${body}&Signature=x` }))).toMatchObject({ code: 'ValidationError', status: 400 });
  });
});

describe('a request', () => {
  test.each<[string, Sent]>([
    ['a JSON body', { headers: { 'content-type': 'application/json' } }],
    ['an XML body', { headers: { 'content-type': 'text/xml' }, body: '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///">]>' }],
    ['no media type', { headers: { 'content-type': '' } }],
    ['a media type that begins so', { headers: { 'content-type': 'application/x-www-form-urlencoded-not' } }],
    ['parameters in its URL', { query: 'Action=GetCallerIdentity' }],
    ['the same parameter in URL and body', { query: 'RoleSessionName=job-1' }],
    ['a broken escape', { body: `${bodyOf({})}&Policy=%zz` }],
    ['broken UTF-8', { body: `${bodyOf({})}&Policy=%ff` }],
    ['a pair without a name', { body: `${bodyOf({})}&=x` }],
    ['more parameters than any call has', { body: Array.from({ length: 101 }, (_, i) => `a${i}=1`).join('&') }],
    ...Object.keys(WHOLE).map((name): [string, Sent] => [`${name} twice`, { body: `${bodyOf({})}&${name}=x` }]),
    ['an unknown parameter twice', { body: `${bodyOf({})}&x=1&x=1` }],
  ])('is refused with %s', (_what, sent) => {
    expect(refusalOf(decode(sent))).toMatchObject({ code: 'MalformedInput', status: 400, reason: 'request_malformed' });
  });

  test.each<[string, Changes, AwsCode, string]>([
    ['no action', { Action: null }, 'MissingAction', 'The request has no Action'],
    ['an unknown action', { Action: 'NoSuchAction' }, 'InvalidAction', 'operation NoSuchAction for version 2011-06-15'],
    ['an empty action', { Action: '' }, 'InvalidAction', 'operation  for version 2011-06-15'],
    ['an action in lower case', { Action: 'getcalleridentity' }, 'InvalidAction', 'operation getcalleridentity'],
    ['an action of another service', { Action: 'ListUsers' }, 'InvalidAction', 'operation ListUsers'],
    ['an action of markup', { Action: '<b>&' }, 'InvalidAction', 'operation (not a plain word) for'],
    ['no version', { Version: null }, 'InvalidAction', 'for version NO_VERSION_SPECIFIED'],
    ['another version', { Version: '2010-05-08' }, 'InvalidAction', 'for version 2010-05-08'],
  ])('is refused with %s, and told what is served', (_what, changes, code, message) => {
    const refused = refusalOf(bend(changes));
    expect(refused).toMatchObject({ code, status: 400, reason: 'request_malformed' });
    expect(refused.message).toContain(message);
    expect(refused.message).toContain('Served here: AssumeRoleWithWebIdentity, GetCallerIdentity');
  });

  test.each([
    'AssumeRole',
    'AssumeRoot',
    'GetDelegatedAccessToken',
    'GetFederationToken',
    'GetSessionToken',
    'GetWebIdentityToken',
  ])('for %s would make credentials from credentials', (Action) => {
    const refused = refusalOf(decode({ body: bodyOf({ Action }), headers: { authorization: 'AWS4-HMAC-SHA256 x' } }));
    expect(refused).toMatchObject({ code: 'AccessDenied', status: 403, reason: 'chaining_refused' });
    expect(refused.message).toContain('AssumeRoleWithWebIdentity');
  });
});

function at(member: string, problem: string): string {
  return `Value at '${member}' failed to satisfy constraint: Member must ${problem}`;
}

function pattern(start: string): string {
  return `satisfy regular expression pattern: ${start}`;
}

function named(count: number): Changes {
  const names = Array.from({ length: count }, (_, index) => `PolicyArns.member.${index + 1}.arn`);
  return Object.fromEntries(names.map((name) => [name, 'arn:aws:iam::111122223333:policy/x']));
}
