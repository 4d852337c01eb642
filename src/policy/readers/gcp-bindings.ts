// Reads IAM bindings, as gcloud prints them, into the identities of workload identity pools that they name (cloud-wire §2.4).
import { isJsonObject, type JsonValue } from '../../base/core/json.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { type GcpBindings, type GcpMember, WORKLOAD_IDENTITY_USER } from '../trust/gcp-bindings.ts';
import {
  below,
  type CloudReading,
  closedObject,
  lineHere,
  memberOf,
  textProblem,
  textUnder,
} from './cloud-document.ts';
import { gcpIdProblem } from './gcp-provider.ts';

/**
 * Reads a list of bindings, or an IAM policy that has them. Members that are no identities of workload identity pools are
 * accepted and match no token; all users, unknown kinds, and conditions on what a token could match are refused.
 */
export function readGcpBindings(
  value: JsonValue,
  { reading, isDirect }: { readonly reading: CloudReading; readonly isDirect: boolean },
): GcpBindings | undefined {
  const isPolicy = isJsonObject(value);
  if (isPolicy) closedObject(value, ['bindings', 'etag', 'version', 'auditConfigs'], reading);
  // A policy without bindings has no such member: it lets nobody in.
  const list = isPolicy ? (memberOf(value, 'bindings') ?? []) : value;
  const place = isPolicy ? below(reading, 'bindings') : reading;
  if (!Array.isArray(list)) {
    place.report(place.at, 'wanted a list of bindings');
    return undefined;
  }
  const members: GcpMember[] = [];
  const idle = new Map<string, string>();
  list.forEach((entry, index) => {
    const { role, identities } = readBinding(entry, below(place, index));
    if (isDirect || role === WORKLOAD_IDENTITY_USER) members.push(...identities);
    else for (const { source } of identities) idle.set(source, role);
  });
  return { members, idle, isDirect, line: lineHere(place) };
}

function readBinding(
  value: JsonValue,
  reading: CloudReading,
): { readonly role: string; readonly identities: readonly GcpMember[] } {
  closedObject(value, ['role', 'members', 'condition'], reading);
  if (!isJsonObject(value)) return { role: '', identities: [] };
  const role = textUnder(value, 'role', reading, { required: true, maxChars: 256 }) ?? '';
  const members = memberOf(value, 'members');
  if (!Array.isArray(members)) reading.report([...reading.at, 'members'], 'wanted a list of members');
  const identities = (Array.isArray(members) ? members : []).flatMap((member, index) =>
    readMember(member, below(reading, 'members', index)),
  );
  if (memberOf(value, 'condition') !== undefined && identities.length > 0) {
    const message = 'wanted no condition: a binding that depends on the request is not judged here';
    reading.report([...reading.at, 'condition'], message);
  }
  return { role, identities };
}

/** None when the member is no identity of a workload identity pool, or is refused, which is reported. */
function readMember(value: JsonValue, reading: CloudReading): readonly GcpMember[] {
  const problem = textProblem(value, { maxChars: MAX_MEMBER_CHARS });
  if (problem !== undefined || typeof value !== 'string') {
    reading.report(reading.at, problem ?? 'wanted text');
    return [];
  }
  const member = parseMember(value);
  if (!member.ok) reading.report(reading.at, member.error);
  return member.ok && member.value !== undefined ? [member.value] : [];
}

const MAX_MEMBER_CHARS = 2048;
/** People, machines and groups that Google itself knows, and members that were deleted. */
const OTHER_MEMBER = /^(?:user|group|serviceAccount|domain|projectOwner|projectEditor|projectViewer|deleted):./;
const WORKFORCE = /^principal(?:Set)?:\/\/iam\.googleapis\.com\/locations\/global\/workforcePools\/./;
const WORKLOAD =
  /^(principal|principalSet):\/\/(iam\.googleapis\.com\/projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+))\/(.+)$/s;
/** The pools of Kubernetes clusters; their identities come with no token of a CI. */
const CLUSTER_POOL = /^[a-z0-9:.-]+\.svc\.id\.goog$/;

function parseMember(source: string): Result<GcpMember | undefined, string> {
  if (OTHER_MEMBER.test(source) || WORKFORCE.test(source)) return ok(undefined);
  if (source === 'allUsers' || source === 'allAuthenticatedUsers') {
    return err(`wanted named members: ${source} lets in anyone, tokens of other pools too`);
  }
  const [, kind, pool, project = '', id = '', tail = ''] = WORKLOAD.exec(source) ?? [];
  if (kind === undefined || pool === undefined) {
    return err('wanted principal:// or principalSet:// of a workload identity pool, or a member of another known kind');
  }
  if (!/^[0-9]{1,20}$/.test(project)) return err('wanted the number of the project, not its id: names are by number');
  if (CLUSTER_POOL.test(id)) return ok(undefined);
  const problem = gcpIdProblem('pool', id);
  if (problem !== undefined) return err(problem);
  return parseTail(kind, tail, { source, pool });
}

function parseTail(
  kind: string,
  tail: string,
  name: { readonly source: string; readonly pool: string },
): Result<GcpMember, string> {
  const [, subject] = /^subject\/(.+)$/s.exec(tail) ?? [];
  if (kind === 'principal') {
    return subject === undefined
      ? err('wanted …/subject/SUBJECT after the pool: principal:// names one identity')
      : ok({ ...name, key: 'google.subject', value: subject });
  }
  if (tail === '*') return ok({ ...name, key: '*', value: '' });
  const [, group] = /^group\/(.+)$/s.exec(tail) ?? [];
  if (group !== undefined) return ok({ ...name, key: 'google.groups', value: group });
  const [, key, value] = /^(attribute\.[a-z0-9_]{1,100})\/(.+)$/s.exec(tail) ?? [];
  return key === undefined || value === undefined
    ? err(
        'wanted …/group/GROUP, …/attribute.NAME/VALUE or …/* after the pool: principalSet:// names several identities',
      )
    : ok({ ...name, key, value });
}
