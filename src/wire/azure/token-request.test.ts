// Requests of Entra's token endpoint: what is read, what is refused, and with which number a client hears of it.
import { describe, expect, test } from 'vitest';
import { correlationIdOf, decodeAzureTokenRequest, readTenant } from './token-request.ts';

const TENANT = '11111111-2222-4333-8444-555555555555';
const CLIENT_ID = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
const CORRELATION = '0f0f0f0f-0000-4000-8000-0f0f0f0f0f0f';
const WHOLE: Readonly<Record<string, string>> = {
  client_id: CLIENT_ID,
  scope: 'https://storage.azure.com/.default',
  grant_type: 'client_credentials',
  client_assertion: 'a.b.c',
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
};
const READ = { tenant: TENANT, clientId: CLIENT_ID, assertion: 'a.b.c' };

type Changes = Readonly<Record<string, string | null>>;

const bodyOf = (changes: Changes): string => {
  const entries = Object.entries({ ...WHOLE, ...changes });
  return new URLSearchParams(entries.filter((entry): entry is [string, string] => entry[1] !== null)).toString();
};

interface Sent {
  readonly tenant?: string;
  readonly body?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const decode = ({ body = bodyOf({}), headers = {}, query = '', tenant = TENANT }: Sent) =>
  decodeAzureTokenRequest({
    tenant,
    query,
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', ...headers },
    body: new TextEncoder().encode(body),
  });

const bend = (changes: Changes) => decode({ body: bodyOf(changes) });

const refusalOf = (decoded: ReturnType<typeof decode>) => {
  if (decoded.ok) throw new Error(`was read: ${JSON.stringify(decoded.value)}`);
  const { failure, fault } = decoded.error;
  expect(failure.detail).toBe(fault.message);
  return [failure.reason, fault.code, fault.error, fault.status];
};

describe('a request for a token', () => {
  test('is read', () => {
    expect(decode({})).toEqual({ ok: true, value: READ });
  });

  test('is read with what MSAL tells of itself, in the body and in the URL', () => {
    const telemetry = { 'x-client-SKU': 'msal.js.node', 'x-ms-lib-capability': 'retry-after, h429', claims: '{}' };
    const body = bodyOf({ ...telemetry, 'client-request-id': CORRELATION });
    expect(decode({ body, query: `client-request-id=${CORRELATION}` })).toEqual({ ok: true, value: READ });
  });

  test('may spell its ids in any case, and its tenant as a domain', () => {
    expect(bend({ client_id: CLIENT_ID.toUpperCase() })).toEqual({ ok: true, value: READ });
    expect(decode({ tenant: TENANT.toUpperCase() })).toEqual({ ok: true, value: READ });
    const tenant = 'acme.example.com';
    expect(decode({ tenant: 'Acme.Example.com' })).toEqual({ ok: true, value: { ...READ, tenant } });
  });

  test('loses the white space at the end of its assertion, and nothing else', () => {
    expect(bend({ client_assertion: 'a.b.c \t\r\n' })).toEqual({ ok: true, value: READ });
    expect(bend({ client_assertion: ' a.b.c' })).toMatchObject({ value: { assertion: ' a.b.c' } });
  });

  test.each(['api://audience/.default', 'https://storage.azure.com//.default'])('may ask for %s', (scope) => {
    expect(bend({ scope })).toEqual({ ok: true, value: READ });
  });
});

describe('is refused', () => {
  test.each<[string, Sent, readonly unknown[]]>([
    ['another media type', { headers: { 'content-type': 'application/json' } }, [9002313]],
    ['no media type', { headers: { 'content-type': '' } }, [9002313]],
    ['a second client authentication', { headers: { authorization: 'Basic YTpi' } }, [9002313]],
    ['a body that cannot be decoded', { body: `${bodyOf({})}&a=%zz` }, [9002313]],
    ['a query that cannot be decoded', { query: 'a=%zz' }, [9002313]],
  ])('%s', (_what, sent, [code]) => {
    expect(refusalOf(decode(sent))).toEqual(['request_malformed', code, 'invalid_request', 400]);
  });

  test.each([...Object.keys(WHOLE), 'client_secret', 'assertion', 'resource'])('%s in the URL', (name) => {
    expect(refusalOf(decode({ query: `${name}=x` }))).toEqual(['request_malformed', 9002313, 'invalid_request', 400]);
  });

  test.each([...Object.keys(WHOLE), 'x-client-SKU'])('%s that stands twice', (name) => {
    const twice = `${bodyOf({ 'x-client-SKU': 'a' })}&${name}=${encodeURIComponent(WHOLE[name] ?? 'a')}`;
    expect(refusalOf(decode({ body: twice }))).toEqual(['request_malformed', 9000411, 'invalid_request', 400]);
  });

  test.each(['grant_type', 'client_id', 'scope', 'client_assertion_type'])('a request without %s', (name) => {
    for (const value of [null, '']) {
      expect(refusalOf(bend({ [name]: value }))).toEqual(['request_malformed', 900144, 'invalid_request', 400]);
    }
  });

  test.each([null, '', '\n'])('a request without an assertion: %j', (value) => {
    expect(refusalOf(bend({ client_assertion: value }))).toEqual(['token_missing', 7000218, 'invalid_client', 401]);
  });

  test.each<[string, Changes, readonly unknown[]]>([
    ['another grant', { grant_type: 'password' }, ['grant_type_unsupported', 70003, 'unsupported_grant_type', 400]],
    ['a resource beside the scope', { resource: 'https://a' }, ['request_malformed', 901002, 'invalid_request', 400]],
    ['a secret', { client_secret: 's' }, ['request_malformed', 7000218, 'invalid_client', 401]],
    ['a bound token', { token_type: 'pop' }, ['request_malformed', 9002313, 'invalid_request', 400]],
    ['another assertion', { client_assertion_type: 'saml' }, ['request_malformed', 9002313, 'invalid_request', 400]],
    [
      'two scopes',
      { scope: 'https://a/.default https://b/.default' },
      ['request_malformed', 70011, 'invalid_scope', 400],
    ],
    ['a scope by name', { scope: 'https://a/read' }, ['request_malformed', 1002012, 'invalid_scope', 400]],
    ['a scope of nothing', { scope: '/.default' }, ['request_malformed', 1002012, 'invalid_scope', 400]],
    ['an id that is none', { client_id: 'deploy' }, ['target_malformed', 700038, 'invalid_request', 400]],
  ])('%s', (_what, changes, refusal) => {
    expect(refusalOf(bend(changes))).toEqual(refusal);
  });

  test.each([
    'common',
    'Organizations',
    'consumers',
    'adfs',
    '9188040d-6c67-4c5b-b112-36a304b66dad',
    'metadata',
    'acme',
    '',
    'a/b',
    '..',
    `${TENANT} `,
  ])('%j in a tenant’s place', (tenant) => {
    expect(refusalOf(decode({ tenant }))).toEqual(['target_malformed', 900023, 'invalid_request', 400]);
    expect(readTenant(tenant).ok).toBe(false);
  });

  test('without a word of what was sent', () => {
    const secret = 'eyJhbGciOi';
    for (const name of Object.keys(WHOLE)) {
      const decoded = bend({ [name]: secret });
      if (!decoded.ok) expect(JSON.stringify(decoded.error)).not.toContain(secret);
    }
  });
});

describe('the client’s own id of a request', () => {
  test.each<[Partial<Sent>, string | null]>([
    [{ query: `client-request-id=${CORRELATION}` }, CORRELATION],
    [{ query: `client-request-id=${CORRELATION.toUpperCase()}` }, CORRELATION],
    [{ headers: { 'client-request-id': CORRELATION } }, CORRELATION],
    [{ query: `client-request-id=${CORRELATION}`, headers: { 'client-request-id': TENANT } }, CORRELATION],
    [{ query: 'client-request-id=<script>' }, null],
    [{ query: '%zz' }, null],
    [{}, null],
  ])('is read from %j', ({ headers = {}, query = '' }, expected) => {
    expect(correlationIdOf({ headers, query })).toBe(expected);
  });
});
