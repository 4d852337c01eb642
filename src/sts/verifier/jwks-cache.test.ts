// Keys of issuers: fetched within bounds, kept through outages, dropped when their issuer drops them.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { answer, FakeJobIssuer, fakeKey, type Handler, noAnswer } from '../../../test/fakes/fake-job-issuer.ts';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import type { GuardedFetch } from '../../base/ports/fetch.ts';
import type { TrustedIssuer } from '../settings.ts';
import { JwksCache, MAX_SET_AGE_MS, REFRESH_MS, RETRY_WITHOUT_SET_MS } from './jwks-cache.ts';
import { SAME_KEY_AGAIN_MS, SAME_KEY_MS, UNKNOWN_KEY_FETCHES } from './unknown-keys.ts';

const DISCOVERY = '/.well-known/openid-configuration';
let clock: FrozenClock;
let issuer: FakeJobIssuer;
let cache: JwksCache;

function open(overrides: Partial<TrustedIssuer> = {}): JwksCache {
  return new JwksCache({ issuers: [issuer.registration(overrides)], fetch: issuer.fetch, clock, log: new MemoryLog() });
}

afterEach(() => void vi.useRealTimers());
beforeEach(() => {
  clock = new FrozenClock();
  issuer = new FakeJobIssuer(clock);
  cache = open();
});

const kids = async (): Promise<readonly (string | undefined)[] | string> => {
  const keys = await cache.keysOf(issuer.issuer);
  return keys.ok ? keys.value.map((key) => key.kid) : keys.error.reason;
};
const jwksFetches = (): number => issuer.requests.filter((request) => request === 'GET /jwks').length;

describe('the keys of an issuer', () => {
  test('are fetched once and shared by all who come while the fetch runs', async () => {
    expect(await Promise.all([kids(), kids(), kids()])).toEqual([['key-1'], ['key-1'], ['key-1']]);
    expect(await kids()).toEqual(['key-1']);
    expect(jwksFetches()).toBe(1);
  });

  test('are fetched again after five minutes, and a key that was dropped is refused at once', async () => {
    await kids();
    issuer.published = [fakeKey('key-2').publicJwk];
    clock.advanceMs(REFRESH_MS - 1);
    expect(await kids()).toEqual(['key-1']);
    clock.advanceMs(1);
    expect(await kids()).toEqual(['key-2']);
  });

  test.each([
    ['within 30 seconds from an issuer with a feed', {}, 30_000],
    ['within five minutes from any other', { jobStatus: { kind: 'none' } }, REFRESH_MS - 30_000],
  ] as const)('are asked for in the background %s', async (_what, registration, everyMs) => {
    vi.useFakeTimers();
    cache = open(registration);
    cache.start();
    await vi.advanceTimersByTimeAsync(0);
    for (let passed = 30_000; passed <= everyMs; passed += 30_000) {
      expect(jwksFetches()).toBe(1);
      clock.advanceMs(30_000);
      await vi.advanceTimersByTimeAsync(30_000);
    }
    expect(jwksFetches()).toBe(2);
    cache.close();
  });

  test('serve for 24 hours while the issuer is away, and no longer', async () => {
    await kids();
    issuer.handlers.set(DISCOVERY, () => noAnswer());
    clock.advanceMs(MAX_SET_AGE_MS);
    expect(await kids()).toEqual(['key-1']);
    clock.advanceMs(1);
    expect(await kids()).toBe('issuer_unreachable');
  });

  const outages: readonly [string, string, Handler][] = [
    ['an empty set', '/jwks', () => answer({ keys: [] })],
    ['an empty object', '/jwks', () => answer({})],
    ['a set without one usable key', '/jwks', () => answer({ keys: [{ kty: 'oct', k: 'AAAA' }] })],
    ['more than 100 keys', '/jwks', () => answer({ keys: Array(101).fill(issuer.key.publicJwk) })],
    ['a page', '/jwks', () => answer('<html>')],
    ['an error status', '/jwks', () => answer({ keys: [issuer.key.publicJwk] }, 500)],
    ['a document with duplicate names', '/jwks', () => answer('{"keys":[],"keys":[]}')],
    ['a redirect', '/jwks', () => noAnswer('redirect_refused')],
    ['more bytes than allowed', '/jwks', () => answer(' '.repeat(256 * 1024 + 1))],
    [
      'a discovery document of another issuer',
      DISCOVERY,
      () => answer({ issuer: `${issuer.issuer}/`, jwks_uri: `${issuer.issuer}/jwks` }),
    ],
    ['a discovery document without jwks_uri', DISCOVERY, () => answer({ issuer: issuer.issuer })],
    ...[
      'https://evil.example/jwks',
      'http://ci.example.com/jwks',
      'file:///etc/keys',
      'https://u@ci.example.com/jwks',
      7,
    ].map((uri): [string, string, Handler] => [
      `jwks_uri ${uri}`,
      DISCOVERY,
      () => answer({ issuer: issuer.issuer, jwks_uri: uri }),
    ]),
  ];
  test.each(outages)('are not had from %s', async (what, path, handler) => {
    issuer.handlers.set(path, handler);
    expect(await kids()).toBe(what === 'an error status' ? 'issuer_unreachable' : 'issuer_unusable');
  });

  test.each([
    [500, 'issuer_unreachable'],
    [503, 'issuer_unreachable'],
    [429, 'issuer_unreachable'],
    [408, 'issuer_unreachable'],
    [404, 'issuer_unusable'],
    [401, 'issuer_unusable'],
    [204, 'issuer_unusable'],
  ])('are not had from status %d, and whether asking again can help is told: %s', async (status, reason) => {
    issuer.handlers.set('/jwks', () => answer({ keys: [issuer.key.publicJwk] }, status));
    expect(await kids()).toBe(reason);
  });

  test.each(outages)('survive %s', async (_what, path, handler) => {
    await kids();
    issuer.handlers.set(path, handler);
    clock.advanceMs(REFRESH_MS);
    expect(await kids()).toEqual(['key-1']);
  });

  test('that are missing from the start are asked for at most once a second', async () => {
    issuer.handlers.set('/jwks', () => noAnswer());
    for (let i = 0; i < 5; i += 1) expect(await kids()).toBe('issuer_unreachable');
    expect(jwksFetches()).toBe(1);
    clock.advanceMs(RETRY_WITHOUT_SET_MS);
    issuer.handlers.clear();
    expect(await kids()).toEqual(['key-1']);
  });
});

describe('a key id that the set does not have', () => {
  /** How many fetches these key ids cause, each asked for when the one before was answered. */
  const fetchesFor = async (unknown: readonly (string | undefined)[]): Promise<number> => {
    const before = jwksFetches();
    for (const kid of unknown) await cache.keysAfterUnknownKey(issuer.issuer, kid);
    return jwksFetches() - before;
  };
  let invented = 0;
  const flood = (): readonly string[] => {
    invented += 20;
    return Array.from({ length: 20 }, (_, at) => `invented-${invented + at}`);
  };
  const refillMs = 1000 / UNKNOWN_KEY_FETCHES.perSecond;
  beforeEach(() => kids());

  test('makes three fetches at once and one more each 20 seconds, whatever a flood of them asks for', async () => {
    expect([await fetchesFor(flood()), UNKNOWN_KEY_FETCHES.burst]).toEqual([3, 3]);
    clock.advanceMs(refillMs - 1);
    expect(await fetchesFor(flood())).toBe(0);
    clock.advanceMs(1);
    expect(await fetchesFor(flood())).toBe(1);
    for (let minute = 0; minute < 10; minute += 1) {
      clock.advanceMs(60_000);
      expect(await fetchesFor(flood())).toBe(3);
    }
  });

  test('makes one fetch for all who come while it runs', async () => {
    const before = jwksFetches();
    await Promise.all(flood().map((kid) => cache.keysAfterUnknownKey(issuer.issuer, kid)));
    expect(jwksFetches() - before).toBe(1);
  });

  test.each(['revoked', undefined])(
    'that was looked for a moment ago (%s) is looked for again after two seconds, and then once a minute',
    async (kid) => {
      const often = Array.from({ length: 20 }, () => kid);
      expect(await fetchesFor(often)).toBe(1);
      clock.advanceMs(SAME_KEY_AGAIN_MS - 1);
      expect(await fetchesFor(often)).toBe(0);
      clock.advanceMs(1);
      expect(await fetchesFor(often)).toBe(1);
      clock.advanceMs(SAME_KEY_MS - 1);
      expect(await fetchesFor(often)).toBe(0);
      clock.advanceMs(1);
      expect(await fetchesFor(often)).toBe(1);
      clock.advanceMs(SAME_KEY_AGAIN_MS);
      expect(await fetchesFor(often)).toBe(0);
    },
  );

  test('is found when the issuer has just rotated, and again when a revocation follows at once', async () => {
    const found = async (kid: string): Promise<unknown> => {
      const keys = await cache.keysAfterUnknownKey(issuer.issuer, kid);
      return keys?.ok && keys.value.map((key) => key.kid);
    };
    issuer.published = [issuer.key.publicJwk, fakeKey('key-2').publicJwk];
    expect(await found('key-2')).toEqual(['key-1', 'key-2']);
    issuer.published = [issuer.key.publicJwk, fakeKey('key-3').publicJwk];
    expect(await found('key-3')).toEqual(['key-1', 'key-3']);
    // Those who hold tokens of the key that is gone keep coming; the next new key is found nevertheless.
    await fetchesFor(Array.from({ length: 20 }, () => 'key-2'));
    clock.advanceMs(refillMs);
    issuer.published = [issuer.key.publicJwk, fakeKey('key-4').publicJwk];
    await fetchesFor(Array.from({ length: 20 }, () => 'key-2'));
    expect(await found('key-4')).toEqual(['key-1', 'key-4']);
  });

  test('in a token costs the issuer’s own events nothing', async () => {
    await fetchesFor(flood());
    issuer.published = [fakeKey('key-2').publicJwk];
    expect(await cache.keysAfterUnknownKey(issuer.issuer, 'key-2')).toBeNull();
    const keys = await cache.forEvents().keysAfterUnknownKey(issuer.issuer, 'key-2');
    expect(keys?.ok && keys.value.map((key) => key.kid)).toEqual(['key-2']);
  });

  test('is looked for again two seconds later as long as the issuer does not answer', async () => {
    issuer.handlers.set(DISCOVERY, () => noAnswer());
    for (let search = 0; search < 3; search += 1) {
      await cache.keysAfterUnknownKey(issuer.issuer, 'key-2');
      clock.advanceMs(refillMs);
    }
    issuer.handlers.clear();
    expect(await fetchesFor(['key-2', 'key-2'])).toBe(1);
    clock.advanceMs(SAME_KEY_AGAIN_MS);
    expect(await fetchesFor(['key-2'])).toBe(0);
  });

  test('of one issuer costs another one nothing', async () => {
    const other = new FakeJobIssuer(clock, 'https://other.example.com');
    const issuers = [issuer.registration(), other.registration()];
    const fetch: GuardedFetch = (request) => (request.url.startsWith(other.issuer) ? other : issuer).fetch(request);
    cache = new JwksCache({ issuers, fetch, clock, log: new MemoryLog() });
    await fetchesFor(flood());
    expect(await cache.keysAfterUnknownKey(other.issuer, 'key-2')).not.toBeNull();
  });
});
