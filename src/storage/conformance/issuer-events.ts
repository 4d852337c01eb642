// Conformance of the issuer's store port, for any engine: ends of jobs, their events, forgetting.
import { describe, expect } from 'vitest';
import { type EventReader, type IssuerStore, type JobEndedEvent, MAX_RECEIVERS } from '../../issuer/store.ts';
import type { StoreEngine } from './engine.ts';
import { inTurn, issuedTokenOf, jobOf, NOW, requestTokenOf } from './fixtures.ts';
import { requirements } from './run.ts';

const STS = 'https://sts.example.com';
const AWS = 'sts.amazonaws.com';
const END = { at: NOW + 60, reason: 'finished', eventExpiresAt: NOW + 3600 } as const;
/** Later than anything of the suite can be alive, whatever slack an engine's contract gives. */
const LONG_AFTER = NOW + 100_000;

/** A running job that got one token for each audience. */
async function startWithTokens(store: IssuerStore, id: string, audiences: readonly string[]): Promise<void> {
  await store.startJob(jobOf(id), requestTokenOf(id));
  await inTurn(audiences, (audience) => store.recordToken(issuedTokenOf(`${id} ${audience}`, id, { audience })));
}

/** A client's receiver; the one that every client has unless it names another. */
const readerOf = (client: string, receiver = ''): EventReader => ({ client, receiver });

const places = (events: readonly JobEndedEvent[]) => events.map((event) => `${event.jobId} ${event.audience}`);

function ends(engine: StoreEngine<IssuerStore>): void {
  const requirement = requirements(engine);
  describe('ending a job', () => {
    requirement('gives back the job as it ended, also after a restart', async (instance) => {
      await instance.store.startJob(jobOf('J1'), requestTokenOf('J1'));
      const ended = jobOf('J1', { endedAt: END.at, endReason: 'finished' });
      expect(await instance.store.endJob('J1', END)).toEqual(ended);
      const again = await instance.restart();
      expect(await again.findJob('J1')).toEqual(ended);
    });

    requirement('that is unknown gives nothing', async ({ store }) => {
      expect(await store.endJob('J9', END)).toBeUndefined();
    });

    requirement('twice changes nothing: the first end wins', async ({ store }) => {
      await startWithTokens(store, 'J1', [STS]);
      await store.endJob('J1', END);
      const later = { at: NOW + 90, reason: 'deadline', eventExpiresAt: NOW + 9000 } as const;
      expect(await store.endJob('J1', later)).toMatchObject({ endedAt: END.at, endReason: 'finished' });
      expect(await store.listEvents(readerOf('sts'), [STS], 10)).toMatchObject([
        { endedAt: END.at, reason: 'finished' },
      ]);
    });

    requirement('at once on several replicas ends it once', async (instance) => {
      await startWithTokens(instance.store, 'J1', [STS]);
      const stores = [instance.store, await instance.replica()];
      const ended = await Promise.all(
        Array.from({ length: 6 }, (_, index) => stores[index % 2]?.endJob('J1', { ...END, at: NOW + index })),
      );
      expect(new Set(ended.map((job) => job?.endedAt)).size).toBe(1);
      expect(await instance.store.listEvents(readerOf('sts'), [STS], 10)).toHaveLength(1);
    });

    requirement('queues one event for each audience that got a token, however many it got', async ({ store }) => {
      await startWithTokens(store, 'J1', [STS, AWS]);
      await store.recordToken(issuedTokenOf('again', 'J1', { audience: STS }));
      await store.endJob('J1', END);
      expect(places(await store.listEvents(readerOf('sts'), [STS], 10))).toEqual([`J1 ${STS}`]);
      expect(places(await store.listEvents(readerOf('aws'), [AWS], 10))).toEqual([`J1 ${AWS}`]);
    });

    requirement('without any token queues no event', async ({ store }) => {
      await startWithTokens(store, 'J1', []);
      await store.endJob('J1', END);
      expect(await store.listEvents(readerOf('sts'), [STS, AWS], 10)).toEqual([]);
    });

    requirement(
      'tells an audience whose tokens expired and were forgotten: a session may outlive its token',
      async ({ store }) => {
        await store.startJob(jobOf('J1', { deadline: LONG_AFTER + 600 }), requestTokenOf('J1'));
        await store.recordToken(issuedTokenOf('t1', 'J1', { expiresAt: NOW + 60 }));
        await store.prune(LONG_AFTER);
        expect(await store.findToken('t1')).toBeUndefined();
        await store.endJob('J1', { at: LONG_AFTER, reason: 'finished', eventExpiresAt: LONG_AFTER + 60 });
        expect(places(await store.listEvents(readerOf('sts'), [STS], 10))).toEqual([`J1 ${STS}`]);
      },
    );
  });
}

function delivery(engine: StoreEngine<IssuerStore>): void {
  const requirement = requirements(engine);
  describe('events', () => {
    requirement('come oldest first, with ids of their own, also after a restart', async (instance) => {
      await inTurn(['J1', 'J2', 'J3'], (id) => startWithTokens(instance.store, id, [STS, AWS]));
      await inTurn(['J2', 'J1', 'J3'], (id) => instance.store.endJob(id, END));
      const events = await instance.store.listEvents(readerOf('sts'), [STS], 10);
      expect(events.map((event) => event.jobId)).toEqual(['J2', 'J1', 'J3']);
      const sequences = events.map((event) => event.sequence);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
      const everything = await instance.store.listEvents(readerOf('sts'), [STS, AWS], 10);
      expect(new Set(everything.map((event) => event.id)).size).toBe(6);
      const again = await instance.restart();
      expect(await again.listEvents(readerOf('sts'), [STS], 10)).toEqual(events);
    });

    requirement('are listed for the asked audiences only, at most `limit`', async ({ store }) => {
      await startWithTokens(store, 'J1', [STS, AWS]);
      await store.endJob('J1', END);
      expect(await store.listEvents(readerOf('sts'), [], 10)).toEqual([]);
      expect(await store.listEvents(readerOf('sts'), ['https://sts.example.com/'], 10)).toEqual([]);
      expect(await store.listEvents(readerOf('sts'), [STS, AWS], 1)).toHaveLength(1);
    });

    requirement('that a client acknowledged are not listed for it again, and stay for others', async ({ store }) => {
      await startWithTokens(store, 'J1', [STS]);
      await startWithTokens(store, 'J2', [STS]);
      await store.endJob('J1', END);
      await store.endJob('J2', END);
      const [first] = await store.listEvents(readerOf('one'), [STS], 10);
      await store.acknowledgeEvents(readerOf('one'), [first?.id ?? '']);
      await store.acknowledgeEvents(readerOf('one'), [first?.id ?? '']);
      expect(places(await store.listEvents(readerOf('one'), [STS], 10))).toEqual([`J2 ${STS}`]);
      expect(places(await store.listEvents(readerOf('two'), [STS], 10))).toEqual([`J1 ${STS}`, `J2 ${STS}`]);
    });

    requirement(
      'acknowledged in any order, again, and between new ends, are delivered until then and never after',
      async ({ store }) => {
        const end = async (id: string) => {
          await startWithTokens(store, id, [STS, AWS]);
          await store.endJob(id, END);
        };
        const waiting = async () => places(await store.listEvents(readerOf('one'), [STS, AWS, STS], 100)).sort();
        const acknowledge = async (...wanted: readonly string[]) => {
          const events = await store.listEvents(readerOf('fresh'), [STS, AWS], 100);
          const found = events.filter((event) => wanted.includes(`${event.jobId} ${event.audience}`));
          await store.acknowledgeEvents(
            readerOf('one'),
            found.map((event) => event.id),
          );
        };
        await inTurn(['J1', 'J2', 'J3'], end);
        await acknowledge(`J3 ${STS}`, `J1 ${AWS}`);
        await acknowledge(`J1 ${STS}`, `J1 ${STS}`);
        expect(await waiting()).toEqual([`J2 ${AWS}`, `J2 ${STS}`, `J3 ${AWS}`].sort());
        await end('J4');
        await acknowledge(`J2 ${STS}`, `J3 ${AWS}`);
        await acknowledge(`J1 ${STS}`);
        expect(await waiting()).toEqual([`J2 ${AWS}`, `J4 ${AWS}`, `J4 ${STS}`].sort());
        await acknowledge(`J2 ${AWS}`, `J4 ${AWS}`, `J4 ${STS}`);
        expect(await waiting()).toEqual([]);
        await end('J5');
        expect(await waiting()).toEqual([`J5 ${AWS}`, `J5 ${STS}`].sort());
        expect(await store.listEvents(readerOf('two'), [STS], 100)).toHaveLength(5);
      },
    );

    requirement('that follow directly on the last acknowledged one are delivered', async ({ store }) => {
      const seen: string[] = [];
      await inTurn(['J1', 'J2', 'J3'], async (id) => {
        await startWithTokens(store, id, [STS]);
        await store.endJob(id, END);
        const events = await store.listEvents(readerOf('sts'), [STS], 10);
        seen.push(...places(events));
        await store.acknowledgeEvents(
          readerOf('sts'),
          events.map((event) => event.id),
        );
      });
      expect(seen).toEqual([`J1 ${STS}`, `J2 ${STS}`, `J3 ${STS}`]);
    });

    requirement('are told to every receiver of a client, whatever the others acknowledged', async (instance) => {
      const { store } = instance;
      const first = readerOf('sts', 'first');
      await startWithTokens(store, 'J1', [STS]);
      await startWithTokens(store, 'J2', [STS]);
      await inTurn(['J1', 'J2'], (id) => store.endJob(id, END));
      const [one, two] = await store.listEvents(first, [STS], 10);
      await store.acknowledgeEvents(first, [one?.id ?? '', two?.id ?? '']);
      await store.acknowledgeEvents(readerOf('sts'), [one?.id ?? '']);
      const again = await instance.restart();
      expect(await again.listEvents(first, [STS], 10)).toEqual([]);
      expect(places(await again.listEvents(readerOf('sts', 'second'), [STS], 10))).toEqual([`J1 ${STS}`, `J2 ${STS}`]);
      expect(places(await again.listEvents(readerOf('sts'), [STS], 10))).toEqual([`J2 ${STS}`]);
      expect(await again.listEvents(readerOf('other', 'first'), [STS], 10)).toHaveLength(2);
    });

    requirement('are told again to a receiver that MAX_RECEIVERS others have displaced', async ({ store }) => {
      await startWithTokens(store, 'J1', [STS]);
      await store.endJob('J1', END);
      const [event] = await store.listEvents(readerOf('sts'), [STS], 10);
      const acknowledge = (client: string, receiver: string) =>
        store.acknowledgeEvents(readerOf(client, receiver), [event?.id ?? '']);
      const waiting = async (receiver: string) => (await store.listEvents(readerOf('sts', receiver), [STS], 10)).length;
      await acknowledge('sts', 'displaced');
      await acknowledge('sts', 'kept');
      const later = Array.from({ length: MAX_RECEIVERS - 2 }, (_, index) => `later ${index}`);
      await inTurn(later, (receiver) => acknowledge('sts', receiver));
      await acknowledge('other', 'of another client');
      expect([await waiting('displaced'), await waiting('kept')]).toEqual([0, 0]);
      await acknowledge('sts', 'kept');
      await acknowledge('sts', 'one too many');
      await acknowledge('sts', 'and another');
      expect([await waiting('displaced'), await waiting('later 0'), await waiting('kept')]).toEqual([1, 1, 0]);
    });

    requirement('acknowledging unknown ids, or none, changes nothing', async ({ store }) => {
      await startWithTokens(store, 'J1', [STS]);
      await store.endJob('J1', END);
      await store.acknowledgeEvents(readerOf('sts'), []);
      await store.acknowledgeEvents(readerOf('sts'), ['E-unknown', '%']);
      expect(await store.listEvents(readerOf('sts'), [STS], 10)).toHaveLength(1);
    });

    requirement('never reuse a sequence, also after all were forgotten', async (instance) => {
      await startWithTokens(instance.store, 'J1', [STS]);
      await instance.store.endJob('J1', END);
      const [before] = await instance.store.listEvents(readerOf('sts'), [STS], 10);
      await instance.store.prune(LONG_AFTER);
      expect(await instance.store.listEvents(readerOf('sts'), [STS], 10)).toEqual([]);
      const again = await instance.restart();
      await startWithTokens(again, 'J2', [STS]);
      await again.endJob('J2', END);
      const [after] = await again.listEvents(readerOf('sts'), [STS], 10);
      expect(after?.sequence).toBeGreaterThan(before?.sequence ?? Number.POSITIVE_INFINITY);
    });
  });
}

function forgetting(engine: StoreEngine<IssuerStore>): void {
  const requirement = requirements(engine);
  describe('pruning', () => {
    requirement('keeps running jobs, living tokens and undelivered events', async ({ store }) => {
      await startWithTokens(store, 'J1', [STS]);
      await startWithTokens(store, 'J2', [STS]);
      await store.endJob('J2', END);
      await store.prune(NOW + 300);
      expect(await store.findJob('J1')).toEqual(jobOf('J1'));
      expect(await store.findToken(`J1 ${STS}`)).toBeDefined();
      expect(await store.findRequestToken('hash-of-first-J1')).toBeDefined();
      expect(await store.findJob('J2')).toBeDefined();
      expect(await store.listEvents(readerOf('sts'), [STS], 10)).toHaveLength(1);
    });

    requirement('keeps a token that a clock with the widest leeway would still accept', async ({ store }) => {
      await startWithTokens(store, 'J1', [STS]);
      await store.prune(NOW + 600 + 600);
      expect(await store.findToken(`J1 ${STS}`)).toBeDefined();
    });

    requirement('keeps a job that was never ended, however old: its end must still be told', async ({ store }) => {
      await startWithTokens(store, 'J1', [STS]);
      await store.prune(LONG_AFTER);
      expect(await store.findJob('J1')).toEqual(jobOf('J1'));
      expect((await store.listOverdueJobs(LONG_AFTER, 10)).map((job) => job.id)).toEqual(['J1']);
    });

    requirement(
      'keeps an undelivered event, and the job it tells of, as long as it was asked to',
      async ({ store }) => {
        await startWithTokens(store, 'J1', [STS]);
        await store.endJob('J1', { ...END, eventExpiresAt: LONG_AFTER });
        await store.prune(LONG_AFTER);
        expect(await store.listEvents(readerOf('sts'), [STS], 10)).toHaveLength(1);
        expect(await store.findJob('J1')).toBeDefined();
      },
    );

    requirement(
      'forgets events past their keeping, then jobs that are over, with all that hangs on them',
      async ({ store }) => {
        await startWithTokens(store, 'J1', [STS]);
        await store.endJob('J1', END);
        const [event] = await store.listEvents(readerOf('sts'), [STS], 10);
        await store.acknowledgeEvents(readerOf('sts'), [event?.id ?? '']);
        await store.prune(LONG_AFTER);
        expect(await store.findJob('J1')).toBeUndefined();
        expect(await store.findToken(`J1 ${STS}`)).toBeUndefined();
        expect(await store.findRequestToken('hash-of-first-J1')).toBeUndefined();
        expect(await store.listEvents(readerOf('other'), [STS], 10)).toEqual([]);
        const reuse = await store.startJob(jobOf('J2', { idempotencyKey: 'key-J1' }), requestTokenOf('J2'));
        expect(reuse.created).toBe(true);
      },
    );
  });
}

/** The second half of src/issuer/store.ts. */
export function issuerEventConformance(engine: StoreEngine<IssuerStore>): void {
  ends(engine);
  delivery(engine);
  forgetting(engine);
}
