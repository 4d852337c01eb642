// The STS's epochs and freezes: one row each, however many sessions they are about.
import { encodeRecord } from '../../base/audit/record.ts';
import type { Epoch, EpochScope } from '../../base/core/epoch.ts';
import { changeOf, type FreezeWish } from '../../base/core/freeze.ts';
import { EPOCH_KEPT_SECONDS } from '../../base/core/limits.ts';
import type { FreezeChange, StsStore } from '../../sts/store.ts';
import { decodeEpoch, decodeFreeze, encodeScope } from '../rows/epochs.ts';
import { endOffspring, partsFamilies } from '../rows/in-force.ts';
import { integer } from '../rows/row.ts';
import type { AuditChain } from './audit-chain.ts';
import type { SqliteDatabase } from './database.ts';

type EpochMethods = Pick<StsStore, 'raiseEpoch' | 'listEpochs' | 'setFreeze' | 'listFreezes'>;

/** Raising and freezing, each in a transaction of its own that no grant can share. */
export function stsEpochs(database: SqliteDatabase, chain: AuditChain): EpochMethods {
  const raise = epochRaiser(database);
  const epochs = database.prepare('SELECT scope, name, at FROM epoch ORDER BY scope, name');
  const freezes = database.prepare('SELECT scope, name, since, reach FROM freeze ORDER BY scope, name');
  const change = freezer(database);
  return {
    raiseEpoch: async ({ now, record, scope }) => {
      const entry = encodeRecord(record);
      return database.write(() => {
        chain.append(entry);
        return raise(scope, now);
      });
    },
    listEpochs: () => database.read(() => epochs.all().map(decodeEpoch)),
    setFreeze: async ({ record, ...asked }) => {
      const entry = encodeRecord(record);
      return database.write(() => {
        const changed = change({ ...asked, at: Math.floor(record.at / 1000) });
        if (asked.frozen || changed.after === undefined) chain.append(entry);
        return changed;
      });
    },
    listFreezes: () => database.read(() => freezes.all().map(decodeFreeze)),
  };
}

/** Changes a freeze within the write's transaction. */
function freezer(database: SqliteDatabase): (wish: FreezeWish) => FreezeChange {
  const find = database.prepare('SELECT scope, name, since, reach FROM freeze WHERE scope = $scope AND name = $name');
  const freeze = database.prepare(`
    INSERT INTO freeze (scope, name, since, reach) VALUES ($scope, $name, $since, $reach)
    ON CONFLICT DO UPDATE SET reach = excluded.reach`);
  const thaw = database.prepare('DELETE FROM freeze WHERE scope = $scope AND name = $name');
  return (wish) => {
    const scope = encodeScope(wish.scope);
    const row = find.get(scope);
    const change = changeOf(row === undefined ? undefined : decodeFreeze(row), wish);
    if (change.after === undefined) thaw.run(scope);
    else freeze.run({ ...scope, since: change.after.since, reach: change.after.reach });
    return change;
  };
}

/** Raises an epoch within the write's transaction. */
export function epochRaiser(database: SqliteDatabase): (scope: EpochScope, now: number) => Epoch {
  // Never back: what an earlier epoch ended stays ended, and what was granted by the mark's clock is of before, too.
  const raise = database.prepare(`
    INSERT INTO epoch (scope, name, at)
    VALUES ($scope, $name, max($now, (SELECT at FROM high_water WHERE only_row = 1)))
    ON CONFLICT DO UPDATE SET at = max(at, excluded.at)
    RETURNING at`);
  const offspring = {
    tenant: database.prepare(endOffspring('tenant')),
    role: database.prepare(endOffspring('role')),
  };
  return (scope, now) => {
    const at = integer(raise.get({ ...encodeScope(scope), now }) ?? {}, 'at');
    if (partsFamilies(scope)) offspring[scope.scope].run({ name: scope.name });
    return { ...scope, at };
  };
}

/** Forgets the epochs that nothing of before can be alive under. */
export function epochPruner(database: SqliteDatabase): (now: number) => void {
  const prune = database.prepare('DELETE FROM epoch WHERE at < ?');
  return (now) => {
    prune.run(now - EPOCH_KEPT_SECONDS);
  };
}
