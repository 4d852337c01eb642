// The active roles as one immutable, content-addressed set with its indexes. Reading files is the readers' business.
import { createHash, hash } from 'node:crypto';
import { formatRoleRef, type RoleRef } from '../base/core/decision.ts';
import { JobpassError } from '../base/core/errors.ts';
import type { PermissionSet, RolePermissions } from '../base/core/permissions.ts';
import { canonicalJson } from '../base/json/parse.ts';
import { type CloudIndex, CloudNames, indexWithout } from './cloud-names.ts';
import type { Role } from './role.ts';
import { drain, drainSlowly, sortInSteps } from './sort-steps.ts';

/** The roles that decisions are made by. */
export interface PolicySet extends CloudIndex {
  /** SHA-256 over the roles' names and digests, hex: equal files make equal sets, whatever their order. */
  readonly id: string;
  readonly size: number;
  find(ref: RoleRef): Role | undefined;
  /** The tenants that have roles, by name. */
  tenants(): Iterable<string>;
  /** The roles of one tenant, by name. */
  rolesOf(tenant: string): Iterable<Role>;
  /** What the gateways of one group need. */
  permissionsOf(group: string): PermissionSet;
}

/** Roles between two breaths of a build: well under a millisecond of work. */
const STEP_ROLES = 100;

/** Builds a set. Throws ERR_ROLE_DUPLICATE when two roles of one tenant, or two with ARNs of one AWS account, have one name. */
export const buildPolicySet = (roles: readonly Role[]): PolicySet => drain(buildInSteps(roles)).set;

/**
 * As `buildPolicySet`, for large sets: `breathe` is awaited between parts of less than a millisecond, and the permissions of
 * every group are ready when it is done. Rejects likewise.
 */
export async function buildPolicySetSlowly(
  roles: readonly Role[],
  breathe: () => Promise<void> | undefined,
): Promise<PolicySet> {
  const { set, groups } = await drainSlowly(buildInSteps(roles), breathe);
  for (const group of groups) await drainSlowly(group.prepare(), breathe);
  return set;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byName = ({ ref: a }: Role, { ref: b }: Role): number =>
  a.tenant === b.tenant ? byText(a.name, b.name) : byText(a.tenant, b.tenant);

interface Built {
  readonly set: PolicySet;
  readonly groups: Iterable<GroupPermissions>;
}

function* buildInSteps(roles: readonly Role[]): Generator<void, Built> {
  const sorted = yield* sortInSteps(roles, byName);
  // Nested rather than keyed by `tenant/name`: no name, however it is spelt, can reach into another tenant.
  const tenants = new Map<string, Map<string, Role>>();
  const groups = new Map<string, GroupPermissions>();
  const names = new CloudNames();
  const content = createHash('sha256');
  let lines: string[] = [];
  for (const role of sorted) {
    if (lines.length === STEP_ROLES) {
      content.update(lines.join(''));
      lines = [];
      yield;
    }
    const { ref, session } = role;
    const named = tenants.get(ref.tenant) ?? new Map<string, Role>();
    if (named.has(ref.name)) {
      throw new JobpassError('ERR_ROLE_DUPLICATE', `two files make the role ${formatRoleRef(ref)}`);
    }
    tenants.set(ref.tenant, named.set(ref.name, role));
    const group = groups.get(session.gateway) ?? new GroupPermissions();
    groups.set(session.gateway, group);
    group.add(role);
    names.add(role);
    lines.push(`${JSON.stringify([ref.tenant, ref.name, role.digest])}\n`);
  }
  const set: PolicySet = {
    id: content.update(lines.join('')).digest('hex'),
    size: sorted.length,
    find: (ref) => tenants.get(ref.tenant)?.get(ref.name),
    ...names.index(),
    tenants: () => tenants.keys(),
    rolesOf: (tenant) => tenants.get(tenant)?.values() ?? [],
    permissionsOf: (group) => groups.get(group)?.set() ?? NO_PERMISSIONS,
  };
  return { set, groups: groups.values() };
}

/** The set without some of its roles, made in time proportional to how many go. Its id follows from the set's and theirs. */
export function withoutRoles(set: PolicySet, refs: readonly RoleRef[]): PolicySet {
  const gone = new Map<string, Set<string>>();
  for (const ref of refs) gone.set(ref.tenant, (gone.get(ref.tenant) ?? new Set()).add(ref.name));
  const isGone = (ref: RoleRef): boolean => gone.get(ref.tenant)?.has(ref.name) === true;
  const names = refs.filter((ref) => set.find(ref) !== undefined).map(formatRoleRef);
  const goneNames = new Set(names);
  return {
    id: hash('sha256', JSON.stringify([set.id, [...goneNames].sort(byText)])),
    size: set.size - goneNames.size,
    find: (ref) => (isGone(ref) ? undefined : set.find(ref)),
    ...indexWithout(set, isGone),
    tenants: () => set.tenants(),
    *rolesOf(tenant) {
      for (const role of set.rolesOf(tenant)) if (!isGone(role.ref)) yield role;
    },
    permissionsOf(group) {
      const roles = set.permissionsOf(group).roles.filter(({ role }) => !goneNames.has(role));
      return { id: permissionSetId(roles), roles };
    },
  };
}

/** The roles of one group, and what its gateways need of them: made once, when it is first asked for or before. */
class GroupPermissions {
  readonly #roles: Role[] = [];
  #set: PermissionSet | undefined;

  add(role: Role): void {
    this.#roles.push(role);
  }

  set(): PermissionSet {
    if (this.#set === undefined) drain(this.prepare());
    return this.#set ?? NO_PERMISSIONS;
  }

  *prepare(): Generator<void, void> {
    const id = createHash('sha256').update('[');
    const roles: RolePermissions[] = [];
    for (const role of this.#roles) {
      if (roles.length % STEP_ROLES === 0) yield;
      const permissions = { role: formatRoleRef(role.ref), statements: role.permissions };
      id.update(`${roles.length === 0 ? '' : ','}${canonicalRole(permissions)}`);
      roles.push(permissions);
    }
    this.#set = { id: id.update(']').digest('hex'), roles };
  }
}

const canonicalRole = ({ role, statements }: RolePermissions): string =>
  canonicalJson({
    role,
    statements: statements.map(({ effect, actions, resources, line, conditions }) => ({
      effect,
      actions,
      resources,
      line,
      // Left out when absent, so that sets without conditions keep their ids.
      ...(conditions === undefined ? {} : { conditions }),
    })),
  });

/** The id of a set with these roles in this order: SHA-256 over their canonical JSON, hex. Whoever receives a set can check it. */
export const permissionSetId = (roles: readonly RolePermissions[]): string =>
  hash('sha256', `[${roles.map(canonicalRole).join(',')}]`);

const NO_PERMISSIONS: PermissionSet = { id: permissionSetId([]), roles: [] };
