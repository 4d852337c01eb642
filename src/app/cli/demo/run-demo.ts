// The demo from beginning to end: stage, servers, the pipeline, the fork, and the credential tried once more.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { createGit, readGitFacts } from '../../../runner/ci/git-facts.ts';
import type { Trigger } from '../../../runner/ci/job-facts.ts';
import { createMachine } from '../../../runner/ci/machine.ts';
import { type Pipeline, readPipeline } from '../../../runner/ci/pipeline.ts';
import { runPipeline } from '../../../runner/ci/run.ts';
import { createController } from '../../../runner/controller.ts';
import { readControllerFile } from '../../../runner/controller-file.ts';
import type { Surroundings } from '../command.ts';
import { problemsFailure } from '../config-option.ts';
import { orFail, transport } from '../runner-command.ts';
import { Chronicle } from './chronicle.ts';
import { DEMO_GATEWAY } from './configs.ts';
import { output, type Processes } from './processes.ts';
import type { Stage } from './stage.ts';
import type { JobStory } from './story.ts';

/** Starts the three servers of the stage, and waits until each is ready. */
export async function startServers(stage: Stage, processes: Processes): Promise<void> {
  const jobpass = join(stage.binFolder, 'jobpass');
  const publicKey = output(
    [jobpass, 'keys', 'export', '--public', DEMO_GATEWAY, '--config', stage.configs.gateway],
    stage.folder,
  );
  writeFileSync(join(stage.folder, `sts/${DEMO_GATEWAY}.public.json`), publicKey);
  const serve = (server: keyof Stage['configs']): Promise<void> =>
    processes.start({
      name: server,
      command: [jobpass, 'serve', '--config', stage.configs[server]],
      folder: stage.folder,
      readyLine: /^ready/m,
    });
  // Each would wait for the other; in this order nobody has to.
  await serve('issuer');
  await serve('sts');
  await serve('gateway');
}

/** Runs jobs of the example as its CI would, an ordinary registered controller, and hands each job's story to `tell`. */
export async function runJobs(
  stage: Stage,
  how: {
    readonly jobs: readonly string[];
    readonly trigger: Trigger;
    readonly surroundings: Pick<Surroundings, 'env' | 'signal'>;
    readonly tell: (story: JobStory) => void;
  },
): Promise<void> {
  const { surroundings } = how;
  const credential = orFail(await readControllerFile(stage.controllerFile));
  const facts = orFail(await readGitFacts(createGit(surroundings.env), stage.repository));
  const chronicle = new Chronicle(stage, how.tell);
  orFail(
    await runPipeline({
      pipeline: pipelineOf(stage),
      facts,
      controller: createController(transport, credential),
      local: false,
      machine: createMachine(surroundings.env),
      report: chronicle.report,
      signal: surroundings.signal,
      concurrency: availableParallelism(),
      stepEnvironment: { PATH: [stage.binFolder, surroundings.env.PATH ?? ''].join(delimiter) },
      jobs: how.jobs,
      trigger: how.trigger,
    }),
  );
  await chronicle.told();
}

function pipelineOf(stage: Stage): Pipeline {
  const file = join(stage.repository, 'pipeline.yaml');
  const pipeline = readPipeline({ file, text: readFileSync(file, 'utf8') });
  if (!pipeline.ok) throw problemsFailure(pipeline.error);
  return pipeline.value;
}
