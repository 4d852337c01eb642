// How the audit trail is shown to people: one line per record, and what a check found.
import type { StoredEntry } from '../../../base/audit/chain.ts';
import { decodeRecord } from '../../../base/audit/decode.ts';
import type { Finding } from '../../../base/audit/report.ts';
import { formatRoleRef } from '../../../base/core/decision.ts';
import { formatMoment } from '../moment.ts';
import { type Paint, printable } from '../paint.ts';
import type { CheckedTrail } from './check.ts';

/** One record in one line. */
export function tailLine({ body, index }: StoredEntry): string {
  const record = decodeRecord(body);
  const head = [printable(index.id, 20).padEnd(16), formatMoment(index.at)];
  if (record === undefined) return [...head, 'a record that this version cannot read'].join('  ');
  const rest =
    record.kind === 'decision'
      ? [
          record.outcome.padEnd(14),
          (record.role === null ? '–' : printable(formatRoleRef(record.role), 40)).padEnd(24),
          record.reason ?? '',
          printable(record.subject, 80),
        ]
      : [
          record.action.padEnd(14),
          (record.tenant ?? '–').padEnd(24),
          printable(record.target, 80),
          `by ${record.actor.kind} ${printable(record.actor.name, 63)}`,
        ];
  return [...head, ...rest].join('  ').trimEnd();
}

/** The answer first: whether the trail is whole; then what is wrong, and what is not proved. */
export function reportLines(checked: CheckedTrail, paint: Paint): readonly string[] {
  const { findings, found, issuer, records, writers } = checked;
  const what = `${records} records in ${writers} chains of ${printable(issuer, 200)}`;
  const head = found === 0 ? paint.good(`whole: ${what}`) : paint.bad(`${found} problems with ${what}`);
  const more = found - findings.length;
  return [
    head,
    ...findings.map((finding) => findingLine(finding, paint)),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...limits(checked).map((line) => paint.faint(`  ${line}`)),
  ];
}

function findingLine({ detail, flaw, id, sequence, writer }: Finding, paint: Paint): string {
  const where = writer === null ? '' : `${printable(writer, 40)} ${sequence}`;
  return [`  ${paint.bad('✗')} ${flaw.padEnd(10)}`, where, id === null ? '' : printable(id, 20), printable(detail, 300)]
    .filter((part) => part !== '')
    .join('  ');
}

/** What the check does not prove. */
function limits({ checkpoints, disregarded, partial, unchained, uncovered, upTo }: CheckedTrail): readonly string[] {
  const seen =
    upTo === null
      ? 'no checkpoint: an end that was cut off, or a trail written anew, would not be seen'
      : `checkpoints: ${checkpoints}, the newest of ${formatMoment(upTo * 1000)}`;
  return [
    seen,
    ...(partial > 0 ? [`the beginnings of ${partial} chains are not in this file`] : []),
    ...(uncovered > 0 && upTo !== null
      ? [`${uncovered} records are younger than the last checkpoint of their chain`]
      : []),
    ...(unchained > 0 ? [`${unchained} records are from before there was a chain, and nothing proves them`] : []),
    ...(disregarded > 0 ? [`${disregarded} checkpoints of a revoked key prove nothing`] : []),
  ];
}
