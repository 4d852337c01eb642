// The feed of ended jobs: an end is durable before it is acknowledged, and silence is never taken for health.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CountingRandom } from '../../../test/fakes/counting-random.ts';
import { answer, FakeJobIssuer, fakeKey, noAnswer } from '../../../test/fakes/fake-job-issuer.ts';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import { MemoryStsStore } from '../../../test/fakes/memory-sts-store.ts';
import { assembleJws } from '../../base/jwt/assemble.ts';
import { encodeSecurityEvent, SECURITY_EVENT_TYPE } from '../../wire/secevent/event.ts';
import { FeedAges } from '../verifier/feed-ages.ts';
import { JwksCache } from '../verifier/jwks-cache.ts';
import { EventReceiver } from './receiver.ts';

const POLL = '/v1/events/poll';
let clock: FrozenClock;
let issuer: FakeJobIssuer;
let store: MemoryStsStore;
let ages: FeedAges;
let receiver: EventReceiver;

beforeEach(() => {
  clock = new FrozenClock();
  issuer = new FakeJobIssuer(clock);
  store = new MemoryStsStore();
  ages = new FeedAges([issuer.issuer], clock);
  const registration = issuer.registration();
  const source = registration.jobStatus;
  if (source.kind === 'none') throw new Error('the fake has a feed');
  const log = new MemoryLog();
  receiver = new EventReceiver({
    issuer: registration,
    client: source,
    fetch: issuer.fetch,
    keys: new JwksCache({ issuers: [registration], fetch: issuer.fetch, clock, log }),
    store,
    ages,
    clock,
    random: new CountingRandom(),
    log,
    onEnded: () => undefined,
  });
});

const age = (): number | null | undefined => ages.agesFrom(ages.snapshot())[issuer.issuer];

describe('an answered poll', () => {
  test('makes the feed as old as the moment the poll was sent', async () => {
    issuer.handlers.set(POLL, async (request) => {
      clock.advanceMs(700);
      return issuer.respond(POLL, request);
    });
    expect(age()).toBeNull();
    expect((await receiver.pollOnce()).ok).toBe(true);
    expect(age()).toBe(700);
    clock.advanceMs(9300);
    expect(ages.isFresh(issuer.issuer)).toBe(true);
    clock.advanceMs(1);
    expect(ages.isFresh(issuer.issuer)).toBe(false);
  });

  test('must go on to tell of jobs under an audience that sessions count on', async () => {
    const covers = (audiences: readonly string[]): void => {
      issuer.verification = (e) => ({ ...e, audiences: ['https://sts.example.com', ...audiences] }) as typeof e;
    };
    covers(['api://of-a-wire']);
    await receiver.pollOnce();
    expect(ages.relyOn(issuer.issuer, 'api://of-a-wire')).toBe(true);
    covers(['api://of-another-wire']);
    expect(await receiver.pollOnce()).toMatchObject({ ok: false, error: expect.stringContaining('api://of-a-wire') });
    covers(['api://of-a-wire']);
    expect(await receiver.pollOnce()).toMatchObject({ ok: true });
  });

  test('is sent as the registered client, with a fresh nonce each time', async () => {
    let authorization: string | undefined;
    issuer.handlers.set(POLL, (request) => {
      authorization = request.headers.authorization;
      return issuer.respond(POLL, request);
    });
    await receiver.pollOnce();
    await receiver.pollOnce();
    expect(authorization).toBe(`Basic ${Buffer.from('sts:client-secret').toString('base64')}`);
    expect(new Set(issuer.polls.map((poll) => poll.nonce)).size).toBe(2);
  });

  test('buries the ended job before it acknowledges', async () => {
    issuer.endJob('J1');
    await receiver.pollOnce();
    expect(issuer.polls[0]?.acknowledged).toEqual([]);
    expect(await store.isBuried(issuer.issuer, 'J1')).toBe(true);
    expect(store.tombstones.values().next().value?.expiresAt).toBeGreaterThanOrEqual(clock.nowSeconds() + 86_400);
    await receiver.pollOnce();
    expect(issuer.polls[1]?.acknowledged).toEqual(['E-J1']);
    expect(issuer.queued.size).toBe(0);
  });

  test('is neither acknowledged nor believed when the store did not take the end', async () => {
    issuer.endJob('J1');
    store.hooks.beforeBury = () => {
      throw new Error('disk full');
    };
    await expect(receiver.pollOnce()).rejects.toThrow('disk full');
    expect(age()).toBeNull();
    delete store.hooks.beforeBury;
    await receiver.pollOnce();
    expect(issuer.polls[1]?.acknowledged).toEqual([]);
    expect(await store.isBuried(issuer.issuer, 'J1')).toBe(true);
  });

  test('renews nothing while more events wait', async () => {
    issuer.handlers.set(POLL, async (request) => {
      const whole = await issuer.respond(POLL, request);
      if (!whole.ok) return whole;
      return answer({ ...JSON.parse(Buffer.from(whole.value.body).toString()), moreAvailable: true });
    });
    const heard = await receiver.pollOnce();
    expect(heard.ok && heard.value).toEqual({ ended: 0, fresh: false, more: true });
    expect(age()).toBeNull();
  });
});

describe('silence is not taken for health when', () => {
  test.each<[string, () => void]>([
    [
      'no verification event comes',
      () => {
        issuer.verification = () => null;
      },
    ],
    [
      'the nonce is another poll’s',
      () => {
        issuer.verification = (e) => ({ ...e, state: 'old' }) as typeof e;
      },
    ],
    [
      'the verification is for another client',
      () => {
        issuer.verification = (e) => ({ ...e, audience: 'other' });
      },
    ],
    [
      'the verification is of another issuer',
      () => {
        issuer.verification = (e) => ({ ...e, issuer: 'https://evil.example' });
      },
    ],
    [
      'it does not speak for every registered audience',
      () => {
        issuer.verification = (e) => ({ ...e, audiences: ['https://other.example'] }) as typeof e;
      },
    ],
    [
      'it does not say which audiences it speaks for',
      () => {
        issuer.verification = (e) => ({ ...e, audiences: [] }) as typeof e;
      },
    ],
    [
      'the issuer does not answer',
      () => {
        issuer.handlers.set(POLL, () => noAnswer('timeout'));
      },
    ],
    [
      'the issuer refuses the client',
      () => {
        issuer.handlers.set(POLL, () => answer({ message: 'no' }, 401));
      },
    ],
    [
      'the answer is not a batch',
      () => {
        issuer.handlers.set(POLL, () => answer({ sets: [] }));
      },
    ],
  ])('%s', async (_what, bend) => {
    bend();
    await receiver.pollOnce();
    expect(age()).toBeNull();
  });
});

describe('a security event that cannot be believed', () => {
  const forged = async (typ: string, { jobId = 'J9', key = issuer.key } = {}): Promise<void> => {
    const event = {
      kind: 'job_ended',
      issuer: issuer.issuer,
      audience: 'sts',
      id: 'E9',
      issuedAt: clock.nowSeconds(),
      jobId,
      endedAt: clock.nowSeconds(),
      cause: 'finished',
    } as const;
    const set = await assembleJws({ typ }, encodeSecurityEvent(event), key.signer);
    issuer.handlers.set(POLL, async (request) => {
      const whole = await issuer.respond(POLL, request);
      if (!whole.ok) return whole;
      const batch = JSON.parse(Buffer.from(whole.value.body).toString());
      return answer({ sets: { ...batch.sets, E9: set } });
    });
  };

  test.each([
    ['signed by another key', () => forged(SECURITY_EVENT_TYPE, { key: fakeKey('key-1') })],
    ['of another type', () => forged('JWT')],
  ])('ends nothing, is not acknowledged, and keeps the feed from counting as heard: %s', async (_what, forge) => {
    await forge();
    await receiver.pollOnce();
    await receiver.pollOnce();
    expect(await store.isBuried(issuer.issuer, 'J9')).toBe(false);
    expect(issuer.polls[1]?.acknowledged).toEqual([]);
    expect(age()).toBeNull();
  });

  test.each(['J1\0', 'J 1', 'J\u{e9}', 'J'.repeat(256)])(
    'about a job that no token can name, %j, buries nothing and holds nothing up',
    async (jobId) => {
      await forged(SECURITY_EVENT_TYPE, { jobId });
      await receiver.pollOnce();
      await receiver.pollOnce();
      expect(await store.isBuried(issuer.issuer, jobId)).toBe(false);
      expect(issuer.polls[1]?.acknowledged).toEqual(['E9']);
      expect(age()).toBe(0);
    },
  );
});

describe('the poller', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('goes on after failures within a second, and stops cleanly', async () => {
    issuer.handlers.set(POLL, () => noAnswer());
    receiver.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(issuer.requests).toEqual([`POST ${POLL}`]);
    issuer.handlers.clear();
    await vi.advanceTimersByTimeAsync(1000);
    // Signatures are checked outside the timers, so the end of the poll is awaited, not assumed.
    await vi.waitFor(() => expect(ages.isFresh(issuer.issuer)).toBe(true));
    await receiver.close();
    const polls = issuer.polls.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(issuer.polls.length).toBe(polls);
  });

  test('does not spin on an issuer that never holds its answers back', async () => {
    receiver.start();
    await vi.waitFor(() => expect(ages.isFresh(issuer.issuer)).toBe(true), { interval: 0 });
    expect(issuer.polls.length).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(issuer.polls.length).toBe(1);
    await vi.advanceTimersByTimeAsync(50);
    expect(issuer.polls.length).toBe(2);
    await receiver.close();
  });
});
