// `jobpass run PIPELINE`: an ephemeral local CI on the repository it stands in.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { createGit, type Git, type GitFacts, readGitFacts } from '../../../runner/ci/git-facts.ts';
import { createMachine } from '../../../runner/ci/machine.ts';
import { type Pipeline, readPipeline } from '../../../runner/ci/pipeline.ts';
import { readPipelineText } from '../../../runner/ci/pipeline-text.ts';
import { runPipeline } from '../../../runner/ci/run.ts';
import { createController } from '../../../runner/controller.ts';
import { type Command, CommandFailure, EXIT, type ExitCode, type Surroundings, text, texts } from '../command.ts';
import { problemsFailure } from '../config-option.ts';
import { controllerCredential } from '../controller-option.ts';
import { drawRun } from '../draw-run.ts';
import { paintFor } from '../paint.ts';
import { orFail, transport } from '../runner-command.ts';

export const run: Command = {
  usage: 'jobpass run PIPELINE [--job NAME ...] [--event NAME] [--fork PIPELINE_ID] [--json]',
  options: {
    job: { type: 'string', multiple: true },
    event: { type: 'string' },
    fork: { type: 'string' },
    json: { type: 'boolean' },
  },
  optionHelp: {
    job: 'only this job and what it needs; may be repeated',
    event: 'the event to state (default: manual)',
    fork: 'run as a change from the fork with this pipeline id: such jobs get less',
    json: 'print the result as JSON on stdout',
  },
  // A job that is not finished at the issuer keeps its identity until its deadline.
  whenStoppedTwice: 'still finishing, so that no job keeps its identity   once more ends this at once',
  async run(surroundings) {
    pipelineFile(surroundings);
    const git = createGit(surroundings.env);
    const facts = orFail(await readGitFacts(git, surroundings.folder));
    const pipeline = await pipelineOf(surroundings, git, facts);
    const credential = await controllerCredential(surroundings);
    const jobs = texts(surroundings.options.job);
    const paint = paintFor(surroundings.isTerminal, surroundings.env);
    const result = orFail(
      await runPipeline({
        pipeline,
        facts,
        controller: createController(transport, credential),
        local: credential.local,
        machine: createMachine(surroundings.env),
        report: drawRun(surroundings.say, paint),
        signal: surroundings.signal,
        concurrency: availableParallelism(),
        stepEnvironment: stepEnvironment(surroundings.env),
        trigger: triggerOf(surroundings),
        ...(jobs.length === 0 ? {} : { jobs }),
      }),
    );
    if (surroundings.options.json === true) surroundings.out(JSON.stringify(result));
    return result.exitCode as ExitCode;
  },
};

/** The pipeline as the commit has it. */
async function pipelineOf(surroundings: Surroundings, git: Git, facts: GitFacts): Promise<Pipeline> {
  const file = pipelineFile(surroundings);
  const { text: content, committed } = orFail(await readPipelineText(git, facts, resolve(surroundings.folder, file)));
  if (!committed) surroundings.say(`${file} lies outside the repository: no commit holds it, so it is read as it is`);
  const pipeline = readPipeline({ file, text: content });
  if (!pipeline.ok) throw problemsFailure(pipeline.error);
  return pipeline.value;
}

function pipelineFile({ positionals }: Surroundings): string {
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new CommandFailure('which pipeline?', { exitCode: EXIT.usage, hint: 'jobpass run pipeline.yaml' });
  return file;
}

function triggerOf(surroundings: Surroundings): { event?: string; fork?: boolean; headPipelineId?: string } {
  const event = text(surroundings.options.event);
  const fork = text(surroundings.options.fork);
  return {
    ...(event === undefined ? {} : { event }),
    ...(fork === undefined ? {} : { fork: true, headPipelineId: fork }),
  };
}

/** All that steps inherit: where programs are and which language they speak. */
export function stepEnvironment(env: Surroundings['env']): Readonly<Record<string, string>> {
  const inherited = ['PATH', 'LANG', 'LC_ALL'].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  return Object.fromEntries(inherited);
}
