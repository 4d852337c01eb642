// What is asked of generateAccessToken, and the scopes of either call: what they let a token do at most.
import { describe, expect, test } from 'vitest';
import type { Reason } from '../../base/core/reasons.ts';
import { decodeImpersonation } from './impersonation.ts';
import { reachOf } from './scopes.ts';

const ACCOUNT = 'publish-web@acme.iam.gserviceaccount.com';
const PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';

interface Bent {
  readonly resource?: string;
  readonly type?: string;
  readonly query?: string;
  readonly body?: string;
}

const decode = (body: unknown, bent: Bent = {}): unknown => {
  const decoded = decodeImpersonation(bent.resource ?? `${ACCOUNT}:generateAccessToken`, {
    query: bent.query ?? '',
    headers: { 'content-type': bent.type ?? 'application/json' },
    body: new TextEncoder().encode(bent.body ?? JSON.stringify(body)),
  });
  return decoded.ok ? decoded.value : decoded.error.reason;
};

describe('taking on a service account', () => {
  test.each([
    [{ scope: [PLATFORM], lifetime: '600s' }, 600],
    [{ scope: [PLATFORM], lifetime: '43200s', delegates: null }, 43_200],
    [{ scope: [PLATFORM], delegates: [] }, 3600],
    [{ scope: [PLATFORM], lifetime: null }, 3600],
  ])('is asked for by %j', (body, askedSeconds) => {
    expect(decode(body)).toEqual({ serviceAccount: ACCOUNT, scopes: [PLATFORM], askedSeconds });
  });

  test.each<[string, unknown, Bent, Reason]>([
    ['delegates', { scope: [PLATFORM], delegates: [`projects/-/serviceAccounts/${ACCOUNT}`] }, {}, 'request_malformed'],
    ['delegates that are no list', { scope: [PLATFORM], delegates: '' }, {}, 'request_malformed'],
    ['no scope', {}, {}, 'request_malformed'],
    ['an empty scope', { scope: [] }, {}, 'request_malformed'],
    ['a scope as text', { scope: PLATFORM }, {}, 'request_malformed'],
    ['a scope that is no text', { scope: [7] }, {}, 'request_malformed'],
    ['a scope with a space', { scope: ['a b'] }, {}, 'request_malformed'],
    ['a member that nobody knows', { scope: [PLATFORM], includeEmail: true }, {}, 'request_malformed'],
    ['another media type', { scope: [PLATFORM] }, { type: 'text/plain' }, 'request_malformed'],
    ['a query', { scope: [PLATFORM] }, { query: 'access_token=x' }, 'request_malformed'],
    ['a body that is no JSON', null, { body: '{' }, 'request_malformed'],
    ['a member twice', null, { body: '{"scope":["a"],"scope":["b"]}' }, 'request_malformed'],
    ['no call', { scope: [PLATFORM] }, { resource: ACCOUNT }, 'grant_type_unsupported'],
    ['signBlob', { payload: '' }, { resource: `${ACCOUNT}:signBlob` }, 'grant_type_unsupported'],
    ['generateIdToken', { audience: 'a' }, { resource: `${ACCOUNT}:generateIdToken` }, 'grant_type_unsupported'],
    ['no account', { scope: [PLATFORM] }, { resource: ':generateAccessToken' }, 'target_malformed'],
    ['a person', { scope: [PLATFORM] }, { resource: 'me@example.com:generateAccessToken' }, 'target_malformed'],
    ['an account’s number', { scope: [PLATFORM] }, { resource: '1234:generateAccessToken' }, 'target_malformed'],
  ])('is refused with %s', (_what, body, bent, reason) => {
    expect(decode(body, bent)).toBe(reason);
  });

  test.each(['0s', '-1s', '3600', '3600 s', '3600.5s', '43201s', '9999999999s', 's', '', 3600, ['3600s']])(
    'does not last %j',
    (lifetime) => {
      expect(decode({ scope: [PLATFORM], lifetime })).toBe('duration_invalid');
    },
  );
});

describe('scopes', () => {
  const reach = (...names: string[]) => reachOf(names.map((name) => `https://www.googleapis.com/auth/${name}`));
  const actions = (...names: string[]): unknown => reach(...names).policy?.flatMap((statement) => statement.actions);

  test('for the whole platform narrow nothing', () => {
    expect(reach('cloud-platform')).toEqual({ impersonation: true, policy: null });
    expect(reach('devstorage.read_only', 'cloud-platform')).toEqual({ impersonation: true, policy: null });
  });

  test('for less give less', () => {
    expect(actions('devstorage.read_only')).toEqual(['s3:Get*', 's3:List*']);
    expect(actions('devstorage.read_write')).toEqual(['s3:*']);
    expect(actions('cloud-platform.read-only')).toEqual(['s3:Get*', 's3:List*', 'http:GET', 'http:HEAD']);
  });

  test.each([
    'openid',
    'https://www.googleapis.com/auth/compute',
    'cloud-platform',
    'https://www.googleapis.com/auth/',
  ])('of others give nothing: %s', (scope) => {
    expect(reachOf([scope])).toEqual({ impersonation: false, policy: [] });
  });

  test('for accounts alone open nothing but accounts', () => {
    expect(reach('iam')).toEqual({ impersonation: true, policy: [] });
    expect(reach('constructor', 'toString')).toEqual({ impersonation: false, policy: [] });
  });
});
