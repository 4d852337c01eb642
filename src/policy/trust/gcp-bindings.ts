// Whether an identity of a workload identity pool is a member of IAM bindings (cloud-wire §2.4). Pure; it reads no document.
import type { ClauseTrace, NearMiss } from '../../base/core/decision.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../base/core/json.ts';
import { MAX_SHORT_SUBJECT_BYTES } from '../../base/core/limits.ts';
import type { GcpAttributes } from './gcp-mapping.ts';

/** One identity, or all identities of a pool that have an attribute. */
export interface GcpMember {
  /** As the binding has it. */
  readonly source: string;
  readonly pool: string;
  /** `google.subject`, `google.groups`, `attribute.NAME`, or `*` for the whole pool. */
  readonly key: string;
  /** Empty for the whole pool. */
  readonly value: string;
}

export interface GcpBindings {
  /** Any one of these suffices. They may be of other pools, and then match nobody. */
  readonly members: readonly GcpMember[];
  /** Members by roles that let nobody act as the service account, for explanations. */
  readonly idle: ReadonlyMap<string, string>;
  /** True for the bindings of a resource that the pool's identities use themselves. */
  readonly isDirect: boolean;
  readonly line: number;
}

/** The one role that lets an identity of a pool act as a service account. */
export const WORKLOAD_IDENTITY_USER = 'roles/iam.workloadIdentityUser';

/** The bindings' clause; not reached without attributes. Without bindings everyone in the pool is let in, and it says so. */
export function bindingsClause(
  bindings: GcpBindings | undefined,
  identity: { readonly pool: string; readonly attributes: GcpAttributes | undefined; readonly line: number },
): ClauseTrace {
  const { attributes, pool } = identity;
  const named = attributes === undefined ? [] : namesOf(pool, attributes);
  const everyone = `principalSet://${pool}/*`;
  const unread = {
    subject: 'bindings',
    ...(bindings === undefined || bindings.isDirect ? {} : { operator: WORKLOAD_IDENTITY_USER }),
    wanted: bindings?.members.map((member) => member.source) ?? [
      `${everyone} (no bindings given: everyone it lets in)`,
    ],
    line: bindings?.line ?? identity.line,
  };
  if (attributes === undefined) return { ...unread, outcome: 'not_reached' };
  const presented = shown(named, bindings);
  if (bindings === undefined) return { ...unread, presented, outcome: 'held' };
  const names = new Set(named.map(({ source }) => source));
  if (bindings.members.some((member) => names.has(member.source))) return { ...unread, presented, outcome: 'held' };
  const nearMiss = nearMissOf(bindings, names);
  const problem = failure(bindings, { names, attributes, pool });
  return { ...unread, presented, outcome: 'failed', problem, ...(nearMiss === undefined ? {} : { nearMiss }) };
}

/** Every name that an identity has in bindings. */
function namesOf(pool: string, { google, attribute }: GcpAttributes): readonly GcpMember[] {
  const nameOf = (kind: string, tail: string, key: string, value: string): GcpMember => ({
    source: `${kind}://${pool}/${tail}`,
    pool,
    key,
    value,
  });
  const groups = Array.isArray(google.groups) ? google.groups.map(String) : [];
  return [
    nameOf('principal', `subject/${String(google.subject)}`, 'google.subject', String(google.subject)),
    ...groups.map((group) => nameOf('principalSet', `group/${group}`, 'google.groups', group)),
    ...Object.entries(attribute).map(([name, value]) =>
      nameOf('principalSet', `attribute.${name}/${String(value)}`, `attribute.${name}`, String(value)),
    ),
    nameOf('principalSet', '*', '*', ''),
  ];
}

/** The subject, and the names of the kinds that the bindings ask for. */
function shown(names: readonly GcpMember[], bindings: GcpBindings | undefined): JsonValue {
  const asked = new Set(bindings?.members.map((member) => member.key));
  const some = names.filter(({ key }) => key === 'google.subject' || (key !== '*' && asked.has(key)));
  const sources = some.map(({ source }) => source);
  return sources.length === 1 ? (sources[0] ?? null) : sources;
}

function nearMissOf({ members }: GcpBindings, names: ReadonlySet<string>): NearMiss | undefined {
  if (members.some(({ source }) => names.has(source.trim()))) return 'space';
  const folded = new Set([...names].map((name) => name.toLowerCase()));
  return members.some(({ source }) => folded.has(source.toLowerCase())) ? 'case' : undefined;
}

function failure(
  { members, idle, isDirect }: GcpBindings,
  identity: { readonly names: ReadonlySet<string>; readonly attributes: GcpAttributes; readonly pool: string },
): string {
  const role = [...identity.names].map((name) => idle.get(name)).find((found) => found !== undefined);
  if (role !== undefined) {
    return `${role} lets nobody act as the service account; direct: true if these are a resource's own bindings`;
  }
  if (members.length > 0 && !members.some((member) => member.pool === identity.pool)) {
    return 'every member is of another pool';
  }
  const unmapped = members.find((member) => !isMapped(member, keysOf(identity.attributes)));
  if (unmapped !== undefined) return `no token matches ${unmapped.key}: the provider does not map it`;
  return isDirect ? 'no binding names the identity' : "Permission 'iam.serviceAccounts.getAccessToken' denied";
}

const keysOf = ({ google, attribute }: GcpAttributes): ReadonlySet<string> =>
  new Set([...prefixed('google.', google), ...prefixed('attribute.', attribute)]);

const prefixed = (prefix: string, members: JsonObject): readonly string[] =>
  isJsonObject(members) ? Object.keys(members).map((name) => prefix + name) : [];

const isMapped = (member: GcpMember, keys: ReadonlySet<string>): boolean => member.key === '*' || keys.has(member.key);

/** Whether any identity of the pool could be a member: `no`, or whether a value that fits everywhere would do. */
export function canBeMember(bindings: GcpBindings, pool: string, keys: ReadonlySet<string>): 'yes' | 'no' | 'unknown' {
  const possible = bindings.members.filter(
    (member) =>
      member.pool === pool && isMapped(member, keys) && !(member.key === 'google.subject' && isTooLong(member)),
  );
  if (possible.length === 0) return 'no';
  return possible.some((member) => !isTooLong(member)) ? 'yes' : 'unknown';
}

const isTooLong = ({ value }: GcpMember): boolean => Buffer.byteLength(value, 'utf8') > MAX_SHORT_SUBJECT_BYTES;
