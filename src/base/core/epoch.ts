// Epochs: moments up to which everything of a role, a tenant, an issuer, or everything at all, has ended. Words and comparisons only.
import type { EpochSeconds } from './time.ts';

/** What an epoch ends, or a freeze keeps from being granted. `name`: `tenant/role`, a tenant, or an issuer's URL. */
export type EpochScope =
  | { readonly scope: 'all' }
  | { readonly scope: 'issuer'; readonly name: string }
  | { readonly scope: 'tenant'; readonly name: string }
  | { readonly scope: 'role'; readonly name: string };

/** Ends every session of its scope that was issued at `at` or before, and every identity token issued by then. */
export type Epoch = EpochScope & { readonly at: EpochSeconds };

/** What epochs and freezes know of a session. */
export interface Scoped {
  /** `tenant/name`; null: it has no role yet, so it is of no tenant either. */
  readonly role: string | null;
  /** The CI's issuer. */
  readonly issuer: string;
}

/** Whether a session is of the scope. Names are compared byte for byte. */
export function isWithin(scope: EpochScope, { issuer, role }: Scoped): boolean {
  switch (scope.scope) {
    case 'all':
      return true;
    case 'issuer':
      return scope.name === issuer;
    case 'tenant':
      return role !== null && role.slice(0, role.indexOf('/')) === scope.name;
    case 'role':
      return role === scope.name;
  }
}

/** The name that the scope has among others of its kind; there is one `all`, and it has none. */
export const nameOfScope = (scope: EpochScope): string => (scope.scope === 'all' ? '' : scope.name);

/** `role main/publish-web`, `all`. */
export const formatScope = (scope: EpochScope): string =>
  scope.scope === 'all' ? 'all' : `${scope.scope} ${scope.name}`;

/** The scope of a kind and a name; undefined when the kind is none, or has a name where it wants none. */
export function scopeOf(kind: string, name: string): EpochScope | undefined {
  if (kind === 'all') return name === '' ? { scope: 'all' } : undefined;
  if (name === '') return undefined;
  return kind === 'issuer' || kind === 'tenant' || kind === 'role' ? { scope: kind, name } : undefined;
}
