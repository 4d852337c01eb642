import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../test/fakes/property-runs.ts';
import {
  dueStep,
  KEY_SET_CACHE_SECONDS,
  type KeySchedule,
  MIN_PUBLISH_SECONDS,
  plannedSteps,
  retainSecondsFor,
  withActivated,
  withExpired,
  withRevoked,
} from './lifecycle.ts';
import type { KeyState, StoredKey } from './store.ts';

const DAY = 86_400;
const schedule: KeySchedule = { rotateEverySeconds: 90 * DAY, publishSeconds: DAY, retainSeconds: 5000 };

const key = (kid: string, state: KeyState, stateSince: number): StoredKey => ({
  kid,
  ring: 'id-token',
  algorithm: 'ES256',
  state,
  stateSince,
  createdAt: stateSince,
  publicJwk: null,
  sealed: new Uint8Array(0),
});

describe('a ring plans', () => {
  it('to make its next key as long before the active one is due as a key is published', () => {
    expect(plannedSteps([key('a', 'active', 0)], schedule)).toEqual([{ kind: 'prepare', at: 89 * DAY }]);
  });

  it('to activate a prepared key when the active one is due', () => {
    const keys = [key('a', 'active', 0), key('b', 'prepared', 3 * DAY), key('c', 'prepared', 4 * DAY)];
    expect(plannedSteps(keys, schedule)).toEqual([{ kind: 'activate', kid: 'b', at: 90 * DAY }]);
  });

  it('never to activate a key that was not published long enough', () => {
    const keys = [key('a', 'active', 0), key('b', 'prepared', 95 * DAY)];
    expect(plannedSteps(keys, schedule)).toEqual([{ kind: 'activate', kid: 'b', at: 96 * DAY }]);
    expect(plannedSteps(keys, schedule, () => 97 * DAY)).toEqual([{ kind: 'activate', kid: 'b', at: 98 * DAY }]);
    expect(plannedSteps(keys, schedule, () => null)).toEqual([]);
  });

  it('to take a retired key away when nothing it signed can be alive, also when it rotates by command alone', () => {
    const keys = [key('a', 'retired', 100), key('b', 'active', 100), key('x', 'revoked', 5), key('y', 'expired', 5)];
    const byCommand = { ...schedule, rotateEverySeconds: null };
    expect(plannedSteps(keys, byCommand)).toEqual([{ kind: 'expire', kid: 'a', at: 5100 }]);
  });

  it('nothing at all without an active key: no guess is made', () => {
    expect(plannedSteps([key('b', 'prepared', 0)], schedule)).toEqual([]);
  });

  it('one step after the other, the oldest first', () => {
    const steps = plannedSteps([key('a', 'retired', 80 * DAY), key('b', 'active', 0)], schedule);
    expect(dueStep(steps, 80 * DAY + 4999)).toBeUndefined();
    expect(dueStep(steps, 91 * DAY)).toMatchObject({ kind: 'expire', kid: 'a' });
  });
});

describe('a change of a ring', () => {
  const keys = [key('a', 'active', 1), key('b', 'prepared', 2), key('c', 'prepared', 3)];
  const states = (ring: readonly StoredKey[]) =>
    ring.map(({ kid, state, stateSince }) => `${kid} ${state} ${stateSince}`);

  it('activation retires the key that signed', () => {
    expect(states(withActivated(keys, 'c', 9))).toEqual(['a retired 9', 'b prepared 2', 'c active 9']);
  });

  it('expiry touches nothing else', () => {
    expect(states(withExpired(keys, 'b', 9))).toEqual(['a active 1', 'b expired 9', 'c prepared 3']);
  });

  it('revocation of the active key lets the prepared one sign, or the new one when there is none', () => {
    const successor = key('n', 'prepared', 9);
    expect(states(withRevoked(keys, { kid: 'a', successor }, 9))).toEqual([
      'a revoked 9',
      'b active 9',
      'c prepared 3',
    ]);
    const [alone] = keys;
    if (alone === undefined) throw new Error('empty');
    expect(states(withRevoked([alone], { kid: 'a', successor }, 9))).toEqual(['a revoked 9', 'n active 9']);
  });

  it('revocation of another key leaves the active one', () => {
    const successor = key('n', 'prepared', 9);
    expect(states(withRevoked(keys, { kid: 'c', successor }, 9))).toEqual([
      'a active 1',
      'b prepared 2',
      'c revoked 9',
    ]);
  });
});

/** One ring under its schedule, with replicas and verifiers that are as late as they may be. */
class World {
  readonly history: { readonly from: number; readonly keys: readonly StoredKey[] }[] = [];
  #keys: readonly StoredKey[] = [key('k0', 'active', 0)];
  #made = 1;

  constructor() {
    this.history.push({ from: 0, keys: this.#keys });
  }

  /** What a replica whose clock is off by `skew` does at `now`; one step, as in the program. */
  tick(now: number, skew: number, by: KeySchedule): void {
    const local = now + skew;
    const step = dueStep(plannedSteps(this.#keys, by), local);
    if (step === undefined) return;
    if (step.kind === 'prepare') this.#become([...this.#keys, this.#make(local)], now);
    else if (step.kind === 'activate') this.#become(withActivated(this.#keys, step.kid, local), now);
    else this.#become(withExpired(this.#keys, step.kid, local), now);
  }

  prepare(now: number): void {
    this.#become([...this.#keys, this.#make(now)], now);
  }

  #make(now: number): StoredKey {
    this.#made += 1;
    return key(`k${this.#made}`, 'prepared', now);
  }

  #become(keys: readonly StoredKey[], now: number): void {
    this.#keys = keys;
    this.history.push({ from: now, keys });
  }

  at(moment: number): readonly StoredKey[] {
    return this.history.findLast(({ from }) => from <= moment)?.keys ?? this.history[0]?.keys ?? [];
  }
}

const isPublished = ({ state }: StoredKey) => state !== 'expired' && state !== 'revoked';

describe('under any schedule', () => {
  const LIFE = 3600;
  const LAG = 60;
  const SKEW = 300;
  const worlds = fc.record({
    rotate: fc.integer({ min: 2 * MIN_PUBLISH_SECONDS, max: 20_000 }),
    publish: fc.integer({ min: MIN_PUBLISH_SECONDS, max: MIN_PUBLISH_SECONDS + 900 }),
    /** Pauses between ticks, and which replica wakes: one whose clock is behind, right or ahead of the verifiers'. */
    ticks: fc.array(
      fc.tuple(fc.integer({ min: 1, max: 4000 }), fc.constantFrom(-SKEW / 2, 0, SKEW / 2), fc.boolean()),
      {
        minLength: 20,
        maxLength: 60,
      },
    ),
  });

  const run = ({ rotate, publish, ticks }: typeof worlds extends fc.Arbitrary<infer T> ? T : never): World => {
    const by = { rotateEverySeconds: rotate, publishSeconds: publish, retainSeconds: retainSecondsFor(LIFE) };
    const world = new World();
    let now = 0;
    for (const [pause, skew, prepares] of ticks) {
      now += pause;
      if (prepares && world.at(now).filter(({ state }) => state === 'prepared').length < 3) world.prepare(now);
      world.tick(now, skew, by);
    }
    return world;
  };

  it('whoever caches as long as it may verifies every token that is alive, and one key signs at every moment', () => {
    let rotations = 0;
    fc.assert(
      fc.property(worlds, (input) => {
        const world = run(input);
        for (const { from, keys } of world.history) {
          expect(keys.filter(({ state }) => state === 'active')).toHaveLength(1);
          const signing = keys.find(({ state }) => state === 'active')?.kid ?? '';
          if (signing !== 'k0') rotations += 1;
          // Minted at the first moment with this key, and read by a verifier whose set is the oldest that it may have.
          const oldest = world.at(Math.max(0, from - KEY_SET_CACHE_SECONDS - LAG));
          expect(oldest.filter(isPublished).map(({ kid }) => kid)).toContain(signing);
          // Any key that signed until just before this change lives on in what is published for as long as its last token does.
          const before = world.at(from - 1).find(({ state }) => state === 'active')?.kid ?? signing;
          for (const later of world.history) {
            if (later.from < from || later.from >= from + LAG + LIFE + SKEW) continue;
            expect(later.keys.filter(isPublished).map(({ kid }) => kid)).toContain(before);
          }
        }
      }),
      { numRuns: propertyRuns() },
    );
    expect(rotations).toBeGreaterThan(propertyRuns());
  });

  it.each([
    ['published too shortly', { publish: KEY_SET_CACHE_SECONDS - 1 }],
    ['kept too shortly', { retain: LIFE - 1 }],
  ])(
    'a key %s fails somebody, so the property can see it',
    (_what, { publish, retain }: { publish?: number; retain?: number }) => {
      const by = {
        rotateEverySeconds: 4000,
        publishSeconds: publish ?? MIN_PUBLISH_SECONDS,
        retainSeconds: retain ?? retainSecondsFor(LIFE),
      };
      const world = new World();
      for (let now = 1; now < 20_000; now += 1) world.tick(now, 0, by);
      const published = (moment: number) =>
        world
          .at(moment)
          .filter(isPublished)
          .map(({ kid }) => kid);
      const failures = world.history.filter(({ from }, at) => {
        const before = world.history[at - 1]?.keys.find(({ state }) => state === 'active')?.kid;
        const signing = world.at(from).find(({ state }) => state === 'active')?.kid ?? '';
        const isLate = !published(Math.max(0, from - KEY_SET_CACHE_SECONDS - LAG)).includes(signing);
        return isLate || (before !== undefined && !published(from + LAG + LIFE + SKEW).includes(before));
      });
      expect(failures.length).toBeGreaterThan(0);
    },
  );
});
