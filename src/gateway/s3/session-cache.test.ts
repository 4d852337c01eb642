// Sessions that were opened before: believed for as long as everything that made them good still holds, and bounded.
import { beforeEach, describe, expect, test } from 'vitest';
import { FeedSts, gatewaySettings } from '../../../test/fakes/feed-sts.ts';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { groupKeysOf } from '../../../test/fakes/group-keys.ts';
import { makeSigningKey } from '../../../test/fakes/signing-key.ts';
import type { Statement } from '../../base/core/permissions.ts';
import { AWS_SESSION_TOKEN_TYPE, awsSecretKey, awsSessionTokenClaims } from '../../base/credential/aws-session.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import { assembleJws } from '../../base/jwt/assemble.ts';
import { importKeySet } from '../../base/jwt/jwk.ts';
import { signingKey } from '../../base/sigv4/signature.ts';
import type { GroupKeys } from '../../keys/group-key.ts';
import type { Knowledge } from '../authorize.ts';
import { SessionCache, type SessionCacheOptions } from './session-cache.ts';

const SCOPE = { date: '20261123', region: 'eu-test-1', service: 's3' };

let clock: FrozenClock;
let sts: FeedSts;
let groupKeys: GroupKeys | null;
let options: SessionCacheOptions;
let cache: SessionCache;
/** How often somebody asked for the keys: opening does, recalling asks whether one is withdrawn. */
let published: () => ReturnType<Knowledge['keys']>;

beforeEach(() => {
  clock = new FrozenClock();
  sts = new FeedSts(clock);
  groupKeys = groupKeysOf(1);
  published = () => {
    const imported = importKeySet({ keys: sts.published });
    return imported.ok ? imported.value.keys : [];
  };
  const knowledge: Knowledge = {
    nowSeconds: () => clock.nowSeconds(),
    keys: () => published(),
    isEnded: () => false,
    epochOf: () => undefined,
    stalenessMs: () => 0,
    permissionsOf: () => undefined,
  };
  const { name: gateway, group, sts: at, clockSkewSeconds } = gatewaySettings();
  const authority = { gateway, group, stsUrl: at.url, clockSkewSeconds, knowledge };
  options = { authority, groupKeys: () => groupKeys };
  cache = new SessionCache({ ...options, capacity: 2 });
});

const tokenOf = (over: Partial<CarriedSession> = {}, groupKeyId: string | null = 'group-key-1'): Promise<string> => {
  const roleArn = 'arn:aws:iam::000000000042:role/publish-web';
  const claims = awsSessionTokenClaims({ session: sts.session(over), roleArn, sessionName: 'job-1', groupKeyId });
  return assembleJws({ typ: AWS_SESSION_TOKEN_TYPE }, claims, sts.key.signer);
};

const reasonOf = async (token: string) => {
  const opened = await cache.open(token);
  return opened.ok ? 'open' : opened.error.reason;
};

const opened = async (token: string) => {
  const result = await cache.open(token);
  if (!result.ok) throw new Error(result.error.detail);
  return result.value;
};

describe('a session token', () => {
  test('is opened once, and gives the signing key of the session’s secret', async () => {
    const token = await tokenOf();
    const session = await opened(token);
    expect(await opened(token)).toBe(session);
    const secret = awsSecretKey(new Uint8Array(32).fill(1), session.aws.session.sessionId).reveal();
    expect(session.signingKey(SCOPE)).toEqual(signingKey(secret, SCOPE));
    expect(session.signingKey(SCOPE)).toBe(session.signingKey(SCOPE));
    expect(session.signingKey({ ...SCOPE, date: '20261124' })).not.toEqual(session.signingKey(SCOPE));
  });

  test('is not believed while the key of the group is unknown, however good it was', async () => {
    const token = await tokenOf();
    expect(await reasonOf(token)).toBe('open');
    groupKeys = null;
    expect(await reasonOf(token)).toBe('feed_stale');
  });

  test('is not believed before the STS was heard from', async () => {
    published = () => [];
    expect(await reasonOf(await tokenOf())).toBe('feed_stale');
  });

  test('keeps its secret while the group changes its key, and is refused when its own is gone', async () => {
    const token = await tokenOf();
    const before = await opened(token);
    groupKeys = groupKeysOf(1, 2);
    expect((await opened(token)).signingKey(SCOPE)).toEqual(before.signingKey(SCOPE));
    const next = await opened(await tokenOf({}, 'group-key-2'));
    expect(next.signingKey(SCOPE)).not.toEqual(before.signingKey(SCOPE));
    groupKeys = groupKeysOf(2);
    expect(await reasonOf(token)).toBe('key_unknown');
  });

  test('of before keys had names in it follows from the oldest key', async () => {
    const named = await opened(await tokenOf());
    groupKeys = groupKeysOf(1, 2);
    expect((await opened(await tokenOf({}, null))).signingKey(SCOPE)).toEqual(named.signingKey(SCOPE));
  });

  test('is refused as soon as the STS withdraws the key that signed it', async () => {
    const token = await tokenOf();
    expect(await reasonOf(token)).toBe('open');
    sts.published = [makeSigningKey().publicJwk];
    expect(await reasonOf(token)).toBe('key_unknown');
  });

  test('is dropped at its expiry', async () => {
    const token = await tokenOf({ expiresAt: clock.nowSeconds() + 10 });
    expect(await reasonOf(token)).toBe('open');
    // Past the leeway that opening gives to clocks, too.
    clock.advance(60);
    expect([await reasonOf(token), cache.size]).toEqual(['session_expired', 0]);
  });

  test('that is refused is not kept', async () => {
    expect([await reasonOf(await tokenOf({ group: 'other' })), cache.size]).toEqual(['group_mismatch', 0]);
  });
});

test('the least recently used session makes room', async () => {
  const tokens = await Promise.all(['S1', 'S2', 'S3'].map((sessionId) => tokenOf({ sessionId })));
  const [one = '', two = '', three = ''] = tokens;
  const [first, second] = [await opened(one), await opened(two)];
  expect(await opened(one)).toBe(first);
  await opened(three);
  expect(cache.size).toBe(2);
  expect(await opened(one)).toBe(first);
  expect(await opened(two)).not.toBe(second);
});

test('session policies make room for each other by their length, however few sessions there are', async () => {
  const policy: readonly Statement[] = [
    { effect: 'allow', actions: ['s3:*'], resources: [`arn:aws:s3:::${'a'.repeat(500)}`], line: 1 },
  ];
  const roomy = new SessionCache({ ...options, capacity: 100, maxPolicyChars: 1500 });
  const open = async (token: string) => expect((await roomy.open(token)).ok).toBe(true);
  for (const sessionId of ['S1', 'S2', 'S3']) await open(await tokenOf({ sessionId, policy }));
  expect(roomy.size).toBe(2);
  const again = await tokenOf({ sessionId: 'S4', policy });
  await Promise.all([open(again), open(again)]);
  for (const sessionId of ['S5', 'S6']) await open(await tokenOf({ sessionId }));
  // Sessions without a policy take nothing of their room, and one that two requests opened at once is counted once.
  expect(roomy.size).toBe(4);
  await open(await tokenOf({ sessionId: 'S7', policy: [...policy, ...policy, ...policy] }));
  expect(roomy.size).toBe(0);
});

test('more signing keys of one session than it can need are not kept', async () => {
  const session = await opened(await tokenOf());
  const first = session.signingKey(SCOPE);
  for (let day = 1; day < 9; day += 1) session.signingKey({ ...SCOPE, date: `2026110${day}` });
  expect(session.signingKey(SCOPE)).not.toBe(first);
  expect(session.signingKey(SCOPE)).toEqual(first);
});
