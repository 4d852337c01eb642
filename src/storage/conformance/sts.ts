// Conformance of the STS's store port, for any engine: grants and decisions. Ends and races are in sts-burials, sts-revocations, sts-races.
import { describe, expect } from 'vitest';
import { WIRES } from '../../base/audit/record.ts';
import type { StsStore } from '../../sts/store.ts';
import type { StoreEngine, StsStoreInstance } from './engine.ts';
import { grantedRecord, grantOf, ISSUER, inTurn, NOW, refusedRecord, sessionOf, tombstoneOf } from './fixtures.ts';
import { requirements } from './run.ts';
import { stsBurialConformance } from './sts-burials.ts';
import { stsEpochConformance } from './sts-epochs.ts';
import { stsFederationConformance } from './sts-federation.ts';
import { stsLookupConformance } from './sts-lookups.ts';
import { stsRaceConformance } from './sts-races.ts';
import { stsRevocationConformance } from './sts-revocations.ts';

type StsEngine = StoreEngine<StsStore, StsStoreInstance>;

const USE = { exp: NOW + 600, iss: ISSUER, jti: 'jti-1' };

/** A refusal must leave nothing: no session, no record, no use, no mark. */
async function expectNothingOf(store: StsStore, name: string): Promise<void> {
  expect(await store.findSession(`S${name}`)).toBeUndefined();
  expect(await store.findDecisions(`D${name}`)).toEqual([]);
}

function granting(engine: StsEngine): void {
  const requirement = requirements(engine);
  describe('a grant', () => {
    requirement('stores session and record, each as it was given, also after a restart', async (instance) => {
      expect(await instance.store.grant(grantOf('1', { uses: [USE] }))).toBe('granted');
      expect(await instance.store.findSession('S1')).toStrictEqual(sessionOf('1'));
      expect(await instance.store.findDecisions('D1')).toStrictEqual([grantedRecord('1')]);
      const again = await instance.restart();
      expect(await again.findSession('S1')).toStrictEqual(sessionOf('1'));
      expect(await again.findDecisions('D1')).toStrictEqual([grantedRecord('1')]);
    });

    requirement('to a token without a job stands beside any tombstone', async ({ store }) => {
      await store.buryJobs([tombstoneOf('J1')]);
      const change = { session: { jobId: null, jobBound: false } };
      expect(await store.grant(grantOf('1', change))).toBe('granted');
      expect(await store.findSession('S1')).toStrictEqual(sessionOf('1', change.session));
    });

    requirement(
      'with tags, names and a session policy keeps them, and tells an empty policy from none',
      async (instance) => {
        const tags = { pipeline: 'wéb', ['__proto__']: 'own' };
        const statement = {
          effect: 'allow',
          actions: ['s3:GetObject'],
          resources: ['arn:aws:s3:::web/*'],
          conditions: { StringEquals: { 's3:prefix': ['a', ''] }, Bool: { 'aws:SecureTransport': true } },
          line: 1,
        } as const;
        const whole = { tags, sourceIdentity: 'you', name: 'job-1', policy: [statement] };
        await instance.store.grant(grantOf('1', { session: whole }));
        await instance.store.grant(grantOf('2', { session: { policy: [] } }));
        const again = await instance.restart();
        expect(await again.findSession('S1')).toStrictEqual(sessionOf('1', whole));
        expect(await again.findSession('S2')).toStrictEqual(sessionOf('2', { policy: [] }));
      },
    );

    requirement('without its own record is not stored', async ({ store }) => {
      const grant = grantOf('1');
      const foreign = [
        { ...grant, record: grantedRecord('2') },
        { ...grant, record: grantedRecord('1', { sessionId: 'S2' }) },
        { ...grant, record: refusedRecord('1') },
        { ...grant, session: sessionOf('1', { decisionId: 'D2' }) },
      ];
      await inTurn(foreign, async (wrong) => {
        await expect(store.grant(wrong)).rejects.toMatchObject({ code: 'ERR_STORE_MISUSE' });
      });
      await expectNothingOf(store, '1');
    });

    requirement(
      'under a taken id is rejected whole, and spares what was asked for at the same time',
      async ({ store }) => {
        await store.grant(grantOf('1'));
        const sameSession = grantOf('2', { session: { id: 'S1' }, uses: [USE] });
        const settled = await Promise.allSettled([
          store.grant(grantOf('3')),
          store.grant({ ...sameSession, record: grantedRecord('2', { sessionId: 'S1' }) }),
          store.grant(grantOf('4')),
        ]);
        expect(settled).toMatchObject([
          { status: 'fulfilled', value: 'granted' },
          { status: 'rejected', reason: { code: 'ERR_STORE_UNAVAILABLE' } },
          { status: 'fulfilled', value: 'granted' },
        ]);
        expect(await store.findDecisions('D2')).toEqual([]);
        expect(await store.grant(grantOf('5', { uses: [USE] }))).toBe('granted');
        expect((await store.listDecisions(10)).map((record) => record.id)).toEqual(['D5', 'D4', 'D3', 'D1']);
      },
    );
  });
}

function refusing(engine: StsEngine): void {
  const requirement = requirements(engine);
  describe('a grant is refused', () => {
    requirement('when the job has a tombstone, and stores nothing', async ({ store }) => {
      await store.buryJobs([tombstoneOf('J1')]);
      expect(await store.grant(grantOf('1', { uses: [USE] }))).toBe('job_ended');
      await expectNothingOf(store, '1');
      expect(await store.grant(grantOf('2', { uses: [USE] }))).toBe('granted');
    });

    requirement('when the job has a tombstone, also when the job binds no session', async ({ store }) => {
      await store.buryJobs([tombstoneOf('J1')]);
      expect(await store.grant(grantOf('1', { session: { jobBound: false } }))).toBe('job_ended');
    });

    requirement('when its single use was used before, also after a restart, and stores nothing', async (instance) => {
      await instance.store.grant(grantOf('1', { uses: [USE] }));
      expect(await instance.store.grant(grantOf('2', { uses: [USE] }))).toBe('token_replayed');
      const again = await instance.restart();
      expect(await again.grant(grantOf('2', { uses: [USE] }))).toBe('token_replayed');
      await expectNothingOf(again, '2');
    });

    requirement('only for the very same exp, iss and jti', async ({ store }) => {
      await store.grant(grantOf('1', { uses: [USE] }));
      expect(await store.grant(grantOf('2', { uses: [{ ...USE, exp: USE.exp + 1 }] }))).toBe('granted');
      expect(await store.grant(grantOf('3', { uses: [{ ...USE, iss: `${ISSUER}/` }] }))).toBe('granted');
      expect(await store.grant(grantOf('4', { uses: [{ ...USE, jti: 'JTI-1' }] }))).toBe('granted');
      expect(await store.grant(grantOf('5', { uses: [{ ...USE, jti: 'jti-1 ' }] }))).toBe('granted');
      expect(await store.grant(grantOf('6'))).toBe('granted');
    });

    requirement('all but once when one token is used many times at once on two replicas', async (instance) => {
      const stores = [instance.store, await instance.replica()];
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => stores[index % 2]?.grant(grantOf(`${index}x`, { uses: [USE] }))),
      );
      expect(outcomes.filter((outcome) => outcome === 'granted')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'token_replayed')).toHaveLength(19);
      expect(await instance.store.listDecisions(100)).toHaveLength(1);
    });

    requirement(
      'when now lies more than the skew below the highest time granted at, also after a restart',
      async (instance) => {
        await instance.store.grant(grantOf('1', { now: NOW }));
        expect(await instance.store.grant(grantOf('2', { now: NOW - 31 }))).toBe('clock_behind');
        await expectNothingOf(instance.store, '2');
        const again = await instance.restart();
        expect(await again.grant(grantOf('2', { now: NOW - 31 }))).toBe('clock_behind');
        expect(await again.grant(grantOf('2', { now: NOW - 30 }))).toBe('granted');
      },
    );

    requirement(
      'by the highest time, which an earlier grant does not lower and a refused one does not raise',
      async ({ store }) => {
        await store.grant(grantOf('1', { now: NOW }));
        await store.grant(grantOf('2', { now: NOW - 30 }));
        expect(await store.grant(grantOf('3', { now: NOW - 31 }))).toBe('clock_behind');
        await store.buryJobs([tombstoneOf('J4')]);
        expect(await store.grant(grantOf('4', { now: NOW + 1000 }))).toBe('job_ended');
        expect(await store.grant(grantOf('5', { now: NOW }))).toBe('granted');
      },
    );

    requirement('when now is no number', async ({ store }) => {
      expect(await store.grant(grantOf('1', { now: Number.NaN }))).toBe('clock_behind');
      await expectNothingOf(store, '1');
    });
  });
}

function decisions(engine: StsEngine): void {
  const requirement = requirements(engine);
  describe('decisions', () => {
    requirement('a refusal is recorded as it was given, also after a restart', async (instance) => {
      await instance.store.recordRefusal(refusedRecord('1'));
      expect(await instance.store.findDecisions('D1')).toStrictEqual([refusedRecord('1')]);
      const again = await instance.restart();
      expect(await again.findDecisions('D1')).toStrictEqual([refusedRecord('1')]);
    });

    requirement('of every wire are found again', async ({ store }) => {
      const records = WIRES.map((wire, index) => refusedRecord(`W${index}`, { wire }));
      await inTurn(records, (record) => store.recordRefusal(record));
      await inTurn(records, async (record) => {
        expect(await store.findDecisions(record.id)).toStrictEqual([record]);
      });
    });

    requirement('a grant is not recorded as a refusal', async ({ store }) => {
      await expect(store.recordRefusal(grantedRecord('1'))).rejects.toMatchObject({ code: 'ERR_STORE_MISUSE' });
    });

    requirement('are found by any beginning of their id, at most two', async ({ store }) => {
      await inTurn(['AAA1', 'AAA2', 'AAA3', 'AB'], (name) => store.recordRefusal(refusedRecord(name)));
      expect((await store.findDecisions('DAAA2')).map((record) => record.id)).toEqual(['DAAA2']);
      expect((await store.findDecisions('DAB')).map((record) => record.id)).toEqual(['DAB']);
      expect(await store.findDecisions('DAAA')).toHaveLength(2);
      expect(await store.findDecisions('DAAA22')).toEqual([]);
    });

    requirement('are not found by patterns or another case', async ({ store }) => {
      await store.recordRefusal(refusedRecord('AAA1'));
      await inTurn(['D%', 'D_AA', 'D*', 'daaa', 'AAA1'], async (prefix) => {
        expect(await store.findDecisions(prefix)).toEqual([]);
      });
    });

    requirement('are listed newest first, at most `limit`', async ({ store }) => {
      await store.recordRefusal(refusedRecord('2'));
      await store.grant(grantOf('3'));
      await store.recordRefusal(refusedRecord('1'));
      expect((await store.listDecisions(10)).map((record) => record.id)).toEqual(['D1', 'D3', 'D2']);
      expect((await store.listDecisions(1)).map((record) => record.id)).toEqual(['D1']);
    });

    requirement('of chosen tenants are found and listed alone, however many others there are', async ({ store }) => {
      const of = (name: string, tenant: string | null) =>
        store.recordRefusal(refusedRecord(name, { role: tenant === null ? null : { tenant, name: 'x' } }));
      await inTurn([1, 2, 3], (index) => of(`AAA0${index}`, 'other'));
      await of('AAA4', 'main');
      await of('AAA5', null);
      await of('AAA6', 'third');
      await inTurn([1, 2, 3], (index) => of(`AAB${index}`, 'other'));
      await of('AAB4', 'main');
      const ids = (records: readonly { readonly id: string }[]) => records.map((record) => record.id);
      const main = { tenants: ['main'] };
      expect(ids(await store.findDecisions('DAAA', main))).toEqual(['DAAA4']);
      expect(ids(await store.findDecisions('DAAA5', main))).toEqual([]);
      expect(ids(await store.listDecisions(10, main))).toEqual(['DAAB4', 'DAAA4']);
      expect(ids(await store.listDecisions(1, main))).toEqual(['DAAB4']);
      const both = { tenants: ['third', 'main', 'main'] };
      expect(ids(await store.findDecisions('DAAA', both))).toEqual(['DAAA4', 'DAAA6']);
      expect(ids(await store.listDecisions(2, both))).toEqual(['DAAB4', 'DAAA6']);
      expect(await store.listDecisions(10, { tenants: [] })).toEqual([]);
      expect(await store.findDecisions('DAAA', { tenants: [] })).toEqual([]);
      expect(await store.listDecisions(10, { tenants: ['ma', 'MAIN', '%'] })).toEqual([]);
    });
  });
}

function identity(engine: StsEngine): void {
  const requirement = requirements(engine);
  describe('the identity of a store', () => {
    requirement('is its own, and the same on every replica and after a restart', async (instance) => {
      const born = await instance.store.identity();
      expect(born.id).toMatch(/^[A-Za-z0-9_-]{16,64}$/);
      expect(Number.isSafeInteger(born.bornAt)).toBe(true);
      expect(await (await instance.replica()).identity()).toEqual(born);
      expect(await (await instance.restart()).identity()).toEqual(born);
      const other = await engine.create();
      expect((await other.store.identity()).id).not.toBe(born.id);
      await other.destroy();
    });

    requirement('is what it was given last, on every replica and after a restart; the rest stays', async (instance) => {
      await instance.store.grant(grantOf('1'));
      const replica = await instance.replica();
      await instance.store.renewIdentity({ id: 'first', bornAt: NOW });
      await replica.renewIdentity({ id: 'second', bornAt: NOW + 1 });
      expect(await instance.store.identity()).toEqual({ id: 'second', bornAt: NOW + 1 });
      const again = await instance.restart();
      expect(await again.identity()).toEqual({ id: 'second', bornAt: NOW + 1 });
      expect(await again.findSession('S1')).toBeDefined();
    });
  });

  describe('the high-water mark', () => {
    requirement('is the latest time granted at or forgotten at, also after a restart', async (instance) => {
      await instance.store.grant(grantOf('1', { now: NOW }));
      await instance.store.grant(grantOf('2', { now: NOW - 30 }));
      expect(await instance.store.highWaterMark()).toBe(NOW);
      await instance.store.prune(NOW + 5000);
      await instance.store.prune(NOW + 10);
      expect(await (await instance.restart()).highWaterMark()).toBe(NOW + 5000);
    });
  });
}

/** Every sentence of src/sts/store.ts. */
export function stsStoreConformance(engine: StsEngine): void {
  describe('STS store', () => {
    granting(engine);
    refusing(engine);
    decisions(engine);
    identity(engine);
    stsBurialConformance(engine);
    stsFederationConformance(engine);
    stsRevocationConformance(engine);
    stsEpochConformance(engine);
    stsLookupConformance(engine);
    stsRaceConformance(engine);
  });
}
