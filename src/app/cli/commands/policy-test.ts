// `jobpass policy test`: roles against the tests beside them. The same decision as the server's; no server is needed.
import { statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { formatRoleRef } from '../../../base/core/decision.ts';
import { type PolicyCoverage, policyCoverage } from '../../../policy/test/coverage.ts';
import { type PolicyTestResult, runPolicyTests } from '../../../policy/test/run.ts';
import { systemClock } from '../../adapters.ts';
import { type Command, CommandFailure, EXIT, type ExitCode, type Surroundings, text } from '../command.ts';
import { problemsFailure } from '../config-option.ts';
import { junitXml } from '../junit.ts';
import { paintFor } from '../paint.ts';
import { type PolicySuites, policySuites } from '../policy-suites.ts';
import { showCoverage, showPolicyTests } from '../show-policy-tests.ts';
import { watchFiles } from '../watch-files.ts';

const DEFAULT_PATH = 'policies';

export const policyTest: Command = {
  usage: 'jobpass policy test [FOLDER|FILE] [--coverage] [--require-coverage] [--junit FILE] [--watch] [--json]',
  options: {
    coverage: { type: 'boolean' },
    'require-coverage': { type: 'boolean' },
    junit: { type: 'string' },
    watch: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  optionHelp: {
    coverage: 'also say which clauses no test ever made true or false',
    'require-coverage': 'fail when there are any, or roles without a test',
    junit: 'write JUnit XML to this file',
    watch: 'run again on every change, until Ctrl-C',
    json: 'print JSON on stdout',
  },
  async run(surroundings) {
    if (surroundings.positionals.length > 1)
      throw new CommandFailure('wanted one folder or file', { exitCode: EXIT.usage, hint: this.usage });
    const path = surroundings.positionals[0] ?? DEFAULT_PATH;
    if (surroundings.options.watch !== true) return runOnce(load(path, surroundings), surroundings);
    return runOnChanges(path, surroundings);
  },
};

const load = (path: string, { folder }: Surroundings): PolicySuites =>
  policySuites(path, { folder, now: systemClock.nowSeconds() });

async function runOnChanges(path: string, surroundings: Surroundings): Promise<ExitCode> {
  const target = resolve(surroundings.folder, path);
  const junit = junitPath(surroundings);
  let code: ExitCode = EXIT.usage;
  load(path, surroundings);
  surroundings.say(`watching ${path} · Ctrl-C stops`);
  await watchFiles({
    folder: statSync(target).isDirectory() ? target : dirname(target),
    except: junit,
    signal: surroundings.signal,
    run() {
      try {
        const suites = load(path, surroundings);
        code = runOnce(suites, surroundings, (failure) => surroundings.say(failureText(failure)));
        return suites.files;
      } catch (cause) {
        // A folder that is gone for a moment, while an editor or git replaces it.
        if (!(cause instanceof CommandFailure)) throw cause;
        surroundings.say(failureText(cause));
        code = cause.exitCode;
        return [];
      }
    },
  });
  return code;
}

const failureText = ({ message, detail, hint }: CommandFailure): string =>
  [
    `jobpass: error: ${message}${hint === undefined ? '' : `   hint: ${hint}`}`,
    ...(detail === undefined ? [] : [detail]),
  ].join('\n');

const raise = (failure: CommandFailure): never => {
  throw failure;
};

/** Runs what was read and prints what came of it; what cannot be run goes to `refuse`. */
function runOnce(
  { suites, problems }: PolicySuites,
  surroundings: Surroundings,
  refuse: (failure: CommandFailure) => void = raise,
): ExitCode {
  const failure =
    problems.length > 0
      ? problemsFailure(problems)
      : suites.every(({ tests }) => tests.length === 0)
        ? noTests()
        : null;
  if (failure !== null) {
    refuse(failure);
    return failure.exitCode;
  }
  const runs = suites.map(({ set, tests }) => ({ set, results: runPolicyTests(set, tests) }));
  const results = runs.flatMap((run) => run.results);
  const coverage = isCoverageAsked(surroundings)
    ? joined(runs.map((run) => policyCoverage(run.set, run.results)))
    : null;
  const junit = junitPath(surroundings);
  if (junit !== undefined) writeReport(junit, results);
  print({ results, coverage }, surroundings);
  const isWhole =
    surroundings.options['require-coverage'] !== true ||
    (coverage !== null && coverage.uncovered.length === 0 && coverage.untested.length === 0);
  return results.every(({ passed }) => passed) && isWhole ? EXIT.ok : EXIT.failed;
}

const noTests = (): CommandFailure =>
  new CommandFailure('there are no tests', {
    exitCode: EXIT.usage,
    hint: 'a role publish.yaml is tested by publish.test.yaml beside it',
  });

const isCoverageAsked = ({ options }: Surroundings): boolean =>
  options.coverage === true || options['require-coverage'] === true;

const joined = (parts: readonly PolicyCoverage[]): PolicyCoverage => ({
  clauses: parts.flatMap(({ clauses }) => clauses),
  uncovered: parts.flatMap(({ uncovered }) => uncovered),
  untested: parts.flatMap(({ untested }) => untested),
});

function junitPath({ options, folder }: Surroundings): string | undefined {
  const path = text(options.junit);
  return path === undefined ? undefined : resolve(folder, path);
}

function writeReport(path: string, results: readonly PolicyTestResult[]): void {
  try {
    writeFileSync(path, junitXml(results));
  } catch {
    throw new CommandFailure(`${path} cannot be written`, { exitCode: EXIT.usage, hint: '--junit names a file' });
  }
}

function print(
  { results, coverage }: { results: readonly PolicyTestResult[]; coverage: PolicyCoverage | null },
  { options, out, env }: Surroundings,
): void {
  if (options.json === true) {
    const failed = results.filter(({ passed }) => !passed).length;
    const answer = { passed: results.length - failed, failed, results: results.map(jsonOf) };
    out(JSON.stringify(coverage === null ? answer : { ...answer, coverage }));
    return;
  }
  const paint = paintFor(process.stdout.isTTY === true, env);
  out(showPolicyTests(results, paint));
  if (coverage !== null) out(`\n${showCoverage(coverage, paint)}`);
}

/** A result for programs: the test by its place, without the claims of captured tokens. */
const jsonOf = ({ test, trace: _, ...outcome }: PolicyTestResult) => ({
  role: formatRoleRef(test.role),
  name: test.name,
  file: test.file,
  line: test.line,
  expect: test.expect,
  ...outcome,
});
