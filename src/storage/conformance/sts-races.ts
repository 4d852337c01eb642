// Conformance of the STS's store port, for any engine: a grant that races with the end of its job.
// The one thing that must never be: a session of a buried job that is in force.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GrantOutcome, StsStore } from '../../sts/store.ts';
import type { StoreEngine, StsStoreInstance } from './engine.ts';
import { actionRecord, GROUP, grantOf, ISSUER, NOW, raiseOf, sessionOf, tombstoneOf } from './fixtures.ts';
import { requirements } from './run.ts';

type StsEngine = StoreEngine<StsStore, StsStoreInstance>;

/** Long enough for the other side to arrive while the transaction is open. */
const HOLD_MS = 60;

/** One step of a random play: what happens, to which job, on which replica; `tick` lets pending work go on. */
type Step = { readonly act: 'grant' | 'bury' | 'tick'; readonly job: number; readonly replica: number };

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom('grant', 'grant', 'bury', 'tick'),
  job: fc.integer({ min: 0, max: 2 }),
  replica: fc.integer({ min: 0, max: 1 }),
});

interface Play {
  readonly name: string;
  readonly jobId: string;
  readonly outcome: GrantOutcome | undefined;
}

/** Plays the steps without waiting for any, then waits for all. */
async function play(stores: readonly StsStore[], steps: readonly Step[], run: number): Promise<readonly Play[]> {
  const burials: Promise<unknown>[] = [];
  const grants: Promise<Play>[] = [];
  for (const [index, { act, job, replica }] of steps.entries()) {
    const store = stores[replica];
    const jobId = `J${run}-${job}`;
    // The stop keeps one id from being the beginning of another.
    const name = `${run}-${index}.`;
    if (act === 'tick') await new Promise((resolve) => setImmediate(resolve));
    if (act === 'bury') burials.push(Promise.resolve(store?.buryJobs([tombstoneOf(jobId)])));
    if (act === 'grant') {
      const asked = Promise.resolve(store?.grant(grantOf(name, { session: { jobId } })));
      grants.push(asked.then((outcome) => ({ name, jobId, outcome })));
    }
  }
  await Promise.all(burials);
  return Promise.all(grants);
}

/** What must hold after any play, as seen by every replica. */
async function expectNoSurvivor(store: StsStore, plays: readonly Play[]): Promise<void> {
  const ended = (await store.listEndedSessions(GROUP, 0, NOW, 100_000)).map((end) => end.sessionId);
  expect(new Set(ended).size).toBe(ended.length);
  for (const { name, jobId, outcome } of plays) {
    const buried = await store.isBuried(ISSUER, jobId);
    const granted = outcome === 'granted';
    expect(granted || (buried && outcome === 'job_ended')).toBe(true);
    expect(await store.findSession(`S${name}`)).toStrictEqual(
      granted && !buried ? sessionOf(name, { jobId }) : undefined,
    );
    expect(await store.findDecisions(`D${name}`)).toHaveLength(granted ? 1 : 0);
    expect(ended.includes(`S${name}`)).toBe(granted && buried);
  }
}

function forced(engine: StsEngine): void {
  const requirement = requirements(engine);
  requirement('a burial that is open when the grant is asked for is met by the grant', async ({ store, hold }) => {
    const burial = await hold({ kind: 'bury', tombstone: tombstoneOf('J1') }, HOLD_MS);
    expect(await store.grant(grantOf('1'))).toBe('job_ended');
    await burial.committed;
    expect(await store.findSession('S1')).toBeUndefined();
    expect(await store.isBuried(ISSUER, 'J1')).toBe(true);
  });

  requirement('a grant that is open when the burial is asked for is ended by the burial', async ({ store, hold }) => {
    const grant = await hold({ kind: 'grant', grant: grantOf('1') }, HOLD_MS);
    const ended = await store.buryJobs([tombstoneOf('J1')]);
    await grant.committed;
    expect(ended.map((end) => end.sessionId)).toEqual(['S1']);
    expect(await store.findSession('S1')).toBeUndefined();
    expect(await store.findDecisions('D1')).toHaveLength(1);
  });

  requirement('a single use that is open when it is used again is met by the second', async ({ store, hold }) => {
    const use = { exp: NOW + 600, iss: ISSUER, jti: 'jti-1' };
    const first = await hold({ kind: 'grant', grant: grantOf('1', { uses: [use] }) }, HOLD_MS);
    expect(await store.grant(grantOf('2', { uses: [use] }))).toBe('token_replayed');
    await first.committed;
  });

  requirement('a burial of one job does not keep another job from its grant', async ({ store, hold }) => {
    const burial = await hold({ kind: 'bury', tombstone: tombstoneOf('J1') }, HOLD_MS);
    expect(await store.grant(grantOf('2'))).toBe('granted');
    await burial.committed;
  });
}

const PUBLISH = { scope: 'role', name: 'main/publish-web' } as const;

function forcedEpochs(engine: StsEngine): void {
  const requirement = requirements(engine);
  requirement(
    'an epoch that is being raised when the grant is asked for is met by the grant',
    async ({ store, hold }) => {
      const raise = await hold({ kind: 'raise', raise: raiseOf('E', PUBLISH) }, HOLD_MS);
      expect(await store.grant(grantOf('1'))).toBe('epoch_raised');
      await raise.committed;
      expect(await store.listEpochs()).toHaveLength(1);
    },
  );

  requirement('a grant that is open when an epoch is raised is covered by the epoch', async ({ store, hold }) => {
    const late = { now: NOW + 20, issuedFrom: NOW + 20, session: { issuedAt: NOW + 20 } };
    const grant = await hold({ kind: 'grant', grant: grantOf('1', late) }, HOLD_MS);
    expect(await store.raiseEpoch(raiseOf('E', { scope: 'all' }, NOW))).toEqual({ scope: 'all', at: NOW + 20 });
    await grant.committed;
    expect(await store.findSession('S1')).toBeUndefined();
    expect(await store.findDecisions('D1')).toHaveLength(1);
  });

  requirement('a freeze that is being set when the grant is asked for is met by the grant', async ({ store, hold }) => {
    const freeze = {
      scope: PUBLISH,
      frozen: true,
      reach: 'all' as const,
      record: actionRecord('F', { action: 'freeze.on' }),
    };
    const frozen = await hold({ kind: 'freeze', freeze }, HOLD_MS);
    expect(await store.grant(grantOf('1'))).toBe('frozen');
    await frozen.committed;
  });
}

/** One step of a random play of grants and epochs; all of it happens within one second. */
const epochStep = fc.record({
  act: fc.constantFrom('grant', 'grant', 'raise', 'tick'),
  replica: fc.integer({ min: 0, max: 1 }),
});

/** Plays grants of one tenant of its own and epochs of it; gives the sessions that were granted, and whether an epoch was raised. */
async function playEpochs(
  stores: readonly StsStore[],
  steps: readonly { act: string; replica: number }[],
  run: number,
) {
  const role = { tenant: `t${run}`, name: 'publish-web' };
  const raises: Promise<unknown>[] = [];
  const grants: Promise<{ readonly id: string; readonly outcome: GrantOutcome | undefined }>[] = [];
  for (const [index, { act, replica }] of steps.entries()) {
    const name = `${run}-${index}.`;
    if (act === 'tick') await new Promise((resolve) => setImmediate(resolve));
    if (act === 'raise') {
      const raise = raiseOf(`E${name}`, { scope: 'tenant', name: role.tenant }, NOW);
      raises.push(Promise.resolve(stores[replica]?.raiseEpoch(raise)));
    }
    if (act === 'grant') {
      const asked = Promise.resolve(stores[replica]?.grant(grantOf(name, { session: { role } })));
      grants.push(asked.then((outcome) => ({ id: `S${name}`, outcome })));
    }
  }
  await Promise.all(raises);
  return { isRaised: raises.length > 0, grants: await Promise.all(grants) };
}

function anyEpochs(engine: StsEngine): void {
  const requirement = requirements(engine);
  requirement('epochs and grants of one second leave no session in force, in whatever order', async (instance) => {
    const stores = [instance.store, await instance.replica()];
    let run = 0;
    const holds = async (steps: readonly { act: string; replica: number }[]) => {
      run += 1;
      const { grants, isRaised } = await playEpochs(stores, steps, run);
      for (const { id, outcome } of grants) {
        expect(outcome === 'granted' || (isRaised && outcome === 'epoch_raised')).toBe(true);
        for (const store of stores)
          expect((await store.findSession(id)) !== undefined).toBe(outcome === 'granted' && !isRaised);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(epochStep, { minLength: 2, maxLength: 10 }), holds), { numRuns: 80 });
  });
}

/** Races of src/sts/store.ts: forced ones through an open transaction, and any order on two replicas. */
export function stsRaceConformance(engine: StsEngine): void {
  describe('a grant racing with an epoch or a freeze', () => {
    forcedEpochs(engine);
    anyEpochs(engine);
  });

  describe('a grant racing with the end of its job never leaves a live session', () => {
    forced(engine);

    test('whatever the order, the batches and the replicas', async () => {
      const instance = await engine.create();
      try {
        const stores = [instance.store, await instance.replica()];
        let run = 0;
        const holds = async (steps: readonly Step[]) => {
          run += 1;
          const plays = await play(stores, steps, run);
          for (const store of stores) await expectNoSurvivor(store, plays);
        };
        await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), holds), { numRuns: 150 });
      } finally {
        await instance.destroy();
      }
    });
  });
}
