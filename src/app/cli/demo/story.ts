// Tells what happened in the words of the diagram. It draws; it decides and starts nothing.
import type { DecisionRecord } from '../../../base/audit/record.ts';
import { type ClauseTrace, formatRoleRef } from '../../../base/core/decision.ts';
import { formatDuration } from '../../../base/core/duration.ts';
import { shortId } from '../../../base/core/ids.ts';
import { type Claims, stringMember } from '../../../base/core/json.ts';
import type { EpochSeconds } from '../../../base/core/time.ts';
import type { JobResult } from '../../../runner/ci/events.ts';
import { seconds } from '../draw-run.ts';
import { type Paint, printable } from '../paint.ts';

/** What the demo saw of one job. */
export interface JobStory {
  readonly result: JobResult;
  /** Null: the issuer did not know the job. */
  readonly deadline: EpochSeconds | null;
  readonly startedAt: EpochSeconds;
  /** Whether the job could ask for an identity at all. */
  readonly identity: boolean;
  /** What its steps printed, masked. */
  readonly output: readonly string[];
  readonly made: readonly { readonly file: string; readonly bytes: number }[];
  /** What the STS decided for it; null: it never asked. */
  readonly decision: DecisionRecord | null;
}

const NAME_WIDTH = 10;
const STEP_WIDTH = 20;

/** The lines of one job, the answer first. `ending` is what became of its credential, when that is known. */
export function tellJob(story: JobStory, paint: Paint, ending?: string): readonly string[] {
  const { result, decision } = story;
  const mark = result.outcome === 'succeeded' ? paint.good('✓') : paint.bad('✗');
  const head = `${mark} ${paint.strong(printable(result.job).padEnd(NAME_WIDTH))} ${seconds(result.seconds).padStart(6)}`;
  const made = story.made.map(({ file, bytes }) => `${printable(file)} (${(bytes / 1000).toFixed(1)} kB)`).join(', ');
  if (!story.identity) return [`${head}   ${made === '' ? '' : `made ${made}   `}no identity asked for, none given`];
  const steps = decision === null ? [] : jobSteps(story, decision, ending);
  return [
    head,
    ...steps.map(
      ([step, text], index) => `   ${index === steps.length - 1 ? '└' : '├'} ${step.padEnd(STEP_WIDTH)} ${text}`,
    ),
  ];
}

function jobSteps(
  story: JobStory,
  decision: DecisionRecord,
  ending: string | undefined,
): readonly (readonly [string, string])[] {
  const { claims } = decision;
  const started = [`job ${shortId(decision.jobId ?? '')}`, facts(claims), deadline(story)].join('   ');
  const idToken = `sub ${printable(decision.subject, 200)}   aud ${shortHost(stringMember(claims, 'aud'))}${tookIn(story.output, /^jobpass: ID token .* ([0-9]+) ms$/)}`;
  const first = [
    ['1 job started', started],
    ['2 ID token', idToken],
  ] as const;
  return decision.outcome === 'granted'
    ? [
        ...first,
        ['3–5 exchange', granted(decision, tookIn(story.output, /^assumed .* ([0-9]+) ms$/))],
        ...used(story.output),
        ...ended(decision, ending),
      ]
    : [...first, [`refused ${shortId(decision.id)}`, whyRefused(decision)]];
}

function facts(claims: Claims): string {
  const of = (name: string): string => printable(stringMember(claims, name) ?? '–');
  const parts = [`owner ${of('owner')}@${of('owner_id')}`, `pipeline ${of('pipeline')}@${of('pipeline_id')}`];
  if (stringMember(claims, 'environment') !== undefined) parts.push(`environment ${of('environment')}`);
  if (stringMember(claims, 'fork') === 'true') parts.push(`fork of ${of('head_pipeline_id')}`);
  return parts.join(' · ');
}

const deadline = (story: JobStory): string =>
  story.deadline === null ? '' : `deadline in ${formatDuration(story.deadline - story.startedAt)}`;

function granted(decision: DecisionRecord, took: string): string {
  const role = decision.role === null ? '' : formatRoleRef(decision.role);
  const life = decision.trace.lifetime === undefined ? '' : `, ${formatDuration(decision.trace.lifetime.givenSeconds)}`;
  return `role ${role} → session ${shortId(decision.sessionId ?? '')}${life}${took}   recorded before answered`;
}

/** What the job did with the credential, as its own script said it. */
const used = (output: readonly string[]): readonly (readonly [string, string])[] =>
  output
    .filter((line) => /^(?:PUT|POST) .+ → [0-9]{3}/.test(line))
    .map((line) => ['6 at the gateway', printable(line, 160)] as const);

function ended(decision: DecisionRecord, ending: string | undefined): readonly (readonly [string, string])[] {
  return ending === undefined
    ? []
    : [['7–8 job ended', `session ${shortId(decision.sessionId ?? '')} ${printable(ending, 120)}`]];
}

function whyRefused(decision: DecisionRecord): string {
  const clauses = decision.trace.role?.rules.flatMap((rule) => rule.clauses) ?? [];
  const failed = clauses.find(({ outcome }) => outcome === 'failed');
  const role = decision.role === null ? 'the role' : decision.role.name;
  return failed === undefined
    ? printable(decision.detail, 200)
    : `${role} wants ${wanted(failed)}; the token says ${presented(failed)}`;
}

const wanted = (clause: ClauseTrace): string =>
  `${printable(clause.subject)} ${clause.wanted.map((value) => printable(value)).join(' or ')}`;
const presented = (clause: ClauseTrace): string =>
  clause.presented === undefined ? 'nothing of it' : printable(JSON.stringify(clause.presented));

/** How long something took, where the job itself measured it. */
function tookIn(output: readonly string[], pattern: RegExp): string {
  const ms = output.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined);
  return ms === undefined ? '' : `   ${ms} ms`;
}
const shortHost = (url: string | undefined): string =>
  url === undefined
    ? '–'
    : printable(url.replace(/^https?:\/\//, '').replace(/^iam\.googleapis\.com\/.*(?=\/providers\/)/, '…'));
