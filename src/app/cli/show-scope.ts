// Scopes, sessions and moments of the operator routes as a person reads them.
import { formatDuration } from '../../base/core/duration.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringMember } from '../../base/core/json.ts';
import { formatMoment } from './moment.ts';
import { printable } from './paint.ts';

/** `role main/publish-web`, `everything`. */
export function showScope(scope: JsonObject): string {
  const name = stringMember(scope, 'name');
  return name === undefined ? 'everything' : `${printable(stringMember(scope, 'scope') ?? '')} ${printable(name, 200)}`;
}

/** Who may lift a freeze, behind what else is told of it: `  lifted by may.operate`, `  lifted by may.revoke of tenant main, or may.operate`. */
export function showLifter(freeze: JsonObject): string {
  const [tenant] = printable(stringMember(freeze, 'name') ?? '', 200).split('/');
  if (freeze.reach === 'tenant') return `  lifted by may.revoke of tenant ${tenant}, or may.operate`;
  // A server of an earlier version does not say.
  return freeze.reach === 'all' ? '  lifted by may.operate' : '';
}

/** Seconds since 1970 as a date and a time. */
export const showMoment = (at: JsonValue | undefined): string =>
  typeof at === 'number' ? `${formatMoment(at * 1000)} UTC` : 'unknown';

/** The objects of a list in an answer. */
export const objectsOf = (body: JsonObject, name: string): readonly JsonObject[] => {
  const list = body[name];
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
};

/** `S4F1…  main/publish-web  job J1 of https://ci.example.com, 9 min left`. */
export function showSession(session: JsonObject, nowSeconds: number): string {
  const member = (name: string): string => printable(stringMember(session, name) ?? '–', 200);
  const job = stringMember(session, 'job_id') === undefined ? 'no job of' : `job ${member('job_id')} of`;
  const expiresAt = typeof session.expires_at === 'number' ? session.expires_at : nowSeconds;
  const left = formatDuration(Math.max(0, expiresAt - nowSeconds));
  const bound = session.job_bound === false ? ', does not end with its job' : '';
  const role = stringMember(session, 'role') === undefined ? 'no role yet' : member('role');
  return `${member('id')}  ${role}  ${job} ${member('issuer')}, ${left} left${bound}`;
}

/** By when an end is felt. */
export function showFelt(body: JsonObject): string {
  const { felt } = body;
  const within = isJsonObject(felt) ? felt : {};
  return `gateways refuse within ${within.seconds} s; one that cannot hear its STS refuses everything after ${within.at_the_latest_seconds} s`;
}
