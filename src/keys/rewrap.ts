// Seals every key of a store anew, under the key-encryption key that is the current one. One ring at a time, each as a whole: after a
// crash in the middle every record is readable by the one key or the other, and doing it again finishes it.
import { newAction } from '../base/audit/new-action.ts';
import type { ActionRecord } from '../base/audit/record.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Random } from '../base/ports/random.ts';
import type { KeyEncryptionKey } from './kek.ts';
import type { KeyStore, StoredKey } from './store.ts';
import { resealed } from './stored.ts';

const MAX_ATTEMPTS = 3;

/** The keys to seal anew, and what with. */
export interface RewrapDeps {
  readonly store: KeyStore;
  /** Opens what the old or the current key sealed, and seals with the current one. */
  readonly kek: KeyEncryptionKey;
  readonly clock: Clock;
  readonly random: Random;
}

/** What was sealed anew: the keys of each ring, gone ones too. */
export type Rewrapped = ReadonlyMap<string, number>;

/**
 * Every ring of the store, those too that no server works with at the moment. Throws ERR_KEY_UNREADABLE when a record opens with
 * neither key; fails with `ring_changed` when a ring keeps changing. What was done before stays done.
 */
export async function rewrapAll(deps: RewrapDeps, actor: ActionRecord['actor']): Promise<Result<Rewrapped, Failure>> {
  const done = new Map<string, number>();
  for (const ring of (await deps.store.listRingVersions()).keys()) {
    const keys = await rewrapRing(deps, ring, actor);
    if (keys === null)
      return err(failure('ring_changed', `the ring ${ring} was changed ${MAX_ATTEMPTS} times meanwhile`));
    done.set(ring, keys);
  }
  return ok(done);
}

async function rewrapRing(
  { clock, kek, random, store }: RewrapDeps,
  ring: string,
  actor: ActionRecord['actor'],
): Promise<number | null> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const { keys: sealed, version: expectedVersion } = await store.readRing(ring);
    const keys: readonly StoredKey[] = sealed.map((key) => resealed(key, kek));
    const detail = { keys: keys.length };
    const facts = { actor, action: 'key.rewrap', tenant: null, target: `ring ${ring}`, detail } as const;
    const record = newAction({ clock, random }, facts);
    if (await store.replaceRing({ ring, expectedVersion, keys, record })) return keys.length;
  }
  return null;
}
