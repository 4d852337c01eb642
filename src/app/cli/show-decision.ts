// A decision as an operator reads it: the answer first, then every clause, then where to go on.
import type { DecisionRecord } from '../../base/audit/record.ts';
import { formatRoleRef, type RuleTrace } from '../../base/core/decision.ts';
import { formatDuration } from '../../base/core/duration.ts';
import { shortId } from '../../base/core/ids.ts';
import { formatMoment } from './moment.ts';
import { type Paint, printable } from './paint.ts';
import { clauseLines, traceLine } from './show-trace.ts';

/** The role that came nearest to granting. */
export interface NearestRole {
  readonly role: string;
  readonly missing: number;
}

/** Lines for a terminal, without a trailing newline. Holds no token and no secret. */
export function showDecision(record: DecisionRecord, nearest: NearestRole | null, paint: Paint): string {
  const noRole = record.outcome === 'granted' ? 'no role yet' : 'no readable role';
  const role = record.role === null ? noRole : formatRoleRef(record.role);
  const job =
    record.jobId === null ? printable(record.issuer) : `job ${printable(record.jobId)} at ${printable(record.issuer)}`;
  const outcome = record.outcome === 'granted' ? paint.good('granted') : paint.bad('refused');
  const at = formatMoment(record.at);
  return [
    `${paint.strong(record.id)}  ${outcome}  ${printable(role)}  ${at} UTC  ${record.wire}  ${job}`,
    ...(record.reason === null ? [] : [`  ${paint.bad(record.reason)}  ${printable(record.detail, 300)}`]),
    ...checks(record, paint),
    ...rules(record, paint),
    ...lifetime(record),
    ...closing(record, nearest),
  ].join('\n');
}

/** What a sound token is known by; the rest of its checks is shown only when one of them failed. */
const TELLING_CHECKS: readonly string[] = ['signature', 'times', 'job status'];

function checks({ trace }: DecisionRecord, paint: Paint): string[] {
  if (trace.checks.some(({ outcome }) => outcome === 'failed'))
    return trace.checks.map(({ check, outcome, detail }) =>
      traceLine(outcome, check, printable(detail, 200), { paint }),
    );
  const telling = trace.checks.filter(({ check }) => TELLING_CHECKS.includes(check));
  return telling.length === 0
    ? []
    : [traceLine('held', 'token', telling.map(({ detail }) => printable(detail, 200)).join(' · '), { paint })];
}

function rules(record: DecisionRecord, paint: Paint): string[] {
  const { role } = record.trace;
  if (role === undefined) return [];
  const several = role.rules.length > 1;
  return role.rules.flatMap((rule, index) => [
    ...(several ? [`  rule ${index + 1}, line ${rule.line}${rule.held ? '' : ': does not hold'}`] : []),
    ...clauseLines(rule, paint),
  ]);
}

function lifetime(record: DecisionRecord): string[] {
  const bounds = record.trace.lifetime;
  if (bounds === undefined) return [];
  const jobBound = record.trace.jobBound
    ? 'ends with the job'
    : 'does not end with the job: the issuer tells nobody when a job is over';
  return [
    `  Session         ${record.sessionId === null ? 'none' : shortId(record.sessionId)}, ${formatDuration(bounds.givenSeconds)} (bound by ${bounds.boundBy}), ${jobBound}`,
    ...(bounds.note === undefined ? [] : [`                  ${printable(bounds.note, 200)}`]),
    ...attributes(record),
  ];
}

/** What the session is besides its role, where it is more. */
function attributes({ trace }: DecisionRecord): string[] {
  const { session } = trace;
  if (session === undefined) return [];
  const tags = Object.entries(session.tags).map(([key, value]) => `${key}=${value}`);
  const told = [
    ...(session.name === undefined ? [] : [`called ${session.name}`]),
    ...(tags.length === 0 ? [] : [`tags ${tags.join(', ')}`]),
    ...(session.sourceIdentity === null ? [] : [`source identity ${session.sourceIdentity}`]),
    ...(session.narrowed ? ['narrowed by a session policy'] : []),
  ];
  return told.map((line) => `                  ${printable(line, 200)}`);
}

function closing(record: DecisionRecord, nearest: NearestRole | null): string[] {
  const { role } = record.trace;
  const lines: string[] = [];
  if (role !== undefined && record.outcome === 'refused')
    lines.push(
      `  Could any token of this issuer pass?  ${role.satisfiable === 'unknown' ? 'not known' : role.satisfiable}`,
    );
  if (nearest !== null) {
    const how =
      nearest.missing === 0
        ? 'all clauses hold'
        : `${nearest.missing} ${nearest.missing === 1 ? 'clause fails' : 'clauses fail'}`;
    lines.push(`  Nearest role    ${nearest.role}   (${how}; not asked for)`);
  }
  if (role !== undefined)
    lines.push(
      `  Policy          ${printable(role.file)}${firstLine(role.rules)}, set ${role.policySet.slice(0, 12)}…`,
    );
  return lines;
}

/** Where to look in the file: the failed clause, else the first rule. */
function firstLine(allRules: readonly RuleTrace[]): string {
  const failed = allRules.flatMap(({ clauses: all }) => all).find(({ outcome }) => outcome === 'failed');
  const at = failed?.line ?? allRules[0]?.line;
  return at === undefined ? '' : ` line ${at}`;
}
