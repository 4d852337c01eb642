// `jobpass decisions show|list`: what the STS decided and why, from its operator routes.
import type { DecisionRecord } from '../../../base/audit/record.ts';
import { formatRoleRef } from '../../../base/core/decision.ts';
import { type Command, CommandFailure, EXIT, text } from '../command.ts';
import { formatMoment } from '../moment.ts';
import { askOperator, operatorCredential } from '../operator.ts';
import { operatorRefusal } from '../operator-refusal.ts';
import { paintFor, printable } from '../paint.ts';
import { readDecision, readDecisions, readNearest } from '../read-decision.ts';
import { showDecision } from '../show-decision.ts';

const JSON_OPTION = { json: { type: 'boolean' } } as const;
const JSON_HELP = { json: 'print JSON on stdout' };

export const decisionsShow: Command = {
  usage: 'jobpass decisions show ID [--json]',
  options: JSON_OPTION,
  optionHelp: JSON_HELP,
  async run(surroundings) {
    const [id] = surroundings.positionals;
    if (id === undefined || surroundings.positionals.length > 1)
      throw new CommandFailure('which decision?', {
        exitCode: EXIT.usage,
        hint: 'jobpass decisions show D9XM40, the id or its beginning',
      });
    const { status, body } = await askOperator(
      operatorCredential(surroundings),
      `/admin/v1/decisions/${encodeURIComponent(id.toUpperCase())}`,
    );
    if (status !== 200) throw operatorRefusal(id, { status, body }, HINT_OF_STATUS);
    if (surroundings.options.json === true) surroundings.out(JSON.stringify(body, undefined, 2));
    else {
      const paint = paintFor(process.stdout.isTTY === true, surroundings.env);
      surroundings.out(showDecision(readDecision(body.decision), readNearest(body), paint));
    }
    return EXIT.ok;
  },
};

export const decisionsList: Command = {
  usage: 'jobpass decisions list [--limit N] [--json]',
  options: { ...JSON_OPTION, limit: { type: 'string' } },
  optionHelp: { limit: 'how many, newest first (default: 20)', ...JSON_HELP },
  async run(surroundings) {
    const limit = text(surroundings.options.limit) ?? '20';
    if (!/^[1-9][0-9]{0,2}$/.test(limit))
      throw new CommandFailure(`--limit ${limit} is not a number from 1 to 999`, {
        exitCode: EXIT.usage,
        hint: '--limit 50',
      });
    const { status, body } = await askOperator(operatorCredential(surroundings), `/admin/v1/decisions?limit=${limit}`);
    if (status !== 200) throw operatorRefusal('the list', { status, body }, HINT_OF_STATUS);
    if (surroundings.options.json === true) surroundings.out(JSON.stringify(body, undefined, 2));
    else {
      const decisions = readDecisions(body);
      for (const record of decisions) surroundings.out(listLine(record));
      if (decisions.length === 0) surroundings.say('no decisions yet');
    }
    return EXIT.ok;
  },
};

function listLine(record: DecisionRecord): string {
  const at = formatMoment(record.at);
  const role = record.role === null ? '–' : formatRoleRef(record.role);
  return [
    record.id,
    at,
    record.outcome.padEnd(7),
    printable(role, 40).padEnd(24),
    record.reason ?? '',
    printable(record.subject, 80),
  ]
    .join('  ')
    .trimEnd();
}

const HINT_OF_STATUS: Readonly<Record<number, string>> = {
  403: 'the operator’s entry under sts.clients needs `read` for this tenant',
  404: 'jobpass decisions list shows the newest; more of the id may be needed',
};
