// The gateway feed: what ended is told at once, silence is a signed heartbeat, and no gateway gets another's message.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { groupKeysOf } from '../../../test/fakes/group-keys.ts';
import { MemoryKeyStore } from '../../../test/fakes/memory-key-store.ts';
import { PUBLISH, PUBLISH_TEXT, STS_URL, type StsAnswer, StsWorld } from '../../../test/fakes/sts-world.ts';
import { type EpochScope, formatScope } from '../../base/core/epoch.ts';
import { importKeySet } from '../../base/jwt/jwk.ts';
import { parseJws } from '../../base/jwt/jws.ts';
import { verifyJws } from '../../base/jwt/verify.ts';
import { KeyEncryptionKey } from '../../keys/kek.ts';
import { GatewayKey } from '../../keys/wrap.ts';
import { permissionSetId } from '../../policy/policy-set.ts';
import { raiseOf } from '../../storage/conformance/fixtures.ts';
import { decodeFeedMessage, feedPollQuery, MAX_FEED_MESSAGE_BYTES } from '../../wire/feed/codec.ts';
import { epochsIdOf, NO_EPOCHS_ID } from '../../wire/feed/epochs.ts';
import { FEED_TOKEN_TYPE, type FeedMessage, type FeedPoll } from '../../wire/feed/message.ts';

const FIRST: FeedPoll = {
  nonce: 'nonce-of-the-poll',
  cursor: 0,
  store: null,
  permissionSetId: null,
  groupKeySetId: null,
  epochsId: NO_EPOCHS_ID,
};
let gatewayKey: GatewayKey;
let world: StsWorld;

beforeEach(async () => {
  gatewayKey = await openKey(1);
  world = await StsWorld.start({ gatewayKeys: [gatewayKey.publicJwk] });
});
afterEach(async () => {
  vi.useRealTimers();
  await world.close();
});

const openKey = (seed: number): Promise<GatewayKey> =>
  GatewayKey.open({
    ring: 'gateway/artifacts-1',
    store: new MemoryKeyStore(),
    kek: KeyEncryptionKey.fromBytes(new Uint8Array(32).fill(seed)),
    clock: new FrozenClock(),
  });

const poll = (asked: FeedPoll, signal?: AbortSignal): Promise<StsAnswer> =>
  world.call(`GET /v1/feed?${feedPollQuery(asked)}`, { as: 'gateway', ...(signal === undefined ? {} : { signal }) });

/** The verified message of an answer. */
async function read(response: StsAnswer): Promise<FeedMessage> {
  const parsed = parseJws(response.text, { maxBytes: MAX_FEED_MESSAGE_BYTES });
  const keys = importKeySet({ keys: [world.key.publicJwk] });
  if (!parsed.ok || !keys.ok) throw new Error('not a message');
  expect(parsed.value.header.typ).toBe(FEED_TOKEN_TYPE);
  expect((await verifyJws(parsed.value, keys.value.keys, { algorithms: ['ES256'] })).ok).toBe(true);
  const message = decodeFeedMessage(parsed.value.claims);
  if (!message.ok) throw new Error(message.error.detail);
  return message.value;
}

/** A poll of a gateway that knows everything up to now. */
async function caughtUp(): Promise<FeedPoll> {
  const { cursor, epochsId = null, groupKeySetId, permissionSetId, store } = await read(await poll(FIRST));
  return { nonce: 'nonce-of-another-poll', cursor, store, permissionSetId, groupKeySetId, epochsId };
}

const endJob = () =>
  world.store.buryJobs([
    { issuer: world.issuer.issuer, jobId: 'J1', endedAt: 1_800_000_000, expiresAt: 1_800_090_000 },
  ]);

describe('the first poll', () => {
  test('is answered at once with permissions, keys, and the group key for this gateway', async () => {
    const response = await poll(FIRST);
    expect([response.status, response.headers['cache-control']]).toEqual([200, 'no-store']);
    const message = await read(response);
    expect(message).toMatchObject({
      issuer: STS_URL,
      gateway: 'artifacts-1',
      group: 'artifacts',
      nonce: FIRST.nonce,
      ended: [],
      cursor: 0,
      more: false,
      keys: [world.key.publicJwk],
      issuerAgesMs: { [world.issuer.issuer]: null },
      signedAt: world.clock.nowSeconds(),
    });
    expect(message.permissions?.roles.map(({ role }) => role)).toEqual([PUBLISH]);
    expect(message.permissionSetId).toBe(permissionSetId(message.permissions?.roles ?? []));
    const unwrapped = await gatewayKey.unwrap(message.groupKeys?.keys[0]?.wrapped[0] ?? '');
    expect(unwrapped.ok && Buffer.from(unwrapped.value)).toEqual(Buffer.from(world.groupKeys.view.active.key.reveal()));
    expect(response.text).not.toContain(Buffer.from(world.groupKeys.view.active.key.reveal()).toString('base64url'));
  });

  test('tells what has ended and not expired', async () => {
    const granted = await world.exchange(await world.issuer.idToken());
    await endJob();
    const message = await read(await poll(FIRST));
    expect(message.ended.map((end) => end.sessionId)).toEqual([granted.json.session_id]);
    expect(message.cursor).toBe(1);
    world.clock.advance(1801);
    expect((await read(await poll(FIRST))).ended).toEqual([]);
  });
});

describe('a gateway with two registered keys', () => {
  test('finds the group key wrapped for each, so that it can change from one to the other', async () => {
    const next = await openKey(2);
    await world.close();
    world = await StsWorld.start({ gatewayKeys: [gatewayKey.publicJwk, next.publicJwk] });
    const wrapped = (await read(await poll(FIRST))).groupKeys?.keys[0]?.wrapped ?? [];
    expect(wrapped).toHaveLength(2);
    for (const key of [gatewayKey, next]) {
      const opened = await Promise.all(wrapped.map((jwe) => key.unwrap(jwe)));
      expect(opened.filter(({ ok }) => ok)).toHaveLength(1);
    }
  });
});

describe('a group that changes its key', () => {
  test('is told with all living keys, before the new one is used and while the old one lives', async () => {
    const known = await caughtUp();
    world.groupKeys.view = groupKeysOf(7, 8);
    const message = await read(await poll(known));
    expect([message.groupKeys?.activeId, message.groupKeySetId]).toEqual(['group-key-8', groupKeysOf(7, 8).id]);
    const opened = await Promise.all(
      (message.groupKeys?.keys ?? []).map(async ({ id, wrapped }) => [id, await gatewayKey.unwrap(wrapped[0] ?? '')]),
    );
    expect(opened).toEqual([
      ['group-key-7', { ok: true, value: new Uint8Array(32).fill(7) }],
      ['group-key-8', { ok: true, value: new Uint8Array(32).fill(8) }],
    ]);
  });
});

describe('a gateway whose cursor is of another store', () => {
  test('is told everything that ended, at once', async () => {
    const granted = await world.exchange(await world.issuer.idToken());
    await endJob();
    const known = await caughtUp();
    vi.useFakeTimers();
    const message = await read(await poll({ ...known, store: 'lost', cursor: 9 }));
    expect(message.ended.map((end) => end.sessionId)).toEqual([granted.json.session_id]);
    expect([message.cursor, message.store]).toEqual([1, known.store]);
  });
});

describe('a poll of a gateway that knows everything', () => {
  test('is held for a second and answered with a heartbeat as old as its signing', async () => {
    const known = await caughtUp();
    vi.useFakeTimers();
    const response = poll(known);
    await vi.advanceTimersByTimeAsync(999);
    world.clock.advance(1);
    await vi.advanceTimersByTimeAsync(1);
    const message = await read(await response);
    expect(message.signedAt).toBe(world.clock.nowSeconds());
    expect(message.nonce).toBe(known.nonce);
    expect([message.permissions, message.groupKeys]).toEqual([undefined, undefined]);
  });

  test('is answered at once when a session is revoked', async () => {
    const { json } = await world.exchange(await world.issuer.idToken());
    const known = await caughtUp();
    vi.useFakeTimers(); // Whoever is not woken by the news waits for ever.
    const response = poll(known);
    await vi.advanceTimersByTimeAsync(0);
    await world.call('POST /revoke', { form: { token: String(json.access_token) } });
    expect((await read(await response)).ended.map((end) => end.sessionId)).toEqual([json.session_id]);
  });

  test('is answered at once when a job ends', async () => {
    await world.exchange(await world.issuer.idToken());
    const known = await caughtUp();
    vi.useFakeTimers(); // Whoever is not woken by the news waits for ever.
    const response = poll(known);
    world.issuer.endJob('J1');
    world.letPollThrough();
    const message = await read(await response);
    expect(message.ended).toHaveLength(1);
    expect(message.cursor).toBe(1);
  });

  test('is answered at once when the store tells of what another replica ended', async () => {
    await world.exchange(await world.issuer.idToken());
    const known = await caughtUp();
    vi.useFakeTimers(); // Whoever is not woken by the news waits for ever.
    const response = poll(known);
    await endJob();
    for (const tell of world.store.watchers) tell();
    expect((await read(await response)).ended).toHaveLength(1);
  });

  test('is answered at once when the policies change', async () => {
    const known = await caughtUp();
    vi.useFakeTimers();
    const response = poll(known);
    world.policies.files.set(`${PUBLISH}.yaml`, PUBLISH_TEXT.replace('http:PUT', 'http:GET'));
    world.policies.changed();
    const message = await read(await response);
    expect(message.permissions?.roles[0]?.statements[0]?.actions).toEqual(['http:GET']);
    expect(message.permissionSetId).not.toBe(known.permissionSetId);
  });

  test('is answered at once when it hangs up, and nothing is left waiting', async () => {
    const known = await caughtUp();
    vi.useFakeTimers();
    const hangUp = new AbortController();
    const response = poll(known, hangUp.signal);
    await vi.advanceTimersByTimeAsync(0);
    hangUp.abort();
    expect((await response).status).toBe(200);
  });

  test('goes on where the last one ended, and learns when more waits', async () => {
    world.store.listEndedSessions = async (_group, after, _now, limit) =>
      Array.from({ length: Math.min(limit, 1500 - after) }, (_, i) => ({
        sequence: after + i + 1,
        sessionId: `S${after + i + 1}`,
        expiresAt: 1_900_000_000,
      }));
    const first = await read(await poll(FIRST));
    expect([first.ended.length, first.cursor, first.more]).toEqual([1000, 1000, true]);
    const second = await read(await poll({ ...FIRST, store: first.store, cursor: first.cursor }));
    expect([second.ended.length, second.cursor, second.more]).toEqual([500, 1500, false]);
  });
});

describe('epochs', () => {
  const raise = (scope: EpochScope) =>
    world.store.raiseEpoch(raiseOf(`E${world.store.epochs.size}`, scope, world.clock.nowSeconds()));

  test('are told at once, and once', async () => {
    const known = await caughtUp();
    vi.useFakeTimers(); // Whoever is not told at once waits for ever.
    const epoch = await raise({ scope: 'role', name: PUBLISH });
    const message = await read(await poll(known));
    expect([message.epochs, message.epochsId]).toEqual([[epoch], epochsIdOf([epoch])]);
    const later = poll({ ...known, epochsId: message.epochsId ?? null });
    await vi.advanceTimersByTimeAsync(1000);
    expect((await read(await later)).epochs).toBeUndefined();
  });

  test('are those that can end a session of the group', async () => {
    const scopes: EpochScope[] = [
      { scope: 'all' },
      { scope: 'issuer', name: 'https://other.example.com' },
      { scope: 'role', name: 'main/of-another-group' },
      { scope: 'tenant', name: 'main' },
      { scope: 'tenant', name: 'other' },
    ];
    for (const scope of scopes) await raise(scope);
    const told = (await read(await poll(FIRST))).epochs?.map(formatScope);
    expect(told).toEqual(['all', 'issuer https://other.example.com', 'tenant main']);
  });

  test('of a role are told with the permissions that let its sessions in again', async () => {
    world.policies.files.delete(`${PUBLISH}.yaml`);
    world.policies.changed();
    await vi.waitFor(async () => expect((await caughtUp()).permissionSetId).toBe(permissionSetId([])));
    await raise({ scope: 'role', name: PUBLISH });
    const known = await caughtUp();
    expect(known.epochsId).toBe(NO_EPOCHS_ID);
    world.policies.files.set(`${PUBLISH}.yaml`, PUBLISH_TEXT);
    world.policies.changed();
    await vi.waitFor(async () => {
      const message = await read(await poll(known));
      expect([message.permissions?.roles.length, message.epochs?.length]).toEqual([1, 1]);
    });
  });

  test('are told a gateway that knows none only when there are some', async () => {
    expect((await read(await poll({ ...FIRST, epochsId: null }))).epochsId).toBeUndefined();
    await raise({ scope: 'all' });
    expect((await read(await poll({ ...FIRST, epochsId: null }))).epochs).toHaveLength(1);
  });
});

describe('the age of an issuer', () => {
  test('counts from when the answered poll was sent to when the message was signed', async () => {
    world.letPollThrough();
    await vi.waitFor(async () => {
      const { issuerAgesMs } = await read(await poll(FIRST));
      expect(issuerAgesMs[world.issuer.issuer]).toBe(0);
    });
    world.clock.advanceMs(700);
    expect((await read(await poll(FIRST))).issuerAgesMs).toEqual({ [world.issuer.issuer]: 700 });
  });

  test('is read before the ends are: an end heard of meanwhile does not make the message look fresher', async () => {
    world.store.hooks.beforeListEnded = async () => {
      world.letPollThrough();
      await vi.waitFor(() => expect(world.log.lines.some((line) => line.message.endsWith('is live'))).toBe(true));
    };
    expect((await read(await poll(FIRST))).issuerAgesMs).toEqual({ [world.issuer.issuer]: null });
  });
});

describe('the feed is refused', () => {
  test.each<[string, string | undefined, number]>([
    ['nobody', undefined, 401],
    ['a stranger', 'stranger', 401],
    ['an operator', 'operator', 403],
    ['a gateway that is not registered', 'lost-gateway', 403],
  ])('to %s', async (_what, as, status) => {
    const target = `GET /v1/feed?${feedPollQuery(FIRST)}`;
    expect((await world.call(target, as === undefined ? {} : { as })).status).toBe(status);
  });

  test('without a nonce', async () => {
    expect((await world.call('GET /v1/feed?cursor=0', { as: 'gateway' })).status).toBe(400);
  });

  test('when the store cannot be read, without telling why', async () => {
    world.store.hooks.beforeListEnded = () => {
      throw new Error('io error');
    };
    const response = await poll(FIRST);
    expect([response.status, response.json.reason]).toEqual([503, 'unavailable']);
    expect(response.text).not.toContain('io error');
  });

  test('while the clock is behind the latest time acted on: ends may be forgotten that are still to come', async () => {
    await world.exchange(await world.issuer.idToken());
    await endJob();
    await world.store.prune(world.clock.nowSeconds() + 2 * 86_400);
    const response = await poll(FIRST);
    expect([response.status, response.json.reason]).toEqual([503, 'unavailable']);
    world.clock.advance(2 * 86_400 - 30);
    expect((await poll(FIRST)).status).toBe(200);
  });

  test('to a gateway without a key to wrap to', async () => {
    await world.close();
    world = await StsWorld.start();
    expect((await poll(FIRST)).status).toBe(503);
  });
});
