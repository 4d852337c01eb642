// The one decision of a gateway: one negative for each check, in the order of the checks.
import { beforeEach, describe, expect, test } from 'vitest';
import { FeedSts, gatewaySettings, JOB_ISSUER } from '../../test/fakes/feed-sts.ts';
import { FrozenClock } from '../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../test/fakes/memory-log.ts';
import { makeSigningKey } from '../../test/fakes/signing-key.ts';
import { assembleJws } from '../base/jwt/assemble.ts';
import { type Authority, type Permit, withdrawalOf } from './authorize.ts';
import { authorizeRequest } from './bearer.ts';
import { FeedClient } from './feed-client.ts';
import { FeedState } from './feed-state.ts';

const PUT = { method: 'PUT', pathForPolicy: 'web/7/app.tar.gz', query: '' };
const bearer = (token: string) => ({ ...PUT, authorization: [`Bearer ${token}`] });

let clock: FrozenClock;
let sts: FeedSts;
let state: FeedState;
let feed: FeedClient;
let authority: Authority;

beforeEach(async () => {
  clock = new FrozenClock();
  sts = new FeedSts(clock);
  sts.grant('main/publish-web', [
    { effect: 'allow', actions: ['http:PUT'], resources: [`arn:jobpass:http:::store/web/\${claims.pipeline_id}/*`] },
    { effect: 'deny', actions: ['http:*'], resources: ['arn:jobpass:http:::store/web/7/secret*'] },
    {
      effect: 'deny',
      actions: ['http:PUT'],
      resources: ['arn:jobpass:http:::store/web/7/app.tar.gz'],
      conditions: { StringEquals: { 'http:Query/force': 'true' } },
    },
  ]);
  state = new FeedState(clock);
  const settings = gatewaySettings();
  feed = new FeedClient({
    settings,
    key: { unwrap: async () => ({ ok: true, value: new Uint8Array(32) }) },
    fetch: sts.fetch,
    clock,
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    log: new MemoryLog(),
    state,
    onMessage: () => {},
  });
  authority = {
    gateway: settings.name,
    group: settings.group,
    stsUrl: settings.sts.url,
    clockSkewSeconds: settings.clockSkewSeconds,
    knowledge: state,
  };
  expect((await feed.poll()).ok).toBe(true);
});

const outcome = async (request: Parameters<typeof authorizeRequest>[1]) => {
  const decided = await authorizeRequest(authority, request);
  return decided.ok ? `allowed by line ${decided.value.statement.line}` : decided.error.reason;
};

describe('a request is allowed', () => {
  test('when its session is in force and a statement allows its action on its resource', async () => {
    const decided = await authorizeRequest(authority, bearer(await sts.token()));
    expect(decided).toMatchObject({
      ok: true,
      value: {
        asks: [{ action: 'http:PUT', resource: 'arn:jobpass:http:::store/web/7/app.tar.gz' }],
        statement: { line: 1 },
        credential: { session: { sessionId: 'S0000000000AB' }, policy: null },
      },
    });
  });

  test('with the scheme in any case', async () => {
    expect(await outcome({ ...PUT, authorization: [`bEARER ${await sts.token()}`] })).toBe('allowed by line 1');
  });

  test('for a session without a job to follow, while the STS itself is heard', async () => {
    sts.issuerAgesMs = {};
    await feed.poll();
    expect(await outcome(bearer(await sts.token({ jobBound: false })))).toBe('allowed by line 1');
  });
});

describe('a request is refused', () => {
  test('without a credential', async () => {
    expect(await outcome({ ...PUT, authorization: [] })).toBe('credential_missing');
  });

  test.each([
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['no credential after the scheme', 'Bearer '],
    ['two credentials in one header', 'Bearer aaa, Bearer bbb'],
    ['characters that no credential has', 'Bearer a"b'],
  ])('with %s', async (_what, header) => {
    expect(await outcome({ ...PUT, authorization: [header] })).toBe('credential_missing');
  });

  test('with two Authorization headers, even two good ones', async () => {
    const header = `Bearer ${await sts.token()}`;
    expect(await outcome({ ...PUT, authorization: [header, header] })).toBe('token_malformed');
  });

  test('with garbage', async () => {
    expect(await outcome(bearer('garbage'))).toBe('token_malformed');
  });

  test('with a token that somebody else signed', async () => {
    const token = await sts.token();
    sts.key = makeSigningKey();
    expect(await outcome(bearer(token))).toBe('allowed by line 1');
    expect(await outcome(bearer(await sts.token()))).toBe('key_unknown');
  });

  test('with a feed message or any other token of the STS', async () => {
    const other = await assembleJws({ typ: 'JWT' }, { iss: authority.stsUrl, exp: 1 }, sts.key.signer);
    expect(await outcome(bearer(other))).toBe('token_type_refused');
  });

  test('with a credential for another group of gateways', async () => {
    expect(await outcome(bearer(await sts.token({ group: 'other' })))).toBe('group_mismatch');
  });

  test('with a credential of another STS', async () => {
    expect(await outcome(bearer(await sts.token({ issuer: 'https://other.example.com' })))).toBe('issuer_unknown');
  });

  test('when its session has ended, though the credential itself is still good', async () => {
    const token = await sts.token();
    sts.ended = [{ sessionId: 'S0000000000AB', expiresAt: clock.nowSeconds() + 600 }];
    expect(await outcome(bearer(token))).toBe('allowed by line 1');
    await feed.poll();
    expect(await outcome(bearer(token))).toBe('session_ended');
  });

  test('when an epoch ended what was issued by then, and not when it was issued later', async () => {
    const token = await sts.token();
    sts.epochs = [{ scope: 'role', name: 'main/publish-web', at: clock.nowSeconds() }];
    await feed.poll();
    expect(await outcome(bearer(token))).toBe('session_ended');
    clock.advance(1);
    expect(await outcome(bearer(await sts.token()))).toBe('allowed by line 1');
  });

  test('from the second of its expiry on, without leeway for clocks', async () => {
    const token = await sts.token({ expiresAt: clock.nowSeconds() + 5 });
    clock.advance(4);
    expect(await outcome(bearer(token))).toBe('allowed by line 1');
    clock.advance(1);
    expect(await outcome(bearer(token))).toBe('session_expired');
  });

  test('when the feed is older than 10 s', async () => {
    const token = await sts.token();
    clock.advance(10);
    expect(await outcome(bearer(token))).toBe('allowed by line 1');
    clock.advance(1);
    expect(await outcome(bearer(token))).toBe('feed_stale');
  });

  test('when the feed and what the STS knows of the issuer are older than 10 s together', async () => {
    sts.issuerAgesMs = { [JOB_ISSUER]: 7000 };
    await feed.poll();
    const token = await sts.token();
    clock.advance(3);
    expect(await outcome(bearer(token))).toBe('allowed by line 1');
    clock.advance(1);
    expect(await outcome(bearer(token))).toBe('feed_stale');
    expect(await outcome(bearer(await sts.token({ jobBound: false })))).toBe('allowed by line 1');
  });

  test.each([
    ['never heard', { [JOB_ISSUER]: null }],
    ['does not name', {}],
    ['names as a member of every object only', { constructor: 0 }],
  ])('when its job can end at an issuer that the STS %s', async (_what, ages) => {
    sts.issuerAgesMs = ages;
    await feed.poll();
    expect(await outcome(bearer(await sts.token()))).toBe('feed_stale');
    expect(await outcome(bearer(await sts.token({ jobIssuer: 'toString' })))).toBe('feed_stale');
  });

  test('when its role is not in the active permission set', async () => {
    expect(await outcome(bearer(await sts.token({ role: 'main/other' })))).toBe('role_unknown');
  });

  test.each([
    ['another method', { method: 'DELETE' }],
    ['another path', { pathForPolicy: 'other/7/app.tar.gz' }],
    ['another claim value in the path', { pathForPolicy: 'web/8/app.tar.gz' }],
    ['a path that a deny statement names', { pathForPolicy: 'web/7/secret.txt' }],
    ['a query that a deny statement names', { query: 'force=true' }],
    ['a query that names a parameter twice', { query: 'force=false&force=true' }],
  ])('for %s', async (_what, change) => {
    expect(await outcome({ ...bearer(await sts.token()), ...change })).toBe('permission_denied');
  });

  test('before anything was heard from the STS', async () => {
    authority = { ...authority, knowledge: new FeedState(clock) };
    expect(await outcome(bearer(await sts.token()))).toBe('feed_stale');
  });
});

describe('a request that was let in', () => {
  const permitOf = async (over: Parameters<FeedSts['token']>[0] = {}) => {
    const decided = await authorizeRequest(authority, bearer(await sts.token(over)));
    if (!decided.ok) throw new Error(decided.error.detail);
    return decided.value;
  };
  const withdrawal = (permit: Permit) => withdrawalOf(permit, state)?.reason;

  test('stays while nothing changes, and lapses with its session’s expiry and the freshness of the feed', async () => {
    const short = await permitOf({ expiresAt: clock.nowSeconds() + 8 });
    const long = await permitOf();
    expect([withdrawal(short), withdrawal(long)]).toEqual([undefined, undefined]);
    clock.advance(8);
    expect([withdrawal(short), withdrawal(long)]).toEqual(['session_expired', undefined]);
    clock.advance(3);
    expect(withdrawal(long)).toBe('feed_stale');
    await feed.poll();
    expect(withdrawal(long)).toBeUndefined();
  });

  test('lapses with the end of its session', async () => {
    const permit = await permitOf();
    sts.ended = [{ sessionId: permit.credential.session.sessionId, expiresAt: clock.nowSeconds() + 600 }];
    await feed.poll();
    expect(withdrawal(permit)).toBe('session_ended');
  });

  test('lapses with an epoch of its tenant', async () => {
    const permit = await permitOf();
    sts.epochs = [{ scope: 'tenant', name: 'main', at: clock.nowSeconds() }];
    await feed.poll();
    expect(withdrawal(permit)).toBe('session_ended');
  });

  test('lapses when its role leaves the set, and when the role no longer allows it', async () => {
    const permit = await permitOf();
    const reasons = [];
    for (const [role, resource] of [
      ['main/publish-web', 'store/*'],
      ['main/publish-web', 'store/other/*'],
      ['main/other', 'store/*'],
    ]) {
      sts.grant(`${role}`, [{ effect: 'allow', actions: ['http:*'], resources: [`arn:jobpass:http:::${resource}`] }]);
      await feed.poll();
      reasons.push(withdrawal(permit));
    }
    expect(reasons).toEqual([undefined, 'permission_denied', 'role_unknown']);
  });

  test('finds the key of its credential again as the same object while the STS publishes it', async () => {
    const [before] = state.keys();
    await feed.poll();
    expect(state.keys()[0]).toBe(before);
    sts.key = makeSigningKey();
    sts.published = [sts.key.publicJwk];
    await feed.poll();
    await feed.poll();
    expect(state.keys()[0]).not.toBe(before);
  });

  test('lapses when the STS withdraws the key that signed its credential, and not when another one joins it', async () => {
    const permit = await permitOf();
    const next = makeSigningKey();
    sts.published = [sts.key.publicJwk, next.publicJwk];
    await feed.poll();
    expect(withdrawal(permit)).toBeUndefined();
    sts.key = next;
    sts.published = [next.publicJwk];
    await feed.poll();
    expect(withdrawal(permit)).toBe('key_unknown');
  });
});
