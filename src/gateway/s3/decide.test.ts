// What each operation needs, as the gateway decides it: exactly this, and each part of it.
import { describe, expect, test } from 'vitest';
import { FeedSts } from '../../../test/fakes/feed-sts.ts';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { makeSigningKey } from '../../../test/fakes/signing-key.ts';
import type { Statement } from '../../base/core/permissions.ts';
import { importKeySet } from '../../base/jwt/jwk.ts';
import { compilePermissions } from '../../policy/iam/statements.ts';
import { permissionsFor } from '../../wire/s3/permissions.ts';
import { readS3Call } from '../../wire/s3/request.ts';
import type { Knowledge } from '../authorize.ts';
import { decide, decideCall, type Grounds } from '../store-front/decide.ts';
import { refusalOf } from './refusal.ts';

const OBJECT = 'arn:aws:s3:::web-bucket/a';
const BUCKET = 'arn:aws:s3:::web-bucket';
const SOURCE = 'arn:aws:s3:::other-bucket/s';
const COPY = { 'x-amz-copy-source': 'other-bucket/s' };
const UPLOAD = 'uploadId=x.y';

type Need = readonly [action: string, resource: string];

/** Request, and all that it needs. */
const NEEDS: readonly [string, string, Record<string, string>, readonly Need[]][] = [
  ['GET /', '', {}, [['s3:ListAllMyBuckets', 'arn:aws:s3:::*']]],
  ['HEAD /web-bucket', '', {}, [['s3:ListBucket', BUCKET]]],
  ['GET /web-bucket', 'location', {}, [['s3:GetBucketLocation', BUCKET]]],
  ['GET /web-bucket', '', {}, [['s3:ListBucket', BUCKET]]],
  ['GET /web-bucket', 'list-type=2', {}, [['s3:ListBucket', BUCKET]]],
  ['GET /web-bucket/a', '', {}, [['s3:GetObject', OBJECT]]],
  ['HEAD /web-bucket/a', '', {}, [['s3:GetObject', OBJECT]]],
  ['PUT /web-bucket/a', '', {}, [['s3:PutObject', OBJECT]]],
  ['DELETE /web-bucket/a', '', {}, [['s3:DeleteObject', OBJECT]]],
  [
    'PUT /web-bucket/a',
    '',
    COPY,
    [
      ['s3:PutObject', OBJECT],
      ['s3:GetObject', SOURCE],
    ],
  ],
  ['POST /web-bucket/a', 'uploads', {}, [['s3:PutObject', OBJECT]]],
  ['PUT /web-bucket/a', `partNumber=1&${UPLOAD}`, {}, [['s3:PutObject', OBJECT]]],
  [
    'PUT /web-bucket/a',
    `partNumber=1&${UPLOAD}`,
    COPY,
    [
      ['s3:PutObject', OBJECT],
      ['s3:GetObject', SOURCE],
    ],
  ],
  ['POST /web-bucket/a', UPLOAD, {}, [['s3:PutObject', OBJECT]]],
  ['DELETE /web-bucket/a', UPLOAD, {}, [['s3:AbortMultipartUpload', OBJECT]]],
  ['GET /web-bucket/a', UPLOAD, {}, [['s3:ListMultipartUploadParts', OBJECT]]],
];

const clock = new FrozenClock();
const session = new FeedSts(clock).session();

const allow = (needs: readonly Need[]): Statement[] =>
  needs.map(([action, resource]) => ({ effect: 'allow', actions: [action], resources: [resource], line: 1 }));

/** A caller whose role may do what `statements` say, and whose session `policy` does. */
function groundsOf(statements: readonly Statement[], policy: readonly Statement[] | null = null): Grounds {
  const imported = importKeySet({ keys: [makeSigningKey().publicJwk] });
  const key = imported.ok ? imported.value.keys[0] : undefined;
  if (key === undefined) throw new Error('no key');
  const role = compilePermissions(statements);
  const knowledge: Knowledge = {
    nowSeconds: () => clock.nowSeconds(),
    keys: () => [key],
    isEnded: (sessionId) => sessionId === 'S-ended',
    epochOf: () => undefined,
    stalenessMs: () => 0,
    permissionsOf: () => role,
  };
  const credential = { session, key, policy: policy === null ? null : compilePermissions(policy) };
  return { credential, facts: {}, knowledge };
}

function callOf(line: string, query: string, headers: Record<string, string> = {}) {
  const [method = '', path = ''] = line.split(' ');
  const values = new Map(Object.entries(headers).map(([name, value]) => [name, [value]]));
  const call = readS3Call({ method, path, query, headers: values });
  if (!call.ok) throw new Error(call.error.message);
  return call.value;
}

const outcome = (grounds: Grounds, call: ReturnType<typeof callOf>) => {
  const decided = decideCall(grounds, permissionsFor(call));
  return decided.ok ? 'allowed' : `${decided.error.reason} ${refusalOf(decided.error).error.code}`;
};

describe.each(NEEDS)('%s?%s %j', (line, query, headers, needs) => {
  const call = callOf(line, query, headers);

  test('is allowed by what it needs and no more', () => {
    expect(outcome(groundsOf(allow(needs)), call)).toBe('allowed');
  });

  test.each(needs)('is refused without %s', (action) => {
    const others = allow(needs.filter(([needed]) => needed !== action));
    expect(outcome(groundsOf(others), call)).toBe('permission_denied AccessDenied');
    const all = allow([['s3:*', 'arn:aws:s3:::*']]);
    // The session's own policy must allow each part as well.
    expect(outcome(groundsOf(all, others), call)).toBe('permission_denied AccessDenied');
    expect(outcome(groundsOf(others, all), call)).toBe('permission_denied AccessDenied');
  });
});

describe('a call that names its objects in its body', () => {
  const call = callOf('POST /web-bucket', 'delete');

  test('is let in with a session that stands, and each object is decided on for itself', () => {
    const grounds = groundsOf(allow([['s3:DeleteObject', `${BUCKET}/mine/*`]]));
    expect(outcome(grounds, call)).toBe('allowed');
    const permission = (key: string) => ({ action: 's3:DeleteObject', resource: `${BUCKET}/${key}` }) as const;
    expect([decide(grounds, [permission('mine/1')]).ok, decide(grounds, [permission('a')]).ok]).toEqual([true, false]);
  });

  test('is refused when the session has ended', () => {
    const { knowledge, ...rest } = groundsOf(allow([['s3:*', 'arn:aws:s3:::*']]));
    const grounds = { ...rest, knowledge: { ...knowledge, isEnded: () => true } };
    expect(outcome(grounds, call)).toBe('session_ended ExpiredToken');
  });
});
