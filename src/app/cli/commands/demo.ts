// `jobpass demo`: a real job gets an identity, uses it, and loses everything when it ends.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoPorts } from '../../demo/ports.ts';
import { Processes } from '../../demo/processes.ts';
import { runJobs, startServers } from '../../demo/run-demo.ts';
import { buildStage, type Stage } from '../../demo/stage.ts';
import { type JobStory, tellJob } from '../../demo/story.ts';
import { packageFolder } from '../../package-folder.ts';
import { type Command, CommandFailure, EXIT, type Surroundings } from '../command.ts';
import { seconds } from '../draw-run.ts';
import { askOperator, operatorCredential } from '../operator.ts';
import { type Paint, paintFor } from '../paint.ts';
import { readDecision, readNearest } from '../read-decision.ts';
import { showDecision } from '../show-decision.ts';

export const demo: Command = {
  usage: 'jobpass demo [--keep]',
  options: { keep: { type: 'boolean' } },
  optionHelp: { keep: 'leave the servers running, to look around and break things' },
  async run(surroundings) {
    const paint = paintFor(process.stdout.isTTY === true, surroundings.env);
    const folder = mkdtempSync(join(tmpdir(), 'jobpass-demo-'));
    const processes = new Processes();
    try {
      await tell(folder, processes, { surroundings, paint });
      return EXIT.ok;
    } finally {
      await processes.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Telling {
  readonly surroundings: Surroundings;
  readonly paint: Paint;
}

async function tell(folder: string, processes: Processes, telling: Telling): Promise<void> {
  const { surroundings, paint } = telling;
  const { out } = surroundings;
  const home = packageFolder();
  const stage = buildStage({
    folder,
    example: join(home, 'examples/web-shop'),
    ports: await demoPorts(),
    program: thisProgram(),
  });
  out(
    `${paint.strong('Jobpass demo')} · three servers that share nothing but URLs · real git repository · nothing leaves this machine\n`,
  );
  const began = performance.now();
  await startServers(stage, processes, join(home, 'examples'));
  introduce(stage, out);
  out(`  ready after ${seconds((performance.now() - began) / 1000)}\n`);
  const stories: JobStory[] = [];
  const take = (story: JobStory): void => {
    stories.push(story);
    if (story.result.job !== 'replay') for (const line of tellJob(story, paint)) out(line);
  };
  out(`${paint.strong('web-shop')}  main  by you\n`);
  await runJobs(stage, { jobs: ['replay'], trigger: { event: 'push' }, surroundings, tell: take });
  await runJobs(stage, {
    jobs: ['preview'],
    trigger: { event: 'pull_request', fork: true, headPipelineId: '99' },
    surroundings,
    tell: take,
  });
  const refused = await conclude(stage, stories, telling);
  if (surroundings.options.keep === true) await keep(stage, refused, surroundings);
  else out(`  look around yourself         npm run demo -- --keep`);
  const policy = relative(surroundings.folder, join(home, 'examples/web-shop/policies/main/publish-web.yaml'));
  out(`  break it yourself            edit ref in ${policy}, then: npm run demo`);
}

/** How this very process was started, so that the demo's jobs run the same program. */
const thisProgram = (): [string, ...string[]] => [
  process.execPath,
  fileURLToPath(new URL(`file://${process.argv[1]}`)),
];

function introduce({ urls }: Stage, out: (text: string) => void): void {
  out(`  issuer   ${urls.issuer}   the CI provider’s side`);
  out(`  sts      ${urls.sts}   the cloud’s side      trusts the issuer above, and hears from it when a job ends`);
  out(`  gateway  ${urls.gateway}   guards the artifact store, and hears from the sts`);
}

/** The point of it all, then why the fork was refused. Gives the refusal's id. */
async function conclude(stage: Stage, stories: readonly JobStory[], { surroundings, paint }: Telling): Promise<string> {
  const { out } = surroundings;
  const replay = stories.find(({ result }) => result.job === 'replay');
  const dead = replay?.output.find((line) => line.startsWith('dead'));
  if (replay?.result.outcome !== 'succeeded' || dead === undefined)
    throw new CommandFailure('the credential that publish used was not refused after its job', {
      detail: replay?.output.join('\n'),
    });
  const refused = stories.find(({ result }) => result.job === 'preview')?.decision;
  if (refused === undefined || refused === null || refused.outcome !== 'refused')
    throw new CommandFailure('the fork was not refused as it should be', {
      detail: stories.flatMap(({ output }) => output).join('\n'),
    });
  out(`\nthe credential publish used, tried once more:   ${dead}        ${paint.strong('← this is the point')}\n`);
  out(`why was preview refused?     jobpass decisions show ${refused.id}`);
  const credential = operatorCredential(stage.folder, stage.operatorFile);
  const { body } = await askOperator(credential, `/admin/v1/decisions/${refused.id}`);
  out(`${showDecision(readDecision(body.decision), readNearest(body), paint)}\n`);
  return refused.id;
}

async function keep(stage: Stage, refused: string, surroundings: Surroundings): Promise<void> {
  const { out, say } = surroundings;
  out(`  ask as the operator          JOBPASS_OPERATOR_FILE=${stage.operatorFile} jobpass decisions show ${refused}`);
  out(
    `  run the pipeline again       cd ${stage.repository} && JOBPASS_CONTROLLER_FILE=${stage.controllerFile} PATH=${stage.binFolder}:$PATH jobpass run pipeline.yaml`,
  );
  out(`  change a role while it runs  ${join(stage.folder, 'sts/policies/main')}`);
  say('running until Ctrl-C');
  if (!surroundings.signal.aborted) await once(surroundings.signal, 'abort');
}
