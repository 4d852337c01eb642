// Conformance of the issuer's store port, for any engine: jobs and request tokens. Events are in issuer-events.
import { describe, expect } from 'vitest';
import type { IssuerStore } from '../../issuer/store.ts';
import type { StoreEngine } from './engine.ts';
import { FACTS, inTurn, issuedTokenOf, jobOf, NOW, requestTokenOf } from './fixtures.ts';
import { issuerEventConformance } from './issuer-events.ts';
import { requirements } from './run.ts';

const END = { at: NOW + 60, reason: 'finished', eventExpiresAt: NOW + 3600 } as const;

function starting(engine: StoreEngine<IssuerStore>): void {
  const requirement = requirements(engine);
  describe('starting a job', () => {
    requirement('stores every fact of it, also after a restart', async (instance) => {
      const job = jobOf('J1', { heartbeatSeconds: 30 });
      expect(await instance.store.startJob(job, requestTokenOf('J1'))).toEqual({ created: true, job });
      expect(await instance.store.findJob('J1')).toEqual(job);
      const again = await instance.restart();
      expect(await again.findJob('J1')).toEqual(job);
      expect(await again.findRequestToken('hash-of-first-J1')).toEqual(requestTokenOf('J1'));
    });

    requirement('keeps facts that are absent absent', async ({ store }) => {
      const { workflowRef, environment, ...facts } = FACTS;
      expect([workflowRef, environment]).not.toContain(undefined);
      await store.startJob(jobOf('J1', { facts }), requestTokenOf('J1'));
      expect((await store.findJob('J1'))?.facts).toStrictEqual(facts);
    });

    requirement(
      'under a key already used by this controller finds the first job and stores nothing',
      async ({ store }) => {
        await store.startJob(jobOf('J1'), requestTokenOf('J1'));
        const retry = jobOf('J2', { idempotencyKey: 'key-J1', requestDigest: 'another' });
        expect(await store.startJob(retry, requestTokenOf('J2'))).toEqual({ created: false, job: jobOf('J1') });
        expect(await store.findJob('J2')).toBeUndefined();
        expect(await store.findRequestToken('hash-of-first-J2')).toBeUndefined();
      },
    );

    requirement('finds the first job under its key also when it is over', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      await store.endJob('J1', END);
      const retry = await store.startJob(jobOf('J2', { idempotencyKey: 'key-J1' }), requestTokenOf('J2'));
      expect(retry).toMatchObject({ created: false, job: { id: 'J1', endedAt: END.at } });
    });

    requirement('under another controller’s key is another job', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      const other = jobOf('J2', { controller: 'buildbot', idempotencyKey: 'key-J1' });
      expect(await store.startJob(other, requestTokenOf('J2'))).toEqual({ created: true, job: other });
    });

    requirement('many times at once under one key creates one', async (instance) => {
      const stores = [instance.store, await instance.replica()];
      const starts = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          stores[index % 2]?.startJob(jobOf(`J${index}`, { idempotencyKey: 'same' }), requestTokenOf(`J${index}`)),
        ),
      );
      expect(starts.filter((start) => start?.created === true)).toHaveLength(1);
      expect(new Set(starts.map((start) => start?.job.id)).size).toBe(1);
    });

    requirement(
      'with an id already taken is rejected, and spares what was asked for at the same time',
      async ({ store }) => {
        await store.startJob(jobOf('J1'), requestTokenOf('J1'));
        const [clash, other] = await Promise.allSettled([
          store.startJob(jobOf('J1', { idempotencyKey: 'new' }), requestTokenOf('J1', { hash: 'new' })),
          store.startJob(jobOf('J2'), requestTokenOf('J2')),
        ]);
        expect(clash).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_UNAVAILABLE' } });
        expect(other).toMatchObject({ status: 'fulfilled', value: { created: true } });
        expect(await store.findRequestToken('new')).toBeUndefined();
        expect(await store.findJob('J2')).toEqual(jobOf('J2'));
      },
    );
  });
}

function requestTokens(engine: StoreEngine<IssuerStore>): void {
  const requirement = requirements(engine);
  describe('request tokens', () => {
    requirement('an unknown hash finds none', async ({ store }) => {
      expect(await store.findRequestToken('nothing')).toBeUndefined();
    });

    requirement('are added up to the bound, the first one counted', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      const narrow = requestTokenOf('J1', { hash: 'h2', audiences: ['sts.amazonaws.com'] });
      expect(await store.addRequestToken(narrow, 2)).toBe('added');
      expect(await store.findRequestToken('h2')).toEqual(narrow);
      expect(await store.addRequestToken(requestTokenOf('J1', { hash: 'h3' }), 2)).toBe('too_many');
      expect(await store.findRequestToken('h3')).toBeUndefined();
    });

    requirement('keep to the bound when many are added at once', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      const added = await Promise.all(
        Array.from({ length: 8 }, (_, index) => store.addRequestToken(requestTokenOf('J1', { hash: `h${index}` }), 4)),
      );
      expect(added.filter((outcome) => outcome === 'added')).toHaveLength(3);
    });

    requirement('may narrow to no audience at all, which is not the same as all', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      await store.addRequestToken(requestTokenOf('J1', { hash: 'h2', audiences: [] }), 5);
      expect((await store.findRequestToken('h2'))?.audiences).toEqual([]);
    });

    requirement('are not added to a job that is over or unknown', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      await store.endJob('J1', END);
      expect(await store.addRequestToken(requestTokenOf('J1', { hash: 'h2' }), 5)).toBe('job_ended');
      expect(await store.addRequestToken(requestTokenOf('J9', { hash: 'h3' }), 5)).toBe('job_ended');
      expect(await store.findRequestToken('h2')).toBeUndefined();
    });
  });
}

function heartbeats(engine: StoreEngine<IssuerStore>): void {
  const requirement = requirements(engine);
  describe('heartbeats and overdue jobs', () => {
    requirement('a heartbeat moves forward, never back', async ({ store }) => {
      await store.startJob(jobOf('J1', { heartbeatSeconds: 30 }), requestTokenOf('J1'));
      expect(await store.heartbeat('J1', NOW + 20)).toBe(true);
      expect(await store.heartbeat('J1', NOW + 10)).toBe(true);
      expect((await store.findJob('J1'))?.lastHeartbeatAt).toBe(NOW + 20);
    });

    requirement('a job that is over or unknown takes no heartbeat', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      await store.endJob('J1', END);
      expect(await store.heartbeat('J1', NOW + 61)).toBe(false);
      expect(await store.heartbeat('J9', NOW)).toBe(false);
      expect((await store.findJob('J1'))?.lastHeartbeatAt).toBe(NOW);
    });

    requirement('a job is overdue once its deadline lies before now, not at it', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      expect(await store.listOverdueJobs(NOW + 600, 10)).toEqual([]);
      expect(await store.listOverdueJobs(NOW + 601, 10)).toEqual([jobOf('J1')]);
    });

    requirement(
      'a job is overdue once its next heartbeat lies before now, and a heartbeat puts it off',
      async ({ store }) => {
        await store.startJob(jobOf('J1', { heartbeatSeconds: 30 }), requestTokenOf('J1'));
        expect(await store.listOverdueJobs(NOW + 30, 10)).toEqual([]);
        expect((await store.listOverdueJobs(NOW + 31, 10)).map((job) => job.id)).toEqual(['J1']);
        await store.heartbeat('J1', NOW + 25);
        expect(await store.listOverdueJobs(NOW + 31, 10)).toEqual([]);
      },
    );

    requirement('jobs that are over are not overdue, and the limit holds', async ({ store }) => {
      await inTurn(['J1', 'J2', 'J3', 'J4'], (id) => store.startJob(jobOf(id), requestTokenOf(id)));
      await store.endJob('J2', END);
      expect((await store.listOverdueJobs(NOW + 700, 10)).map((job) => job.id).sort()).toEqual(['J1', 'J3', 'J4']);
      expect(await store.listOverdueJobs(NOW + 700, 2)).toHaveLength(2);
    });
  });
}

function tokens(engine: StoreEngine<IssuerStore>): void {
  const requirement = requirements(engine);
  describe('mints', () => {
    requirement('are recorded while the job runs, also after a restart', async (instance) => {
      await instance.store.startJob(jobOf('J1'), requestTokenOf('J1'));
      expect(await instance.store.recordToken(issuedTokenOf('t1', 'J1'))).toBe(true);
      expect(await instance.store.findToken('t1')).toEqual(issuedTokenOf('t1', 'J1'));
      const again = await instance.restart();
      expect(await again.findToken('t1')).toEqual(issuedTokenOf('t1', 'J1'));
    });

    requirement('are known by their audiences, each once, as long as the job is', async (instance) => {
      const { store } = instance;
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      await store.startJob(jobOf('J2'), requestTokenOf('J2'));
      await store.recordToken(issuedTokenOf('t1', 'J1', { audience: 'b', expiresAt: NOW + 900 }));
      await store.recordToken(issuedTokenOf('t2', 'J1', { audience: 'b', expiresAt: NOW + 600 }));
      await store.recordToken(issuedTokenOf('t3', 'J1', { audience: 'a', expiresAt: NOW + 60 }));
      await store.recordToken(issuedTokenOf('t4', 'J2', { audience: 'c' }));
      await store.endJob('J1', END);
      const [a, b] = [
        { audience: 'a', tokensUntil: NOW + 60 },
        { audience: 'b', tokensUntil: NOW + 900 },
      ];
      expect(await store.listAudiences('J1')).toEqual([a, b]);
      await store.prune(NOW + 700);
      const again = await instance.restart();
      expect(await again.listAudiences('J1')).toEqual([{ ...a, tokensUntil: null }, b]);
      expect(await again.listAudiences('J9')).toEqual([]);
    });

    requirement('are refused and not stored when the job is over or unknown', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      await store.endJob('J1', END);
      expect(await store.recordToken(issuedTokenOf('t1', 'J1'))).toBe(false);
      expect(await store.recordToken(issuedTokenOf('t2', 'J9'))).toBe(false);
      expect(await store.findToken('t1')).toBeUndefined();
      expect(await store.findToken('t2')).toBeUndefined();
    });

    requirement('an end that was asked for first is met by a mint asked for in the same moment', async ({ store }) => {
      await store.startJob(jobOf('J1'), requestTokenOf('J1'));
      const [, minted] = await Promise.all([store.endJob('J1', END), store.recordToken(issuedTokenOf('t1', 'J1'))]);
      expect(minted).toBe(false);
    });
  });
}

/** Every sentence of src/issuer/store.ts. */
export function issuerStoreConformance(engine: StoreEngine<IssuerStore>): void {
  describe('issuer store', () => {
    starting(engine);
    requestTokens(engine);
    heartbeats(engine);
    tokens(engine);
    issuerEventConformance(engine);
  });
}
