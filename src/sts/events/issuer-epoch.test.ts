// An issuer that says that it began anew: what was granted to its jobs before ends, once, and a claim that cannot be is not believed.
import { beforeEach, describe, expect, test } from 'vitest';
import { CountingRandom } from '../../../test/fakes/counting-random.ts';
import { FakeJobIssuer } from '../../../test/fakes/fake-job-issuer.ts';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { MemoryLog } from '../../../test/fakes/memory-log.ts';
import { MemoryStsStore } from '../../../test/fakes/memory-sts-store.ts';
import { EPOCH_KEPT_SECONDS, MAX_CLOCK_SKEW_SECONDS } from '../../base/core/limits.ts';
import { actionRecord } from '../../storage/conformance/fixtures.ts';
import { FeedAges } from '../verifier/feed-ages.ts';
import { JwksCache } from '../verifier/jwks-cache.ts';
import { EventReceiver } from './receiver.ts';

let clock: FrozenClock;
let issuer: FakeJobIssuer;
let store: MemoryStsStore;
let ages: FeedAges;
let receiver: EventReceiver;
let log: MemoryLog;

beforeEach(() => {
  clock = new FrozenClock();
  issuer = new FakeJobIssuer(clock);
  store = new MemoryStsStore();
  ages = new FeedAges([issuer.issuer], clock);
  const registration = issuer.registration();
  const source = registration.jobStatus;
  if (source.kind === 'none') throw new Error('the fake has a feed');
  log = new MemoryLog();
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

describe('an issuer that began anew', () => {
  const heard = async (knownSince: number | null): Promise<void> => {
    issuer.knownSince = knownSince;
    expect(await receiver.pollOnce()).toMatchObject({ ok: true });
  };

  test('ends what was granted to its jobs before, once for each beginning', async () => {
    const now = clock.nowSeconds();
    await heard(null);
    expect(await store.listEpochs()).toEqual([]);
    await heard(now - 60);
    await heard(now - 60);
    expect(await store.listEpochs()).toEqual([{ scope: 'issuer', name: issuer.issuer, at: now }]);
    expect(store.actions.map(({ action, target }) => [action, target])).toEqual([
      ['epoch.raise', `issuer ${issuer.issuer}`],
    ]);
    clock.advance(30);
    await heard(now + 20);
    expect(await store.listEpochs()).toEqual([{ scope: 'issuer', name: issuer.issuer, at: now + 30 }]);
  });

  test('by a clock that is ahead of ours ends what is before its own time', async () => {
    const now = clock.nowSeconds();
    await heard(now + 20);
    await heard(now + 20);
    expect(await store.listEpochs()).toEqual([{ scope: 'issuer', name: issuer.issuer, at: now + 20 }]);
  });

  test('at a time that no clock skew explains is not believed, however often it says so', async () => {
    const now = clock.nowSeconds();
    issuer.knownSince = now + MAX_CLOCK_SKEW_SECONDS + 1;
    for (let poll = 0; poll < 3; poll += 1) expect(await receiver.pollOnce()).toMatchObject({ ok: false });
    expect([age(), await store.listEpochs(), store.actions]).toEqual([null, [], []]);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ reason: 'claim_malformed' }) }),
    );
    await heard(now + MAX_CLOCK_SKEW_SECONDS);
    await heard(now + MAX_CLOCK_SKEW_SECONDS);
    expect(await store.listEpochs()).toMatchObject([{ at: now + MAX_CLOCK_SKEW_SECONDS }]);
    expect([age(), store.actions.length]).toEqual([0, 1]);
  });

  test('so long ago that nothing of before can be alive ends nothing, nor where all has ended since', async () => {
    await heard(clock.nowSeconds() - EPOCH_KEPT_SECONDS - 1);
    expect(store.actions).toEqual([]);
    await store.raiseEpoch({ scope: { scope: 'all' }, now: clock.nowSeconds(), record: actionRecord('1') });
    await heard(clock.nowSeconds() - 1);
    expect(store.actions.map(({ id }) => id)).toEqual(['A1']);
  });

  test('whose epoch the store does not take does not count as heard', async () => {
    store.hooks.beforeRaise = () => {
      throw new Error('the disk is full');
    };
    issuer.knownSince = clock.nowSeconds();
    await expect(receiver.pollOnce()).rejects.toThrow('the disk is full');
    expect(age()).toBeNull();
  });
});
