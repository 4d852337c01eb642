// A report as a person reads it: the answer, one line for each check, what to do, the thumbprints. Holds no token.
import { type Paint, printable } from '../paint.ts';
import { clauseLines, traceLine } from '../show-trace.ts';
import type { Report } from './examine.ts';
import type { Finding } from './finding.ts';
import { decisiveRules } from './trust-findings.ts';

const CHECK_WIDTH = 14;
const MAX_DETAIL_CHARS = 300;
const FIX_INDENT = ' '.repeat(CHECK_WIDTH + 5);

/** Lines for a terminal, without a trailing newline. */
export const showReport = (report: Report, file: string, paint: Paint): string =>
  [
    headline(report, file, paint),
    ...report.findings.flatMap((finding) => [
      ...findingLines(finding, paint),
      ...(finding.check === 'trust policy' ? clausesOf(report, paint) : []),
    ]),
    ...thumbprintLines(report),
  ].join('\n');

function headline({ verdict, findings, issuer }: Report, file: string, paint: Paint): string {
  const count = (outcome: Finding['outcome']): number => findings.filter((one) => one.outcome === outcome).length;
  const both = `${printable(file)} and this token of ${printable(issuer)}`;
  switch (verdict) {
    case 'agree':
      return `${paint.good('agree')}  ${both}: ${count('ok')} checks hold, ${count('unseen')} cannot be seen from here`;
    case 'disagree':
      return `${paint.bad('disagree')}  ${both}: ${count('wrong')} of ${findings.length} checks fail`;
    case 'unavailable':
      return `${paint.bad('unavailable')}  ${both}: nothing disagrees, ${count('unavailable')} could not be asked`;
  }
}

const MARKS = { ok: 'held', wrong: 'failed', unavailable: 'failed', unseen: 'not_reached' } as const;

function findingLines(finding: Finding, paint: Paint): readonly string[] {
  const detail = printable(finding.detail, MAX_DETAIL_CHARS);
  const line = traceLine(MARKS[finding.outcome], finding.check, detail, { paint, width: CHECK_WIDTH });
  if ('fix' in finding) return [line, `${FIX_INDENT}fix: ${printable(finding.fix, MAX_DETAIL_CHARS)}`];
  const look = finding.outcome === 'unseen' ? finding.look : undefined;
  return look === undefined ? [line] : [line, `${FIX_INDENT}see: ${printable(look, MAX_DETAIL_CHARS)}`];
}

/** The statement's own clauses, in the words of `policy explain`. */
const clausesOf = ({ explanation }: Report, paint: Paint): readonly string[] =>
  explanation.roles
    .flatMap(decisiveRules)
    .flatMap((rule) => clauseLines(rule, paint))
    .map((line) => `  ${line}`);

const KINDS = {
  x5c: 'of the signing keys: Ceph RGW',
  tls: 'of the server’s chain: AWS wants the last one below the root',
} as const;

function thumbprintLines({ thumbprints }: Report): readonly string[] {
  const kinds = (['x5c', 'tls'] as const).filter((kind) => thumbprints.some((one) => one.kind === kind));
  return kinds.flatMap((kind) => [
    '',
    `SHA-1 thumbprints ${KINDS[kind]}`,
    ...thumbprints.filter((one) => one.kind === kind).map(({ sha1, of }) => `  ${sha1}  ${printable(of)}`),
  ]);
}
