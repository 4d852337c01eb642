// `jobpass demo`: a real job gets an identity, uses it, and loses everything when it ends.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { shortId } from '../../../base/core/ids.ts';
import { packageFolder } from '../../package-folder.ts';
import { type Command, CommandFailure, EXIT, type Surroundings, text } from '../command.ts';
import { CLOUDS, type Cloud, cloudsOf, NAME_OF, STORE_OF } from '../demo/clouds.ts';
import { demoPorts } from '../demo/ports.ts';
import { Processes } from '../demo/processes.ts';
import { publishTo } from '../demo/repository.ts';
import { runJobs, startServers } from '../demo/run-demo.ts';
import { buildStage, type Stage } from '../demo/stage.ts';
import { type JobStory, tellJob } from '../demo/story.ts';
import { seconds } from '../draw-run.ts';
import { askOperator, credentialIn } from '../operator.ts';
import { type Paint, paintFor, printable } from '../paint.ts';
import { readDecision, readNearest } from '../read-decision.ts';
import { showDecision } from '../show-decision.ts';

export const demo: Command = {
  usage: 'jobpass demo [--cloud aws|gcp|azure|all] [--keep]',
  options: { cloud: { type: 'string', default: 'aws' }, keep: { type: 'boolean' } },
  optionHelp: {
    cloud: 'whose clients’ words the job publishes by; all: one after another. Default: aws',
    keep: 'leave the servers running, to look around and break things',
  },
  async run(surroundings) {
    const clouds = askedClouds(surroundings);
    const paint = paintFor(process.stdout.isTTY === true, surroundings.env);
    const folder = mkdtempSync(join(tmpdir(), 'jobpass-demo-'));
    const processes = new Processes();
    try {
      await tell(folder, processes, { surroundings, paint, clouds });
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
  readonly clouds: readonly Cloud[];
}

function askedClouds({ options }: Surroundings): readonly Cloud[] {
  const word = text(options.cloud) ?? 'aws';
  const clouds = cloudsOf(word);
  if (clouds !== undefined) return clouds;
  throw new CommandFailure(`--cloud ${printable(word)} is none that the demo knows`, {
    exitCode: EXIT.usage,
    hint: `--cloud ${[...CLOUDS, 'all'].join('|')}`,
  });
}

async function tell(folder: string, processes: Processes, telling: Telling): Promise<void> {
  const { surroundings, paint, clouds } = telling;
  const { out } = surroundings;
  const stage = buildStage({
    folder,
    example: join(packageFolder(), 'examples/web-shop'),
    ports: await demoPorts(clouds),
    program: thisProgram(),
    clouds,
  });
  out(
    `${paint.strong('Jobpass demo')} · three servers that share nothing but URLs · real git repository · nothing leaves this machine\n`,
  );
  const began = performance.now();
  await startServers(stage, processes);
  introduce(stage, out);
  out(`  ready after ${seconds((performance.now() - began) / 1000)}\n`);
  for (const cloud of clouds.slice(0, -1)) await tellOf(cloud, stage, telling);
  const last = clouds.at(-1) ?? 'aws';
  await farewell(stage, await tellOf(last, stage, telling), telling);
}

/** One cloud’s story, from the commit to the explanation. Precondition: no job of another one’s still runs. */
async function tellOf(cloud: Cloud, stage: Stage, telling: Telling): Promise<Stories> {
  const { surroundings, paint, clouds } = telling;
  if (cloud !== clouds[0]) publishTo(stage, cloud);
  const to = clouds.length === 1 ? '' : `  to ${STORE_OF[cloud]}, by the words of ${NAME_OF[cloud]}’s clients`;
  surroundings.out(`${paint.strong('web-shop')}  main  by you${to}\n`);
  const stories = await tellJobs(stage, telling);
  await conclude(stage, stories, telling);
  return stories;
}

/** How this very process was started, so that the demo's jobs run the same program. */
const thisProgram = (): [string, ...string[]] => [process.execPath, process.argv[1] ?? ''];

function introduce({ clouds, urls }: Stage, out: (text: string) => void): void {
  out(`  issuer   ${urls.issuer}   the CI provider’s side`);
  out(`  sts      ${urls.sts}   the cloud’s side      trusts the issuer above, and hears from it when a job ends`);
  const [first = 'aws', ...others] = clouds;
  out(`  gateway  ${urls.gateway}   ${STORE_OF[first]} of its own on this disk, and hears from the sts`);
  for (const cloud of others) out(`           ${urls.doors[cloud]}   the same objects as ${STORE_OF[cloud]}`);
}

type Stories = ReadonlyMap<string, JobStory>;

/** Runs the pipeline, then the fork's job, and tells each. What became of publish's credential is only known after replay. */
async function tellJobs(stage: Stage, { surroundings, paint }: Telling): Promise<Stories> {
  const stories = new Map<string, JobStory>();
  const show = (story: JobStory, ending?: string): void => {
    for (const line of tellJob(story, paint, ending)) surroundings.out(line);
  };
  const take = (story: JobStory): void => {
    stories.set(story.result.job, story);
    if (story.result.job !== 'publish' && story.result.job !== 'replay') show(story);
  };
  await runJobs(stage, { jobs: ['replay'], trigger: { event: 'push' }, surroundings, tell: take });
  const publish = stories.get('publish');
  if (publish !== undefined) show(publish, lastTry(stories));
  const fork = { event: 'pull_request', fork: true, headPipelineId: '99' };
  await runJobs(stage, { jobs: ['preview'], trigger: fork, surroundings, tell: take });
  return stories;
}

/** What the replay of the used credential met: `dead: 403 …`. */
const lastTry = (stories: Stories): string | undefined =>
  stories.get('replay')?.output.find((line) => line.startsWith('dead: '));

/** The point of it all, then why the first refused job was refused. Throws when the story did not go as it must. */
async function conclude(stage: Stage, stories: Stories, { surroundings, paint }: Telling): Promise<void> {
  const { out } = surroundings;
  const dead = lastTry(stories);
  if (stories.get('publish')?.decision?.outcome === 'granted') {
    if (dead === undefined)
      throw new CommandFailure('the credential that publish used was not tried and refused after its job', {
        detail: said(stories),
      });
    out(`\nthe credential publish used, tried once more:   ${dead}   ${paint.strong('← this is the point')}`);
  }
  const refused = firstRefused(stories);
  if (refused === undefined)
    throw new CommandFailure('no job was refused, and the fork should have been', { detail: said(stories) });
  out(`\nwhy was ${refused.job} refused?     jobpass decisions show ${shortId(refused.id)}`);
  const { body } = await askOperator(credentialIn(stage.operatorFile), `/admin/v1/decisions/${refused.id}`);
  out(`${showDecision(readDecision(body.decision), readNearest(body), paint)}\n`);
}

function firstRefused(stories: Stories): { readonly job: string; readonly id: string } | undefined {
  for (const { result, decision } of stories.values())
    if (decision?.outcome === 'refused') return { job: result.job, id: decision.id };
  return undefined;
}

const said = (stories: Stories): string => [...stories.values()].flatMap(({ output }) => output).join('\n');

/** What to do next; with --keep, what is there to look at until Ctrl-C. */
async function farewell(stage: Stage, stories: Stories, { surroundings }: Telling): Promise<void> {
  const { out, say, signal } = surroundings;
  const again = import.meta.url.endsWith('.ts') ? 'npm run demo' : 'npx --no-install jobpass demo';
  const policy = join(packageFolder(), 'examples/web-shop/policies/main/publish-web.yaml');
  const shown = relative(surroundings.folder, policy);
  const breakIt = `  break it yourself            edit ref in ${shown.startsWith('..') ? policy : shown}, then: ${again}`;
  if (surroundings.options.keep !== true) {
    out(`  look around yourself         ${again}${again.startsWith('npm run') ? ' --' : ''} --keep`);
    out(breakIt);
    return;
  }
  const path = `PATH=${stage.binFolder}:$PATH`;
  out(
    `  ask as the operator          ${path} JOBPASS_OPERATOR_FILE=${stage.operatorFile} jobpass decisions show ${shortId(firstRefused(stories)?.id ?? '')}`,
  );
  out(
    `  run the pipeline again       cd ${stage.repository} && ${path} JOBPASS_CONTROLLER_FILE=${stage.controllerFile} jobpass run pipeline.yaml`,
  );
  out(`  change a role while it runs  ${join(stage.folder, 'sts/policies/main')}`);
  out(breakIt);
  say('running until Ctrl-C');
  if (!signal.aborted) await once(signal, 'abort');
}
