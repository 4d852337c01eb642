// `jobpass run PIPELINE`: an ephemeral local CI on the repository it stands in.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { createGit, readGitFacts } from '../../../runner/ci/git-facts.ts';
import { createMachine } from '../../../runner/ci/machine.ts';
import { type Pipeline, readPipeline } from '../../../runner/ci/pipeline.ts';
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
  async run(surroundings) {
    const pipeline = pipelineOf(surroundings);
    const credential = await controllerCredential(surroundings);
    const facts = orFail(await readGitFacts(createGit(surroundings.env), surroundings.folder));
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

function pipelineOf(surroundings: Surroundings): Pipeline {
  const [file] = surroundings.positionals;
  if (file === undefined || surroundings.positionals.length > 1)
    throw new CommandFailure('which pipeline?', { exitCode: EXIT.usage, hint: 'jobpass run pipeline.yaml' });
  let content: string;
  try {
    content = readFileSync(resolve(surroundings.folder, file), 'utf8');
  } catch {
    throw new CommandFailure(`${file} cannot be read`, { exitCode: EXIT.usage });
  }
  const pipeline = readPipeline({ file, text: content });
  if (!pipeline.ok) throw problemsFailure(pipeline.error);
  return pipeline.value;
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
