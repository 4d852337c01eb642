// The active roles as one immutable, content-addressed set with its indexes. Reading files is the readers' business.
import { createHash } from 'node:crypto';
import { formatRoleRef, type RoleRef } from '../base/core/decision.ts';
import { JobpassError } from '../base/core/errors.ts';
import type { PermissionSet, RolePermissions } from '../base/core/permissions.ts';
import { canonicalJson } from '../base/json/parse.ts';
import type { Role } from './role.ts';

/** The roles that decisions are made by. */
export interface PolicySet {
  /** SHA-256 over the roles' names and digests, hex: equal files make equal sets, whatever their order. */
  readonly id: string;
  readonly size: number;
  find(ref: RoleRef): Role | undefined;
  /** The roles of one tenant, by name. */
  rolesOf(tenant: string): Iterable<Role>;
  /** What the gateways of one group need; made on first use and kept. */
  permissionsOf(group: string): PermissionSet;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Builds a set. Throws ERR_ROLE_DUPLICATE when two roles of one tenant have one name. */
export function buildPolicySet(roles: readonly Role[]): PolicySet {
  const sorted = [...roles].sort((a, b) => byText(a.ref.tenant, b.ref.tenant) || byText(a.ref.name, b.ref.name));
  // Nested rather than keyed by `tenant/name`: no name, however it is spelt, can reach into another tenant.
  const tenants = new Map<string, Map<string, Role>>();
  const groups = new Map<string, Role[]>();
  const hash = createHash('sha256');
  for (const role of sorted) {
    const named = tenants.get(role.ref.tenant) ?? new Map<string, Role>();
    if (named.has(role.ref.name)) {
      throw new JobpassError('ERR_ROLE_DUPLICATE', `two files make the role ${formatRoleRef(role.ref)}`);
    }
    tenants.set(role.ref.tenant, named.set(role.ref.name, role));
    const group = groups.get(role.session.gateway);
    if (group === undefined) groups.set(role.session.gateway, [role]);
    else group.push(role);
    hash.update(`${JSON.stringify([role.ref.tenant, role.ref.name, role.digest])}\n`);
  }
  const permissions = new Map<string, PermissionSet>();
  return {
    id: hash.digest('hex'),
    size: sorted.length,
    find: (ref) => tenants.get(ref.tenant)?.get(ref.name),
    rolesOf: (tenant) => tenants.get(tenant)?.values() ?? [],
    permissionsOf: (group) => {
      const known = permissions.get(group) ?? permissionSet(groups.get(group) ?? []);
      // Only groups that exist are kept: asking for others cannot fill the memory.
      if (groups.has(group)) permissions.set(group, known);
      return known;
    },
  };
}

function permissionSet(roles: readonly Role[]): PermissionSet {
  const permissions = roles
    .map((role) => ({ role: formatRoleRef(role.ref), statements: role.permissions }))
    .sort((a, b) => byText(a.role, b.role));
  return { id: permissionSetId(permissions), roles: permissions };
}

/** The id of a set with these roles in this order: SHA-256 over their canonical JSON, hex. Whoever receives a set can check it. */
export function permissionSetId(roles: readonly RolePermissions[]): string {
  const plain = roles.map(({ role, statements }) => ({
    role,
    statements: statements.map(({ effect, actions, resources, line }) => ({ effect, actions, resources, line })),
  }));
  return sha256(canonicalJson(plain));
}
