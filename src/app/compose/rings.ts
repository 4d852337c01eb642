// Opens the key rings of a server that is being put together, with the one that keeps them up to date. Nothing runs yet.
import type { ClientRegistry } from '../../base/client-auth/authenticate.ts';
import type { WatchableStore } from '../../base/core/change-watch.ts';
import { MAX_SESSION_SECONDS } from '../../base/core/limits.ts';
import type { Route } from '../../base/ports/http.ts';
import type { Log } from '../../base/ports/log.ts';
import { RefusalDesk } from '../../base/refusal/desk.ts';
import { publicFiles } from '../../issuer/discovery.ts';
import { keyRoutes } from '../../keys/admin-routes.ts';
import { type GroupKeys, groupKind } from '../../keys/group-key.ts';
import { KeyKeeper } from '../../keys/keeper.ts';
import { type KeySchedule, type PublishedSince, retainSecondsFor } from '../../keys/lifecycle.ts';
import { LiveKeys, LiveRing, signingKind } from '../../keys/live-ring.ts';
import type { KeyStore } from '../../keys/store.ts';
import type { StsDeps } from '../../sts/sts.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { IssuerPlan, KeyRotationPlan, StoragePlan, StsPlan } from '../config/plan.ts';
import { runningKekOf } from './kek-of.ts';
import { KeyExporter } from './key-export.ts';

/** The longest life of what a ring's keys sign or derive, whatever the configuration says now: it may have said another before. */
const LONGEST_LIFE_SECONDS = { idToken: 3600, session: MAX_SESSION_SECONDS } as const;

const scheduleFor = (rotation: KeyRotationPlan, longestLifeSeconds: number): KeySchedule => ({
  ...rotation,
  retainSeconds: retainSecondsFor(longestLifeSeconds),
});

const ports = { clock: systemClock, random: systemRandom };

/** The ring of ID tokens and events. Throws as `KeyRing.of` does. */
export async function openIssuerKeys(
  plan: Pick<IssuerPlan, 'settings' | 'encryptionKey' | 'encryptionKeyBefore' | 'keyRotation' | 'keyExport'>,
  store: KeyStore & WatchableStore,
  log: Log,
): Promise<{
  readonly keys: LiveKeys;
  readonly keeper: KeyKeeper;
  readonly exporter: KeyExporter | null;
  readonly files: () => ReadonlyMap<string, string>;
}> {
  const signing = { ring: 'id-token', algorithm: plan.settings.algorithm, kek: runningKekOf(plan) } as const;
  const schedule = scheduleFor(plan.keyRotation, LONGEST_LIFE_SECONDS.idToken);
  let exporter: KeyExporter | null = null;
  const publishedSince: PublishedSince = (key) =>
    exporter === null ? key.stateSince : exporter.publishedSince(key.kid);
  const kind = { ...signingKind(signing, schedule), publishedSince };
  const ring = await LiveRing.open(kind, { ...ports, store });
  const keeper = new KeyKeeper({ store, rings: [ring], clock: systemClock, log, server: 'issuer' });
  const keys = new LiveKeys(ring);
  const files = (): ReadonlyMap<string, string> => publicFiles(plan.settings, keys);
  if (plan.keyExport !== null) {
    const documents = () => ({ files: files(), kids: keys.verificationKeys().map(({ kid }) => kid ?? '') });
    exporter = new KeyExporter({ plan: plan.keyExport, documents, clock: systemClock, log });
  }
  keeper.onChange(() => void exporter?.export());
  return { keys, keeper, exporter, files };
}

/** The ring of what the STS signs, and those of every group of gateways. Throws as `KeyRing.of` does. */
export async function openStsKeys(
  plan: StsPlan,
  store: KeyStore & WatchableStore,
  log: Log,
): Promise<Pick<StsDeps, 'keys' | 'groupKeys'> & { readonly keeper: KeyKeeper }> {
  const kek = runningKekOf(plan);
  const schedule = scheduleFor(plan.keyRotation, LONGEST_LIFE_SECONDS.session);
  const signing = signingKind({ ring: 'access-token', algorithm: 'ES256', kek }, schedule);
  const ring = await LiveRing.open(signing, { ...ports, store });
  const groups = [...new Set(plan.settings.gateways.map(({ group }) => group))];
  const groupKeys = new Map<string, LiveRing<GroupKeys>>();
  for (const group of groups) {
    const kind = groupKind({ ring: `group/${group}`, kek, random: systemRandom }, schedule);
    groupKeys.set(group, await LiveRing.open(kind, { ...ports, store }));
  }
  const rings = [ring, ...groupKeys.values()];
  const keeper = new KeyKeeper({ store, rings, clock: systemClock, log, server: 'sts' });
  return { keys: new LiveKeys(ring), groupKeys, keeper };
}

/** The key rings for a server's operators, on whatever listens for them. */
export const keyAdminRoutes = <Grant extends { readonly keys: readonly string[] }>(
  plan: StoragePlan,
  o: {
    readonly clients: ClientRegistry<Grant>;
    readonly keeper: KeyKeeper;
    readonly store: KeyStore;
    readonly log: Log;
    /** What `keys export` writes; absent where there is nothing to export. */
    readonly files?: () => ReadonlyMap<string, string>;
  },
): readonly Route[] => {
  const { clients, files, keeper, log, store } = o;
  const refusals = new RefusalDesk({ ...ports, log });
  const rewrap = { ...ports, store, kek: runningKekOf(plan) };
  return keyRoutes({ clients, refusals }, { keeper, rewrap, files: files ?? null });
};
