// The configuration file that a command works with, its problems shown as people read them.
import { formatProblems } from '../../base/document/problem.ts';
import { type ConfigDocument, loadPlan, readConfig } from '../config/load.ts';
import type { Plan } from '../config/plan.ts';
import { CommandFailure, EXIT, type Surroundings, text } from './command.ts';

export const CONFIG_OPTION = { config: { type: 'string', short: 'c' } } as const;
export const CONFIG_HELP = { config: 'the configuration file (default: jobpass.yaml)' } as const;

/** Reads the file; ends the command with every problem and exit code 2 when it has any. */
function configDocument(surroundings: Surroundings): ConfigDocument {
  const path = text(surroundings.options.config) ?? 'jobpass.yaml';
  const document = readConfig(path, surroundings.folder);
  if (!document.ok) throw problemsFailure(document.error);
  return document.value;
}

/** The plan of that file, references resolved; ends the command likewise. */
export function configPlan(surroundings: Surroundings): Plan {
  const document = configDocument(surroundings);
  const plan = loadPlan(document, surroundings.env);
  if (!plan.ok) throw problemsFailure(plan.error);
  return plan.value;
}

/** The problems as people read them; the first line counts them. */
export function problemsFailure(problems: Parameters<typeof formatProblems>[0]): CommandFailure {
  const [heading = '', ...table] = formatProblems(problems).split('\n');
  return new CommandFailure(heading, { exitCode: EXIT.usage, detail: table.join('\n') });
}
