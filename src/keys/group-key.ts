// The symmetric keys of a gateway group. The STS makes them and gives them only to the group's gateways, wrapped.
import { createHash } from 'node:crypto';
import { JobpassError } from '../base/core/errors.ts';
import { Secret } from '../base/core/secret.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { Random } from '../base/ports/random.ts';
import type { KeyEncryptionKey } from './kek.ts';
import type { KeySchedule } from './lifecycle.ts';
import type { RingKind } from './live-ring.ts';
import type { StoredKey } from './store.ts';
import { isLiving, openKey, sealKey, soleActive } from './stored.ts';

/** An HMAC-SHA-256 key as long as the hash (RFC 2104 §3). */
export const GROUP_KEY_BYTES = 32;
/** 128 bits never meet by chance; an id made from the key would tell something of it. */
const ID_BYTES = 16;
const ALGORITHM = 'HS256';

/** A group's key and the id that session tokens and gateways call it by. */
export interface GroupKey {
  readonly id: string;
  readonly key: Secret<Uint8Array>;
}

/** All keys of a group that a living credential may follow from. */
export class GroupKeys {
  /** What new credentials follow from. */
  readonly active: GroupKey;
  /** Oldest first. */
  readonly living: readonly GroupKey[];
  /** Names exactly this set with this active key. */
  readonly id: string;

  /** Throws ERR_KEY_RING when the active one is not among the living. */
  constructor(living: readonly GroupKey[], activeId: string) {
    const active = living.find(({ id }) => id === activeId);
    if (active === undefined)
      throw new JobpassError('ERR_KEY_RING', 'the active key of a group is not one of its keys');
    this.active = active;
    this.living = living;
    this.id = groupKeySetId(
      living.map(({ id }) => id),
      activeId,
    );
  }

  /** Undefined: there is none any more. Null asks for the one of tokens that were made before they named their key. */
  find(id: string | null): GroupKey | undefined {
    return id === null ? this.living[0] : this.living.find((key) => key.id === id);
  }
}

/** The id of a set of keys, by theirs alone; that of one key is the key's. */
export const groupKeySetId = (ids: readonly string[], activeId: string): string =>
  ids.length === 1
    ? activeId
    : createHash('sha256')
        .update(JSON.stringify([ids, activeId]))
        .digest('base64url');

/** What a ring of group keys is. */
export interface GroupRing {
  /** `group/<name>`. */
  readonly ring: string;
  readonly kek: KeyEncryptionKey;
  readonly random: Random;
}

/** A ring of group keys. Its view throws ERR_KEY_UNREADABLE and ERR_KEY_RING as KeyRing.of does. */
export const groupKind = (ring: GroupRing, schedule: KeySchedule): RingKind<GroupKeys> => ({
  ring: ring.ring,
  kek: ring.kek,
  schedule,
  make: async (now) => newGroupKey(ring, now),
  view: (keys) => openGroupKeys(keys, ring),
});

function newGroupKey({ kek, random, ring }: GroupRing, now: EpochSeconds): StoredKey {
  const kid = Buffer.from(random.bytes(ID_BYTES)).toString('base64url');
  const times = { stateSince: now, createdAt: now };
  const record = { kid, ring, algorithm: ALGORITHM, state: 'prepared', ...times, publicJwk: null } as const;
  return sealKey(record, random.bytes(GROUP_KEY_BYTES), kek);
}

function openGroupKeys(stored: readonly StoredKey[], { kek, ring }: GroupRing): GroupKeys {
  const living = stored.filter(isLiving);
  const open = (record: StoredKey): GroupKey => {
    const key = openKey(record, kek);
    if (record.algorithm !== ALGORITHM || key.length !== GROUP_KEY_BYTES) {
      throw new JobpassError('ERR_KEY_UNREADABLE', `the record of key ${record.kid} in ${ring} contradicts itself`);
    }
    return { id: record.kid, key: new Secret(key) };
  };
  return new GroupKeys(living.map(open), soleActive(living, ring).kid);
}
