// What each call needs, and that a refusal of one part refuses the whole.
import { describe, expect, test } from 'vitest';
import type { Statement } from '../../base/core/permissions.ts';
import type { VerificationKey } from '../../base/jwt/jwk.ts';
import { compilePermissions } from '../../policy/iam/statements.ts';
import type { GcsCall } from '../../wire/gcs/call.ts';
import { conditionKeysOf, permissionsFor } from '../../wire/gcs/permissions.ts';
import type { Knowledge } from '../authorize.ts';
import { decideCall, type Grounds } from '../store-front/decide.ts';

const OBJECT = { bucket: 'web', key: 'a/b' };
const OTHER = { bucket: 'other', key: 'c' };
const UPLOAD = { ...OBJECT, conditions: {}, hashes: {}, boundary: 'b' };

type Rule = Pick<Statement, 'effect' | 'actions' | 'resources'> & Partial<Pick<Statement, 'conditions'>>;
const allow = (action: string, resource: string): Rule => ({
  effect: 'allow',
  actions: [action],
  resources: [resource],
});

function groundsOf(call: GcsCall, rules: readonly Rule[], over: Partial<Knowledge> = {}): Grounds {
  const session = {
    issuer: 'https://sts.example.com',
    sessionId: 'S1',
    role: 'main/publish-web',
    group: 'artifacts',
    subject: 'x',
    jobIssuer: 'https://ci.example.com',
    jobId: 'J1',
    jobBound: true,
    claims: {},
    issuedAt: 0,
    expiresAt: 100,
    tags: {},
    sourceIdentity: null,
    policy: null,
  };
  const permissions = compilePermissions(rules.map((rule, index) => ({ ...rule, line: index + 1 })));
  const knowledge: Knowledge = {
    nowSeconds: () => 50,
    keys: () => [],
    isEnded: () => false,
    epochOf: () => undefined,
    stalenessMs: () => 0,
    permissionsOf: () => permissions,
    ...over,
  };
  const facts = { keys: new Map<string, string | null>([['s3:prefix', null], ...conditionKeysOf(call)]) };
  // Deciding looks at no key.
  const credential = { session, key: {} as VerificationKey, policy: null };
  return { credential, facts, knowledge };
}

const decided = (call: GcsCall, rules: readonly Rule[], over?: Partial<Knowledge>): string => {
  const result = decideCall(groundsOf(call, rules, over), permissionsFor(call));
  return result.ok ? 'allowed' : result.error.reason;
};

const WEB = 'arn:aws:s3:::web';
const AB = `${WEB}/a/b`;

/** Every call with exactly what it needs. */
const NEEDS: readonly [string, GcsCall, readonly Rule[]][] = [
  [
    'ListBuckets',
    { operation: 'ListBuckets', prefix: '', maxResults: 1, after: '' },
    [allow('s3:ListAllMyBuckets', 'arn:aws:s3:::*')],
  ],
  ['GetBucket', { operation: 'GetBucket', bucket: 'web' }, [allow('s3:GetBucketLocation', WEB)]],
  ['GetStorageLayout', { operation: 'GetStorageLayout', bucket: 'web' }, [allow('s3:GetBucketLocation', WEB)]],
  [
    'ListObjects',
    { operation: 'ListObjects', bucket: 'web', prefix: '', delimiter: null, maxResults: 1, after: '' },
    [allow('s3:ListBucket', WEB)],
  ],
  ['GetObject', { operation: 'GetObject', ...OBJECT, generation: null }, [allow('s3:GetObject', AB)]],
  ['ReadObject', { operation: 'ReadObject', ...OBJECT, generation: null }, [allow('s3:GetObject', AB)]],
  [
    'DeleteObject',
    { operation: 'DeleteObject', ...OBJECT, generation: 9, conditions: {} },
    [allow('s3:DeleteObject', AB)],
  ],
  [
    'DeleteObject under a condition',
    { operation: 'DeleteObject', ...OBJECT, generation: null, conditions: { ifGenerationMatch: 9 } },
    [allow('s3:DeleteObject', AB), allow('s3:GetObject', AB)],
  ],
  [
    'DeleteObject where nothing is',
    { operation: 'DeleteObject', ...OBJECT, generation: null, conditions: { ifGenerationMatch: 0 } },
    [allow('s3:DeleteObject', AB), allow('s3:GetObject', AB)],
  ],
  [
    'DeleteObject of the generation of nothing',
    { operation: 'DeleteObject', ...OBJECT, generation: 0, conditions: {} },
    [allow('s3:DeleteObject', AB), allow('s3:GetObject', AB)],
  ],
  ['InsertObject', { operation: 'InsertObject', ...UPLOAD }, [allow('s3:PutObject', AB)]],
  [
    'InsertObject of a new one',
    { operation: 'InsertObject', ...UPLOAD, conditions: { ifGenerationMatch: 0 } },
    [allow('s3:PutObject', AB)],
  ],
  [
    'InsertObject over a known one',
    { operation: 'InsertObject', ...UPLOAD, conditions: { ifGenerationMatch: 9 } },
    [allow('s3:PutObject', AB), allow('s3:GetObject', AB)],
  ],
  ['StartUpload', { operation: 'StartUpload', ...UPLOAD, contentType: null }, [allow('s3:PutObject', AB)]],
  [
    'ContinueUpload',
    { operation: 'ContinueUpload', ...OBJECT, hashes: {}, uploadId: 'U', span: { kind: 'query', total: null } },
    [allow('s3:PutObject', AB)],
  ],
  [
    'RewriteObject',
    { operation: 'RewriteObject', ...OBJECT, source: OTHER, sourceGeneration: null, conditions: {} },
    [allow('s3:PutObject', AB), allow('s3:GetObject', 'arn:aws:s3:::other/c')],
  ],
];

describe.each(NEEDS)('%s', (_name, call, rules) => {
  test('is allowed by what it needs, and by nothing less', () => {
    expect(decided(call, rules)).toBe('allowed');
    for (const missing of rules)
      expect(
        decided(
          call,
          rules.filter((rule) => rule !== missing),
        ),
      ).toBe('permission_denied');
  });

  test('is refused by a denial of any part', () => {
    for (const rule of rules) expect(decided(call, [...rules, { ...rule, effect: 'deny' }])).toBe('permission_denied');
  });

  test('is refused when the session has ended, or nothing fresh is known', () => {
    expect(decided(call, rules, { isEnded: () => true })).toBe('session_ended');
    expect(decided(call, rules, { stalenessMs: () => 20_000 })).toBe('feed_stale');
  });
});

test('an upload whose body names its object needs a session that stands, and is decided on later', () => {
  const call: GcsCall = { operation: 'InsertObject', ...UPLOAD, key: null };
  expect(decideCall(groundsOf(call, []), permissionsFor(call))).toMatchObject({
    ok: true,
    value: { asks: [], statement: null },
  });
  expect(decided(call, [], { isEnded: () => true })).toBe('session_ended');
  expect(decided(call, [], { nowSeconds: () => 100 })).toBe('session_expired');
});

test('a listing may be bound to its prefix', () => {
  const bound: Rule = { ...allow('s3:ListBucket', WEB), conditions: { StringLike: { 's3:prefix': ['a/*'] } } };
  const list = (prefix: string): GcsCall => ({
    operation: 'ListObjects',
    bucket: 'web',
    prefix,
    delimiter: '/',
    maxResults: 1,
    after: '',
  });
  expect(decided(list('a/'), [bound])).toBe('allowed');
  expect(decided(list('b/'), [bound])).toBe('permission_denied');
  expect(decided(list(''), [bound])).toBe('permission_denied');
});
