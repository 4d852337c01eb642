// Freezes: what keeps more of a role, a tenant, an issuer, or anything at all, from being granted, and who may lift it. Words and rules only.
import type { EpochScope } from './epoch.ts';
import type { EpochSeconds } from './time.ts';

/** How far the authority of whoever set a freeze reaches: over all tenants, or over the tenant that the freeze is within. */
export type FreezeReach = 'all' | 'tenant';

/** What granting is stopped for. */
export type Freeze = EpochScope & {
  readonly since: EpochSeconds;
  /** Whose authority reaches less far does not lift it. */
  readonly reach: FreezeReach;
};

/** What somebody, who may act on the scope, asks for. */
export interface FreezeWish {
  readonly scope: EpochScope;
  readonly frozen: boolean;
  readonly reach: FreezeReach;
  readonly at: EpochSeconds;
}

/** What stood before somebody asked, and what stands since; undefined: nothing. */
export interface FreezeChange {
  readonly before: Freeze | undefined;
  readonly after: Freeze | undefined;
}

/** The freeze lasts since the first time and by the widest authority that set it. A wish to lift it by a narrower one changes nothing. */
export function changeOf(before: Freeze | undefined, { at, frozen, reach, scope }: FreezeWish): FreezeChange {
  const widest = before?.reach === 'all' ? 'all' : reach;
  if (frozen) return { before, after: { ...scope, since: before?.since ?? at, reach: widest } };
  return { before, after: widest === reach ? undefined : before };
}
