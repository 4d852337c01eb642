// `jobpass run` on a real repository, with real processes, against an issuer that only writes down what it is told.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/core/secret.ts';
import type { RunEvent } from '../../src/runner/ci/events.ts';
import { createGit, readGitFacts } from '../../src/runner/ci/git-facts.ts';
import { createMachine } from '../../src/runner/ci/machine.ts';
import { readPipeline } from '../../src/runner/ci/pipeline.ts';
import { runStep } from '../../src/runner/ci/processes.ts';
import { runPipeline } from '../../src/runner/ci/run.ts';
import { createController } from '../../src/runner/controller.ts';
import { RecordingIssuer } from '../fakes/recording-issuer.ts';

const HEAD = 'owner: {name: acme, id: "42"}\npipeline: {name: web, id: "7"}\njobs:\n';
/** All that git and the runner are given; the secret stands in the process's own environment. */
const CALLER = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  PLANTED_SECRET: 'planted-in-the-caller',
  GIT_DIR: '/nonexistent',
};

let root: string;
let repository: string;
let issuer: RecordingIssuer;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'jobpass-run-test-'));
  repository = join(root, 'web shop');
  mkdirSync(repository);
  git('init', '--quiet', '--initial-branch', 'main');
  commit({ 'hello.txt': 'hello\n' });
  issuer = await RecordingIssuer.listen();
  process.env.PLANTED_SECRET = CALLER.PLANTED_SECRET;
});
afterEach(async () => {
  delete process.env.PLANTED_SECRET;
  await issuer.close();
  rmSync(root, { recursive: true, force: true });
});

function git(...args: readonly string[]): string {
  const env = { PATH: process.env.PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', ['-c', 'user.name=You', '-c', 'user.email=you@test', ...args], {
    cwd: repository,
    env,
    encoding: 'utf8',
  });
}

function commit(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, name)), { recursive: true });
    writeFileSync(join(repository, name), text);
  }
  git('add', '--all');
  git('commit', '--quiet', '--message', 'a change');
}

interface Ran {
  readonly outcome: string;
  readonly exitCode: number;
  readonly outcomes: readonly string[];
  readonly lines: readonly string[];
  readonly events: readonly RunEvent[];
}

/** Runs the jobs as `jobpass run` does, and proves that nothing is left behind. */
async function runJobs(
  jobs: string,
  onEvent: (event: RunEvent, stop: () => void) => void = () => undefined,
): Promise<Ran> {
  const pipeline = readPipeline({ file: 'pipeline.yaml', text: HEAD + jobs });
  if (!pipeline.ok) throw new Error(JSON.stringify(pipeline.error));
  const facts = await readGitFacts(createGit(CALLER), repository);
  if (!facts.ok) throw new Error(facts.error.message);
  const transport = { fetch: globalThis.fetch, sleep: (ms: number) => sleep(ms) };
  const credential = { url: issuer.url, client: 'laptop', secret: new Secret('client-secret'), local: false };
  const stop = new AbortController();
  const events: RunEvent[] = [];
  const real = createMachine(CALLER);
  let folder = '';
  const result = await runPipeline({
    pipeline: pipeline.value,
    facts: facts.value,
    controller: createController(transport, credential),
    local: false,
    machine: { ...real, makeRunFolder: async () => (folder = await real.makeRunFolder()) },
    report(event) {
      events.push(event);
      onEvent(event, () => stop.abort());
    },
    signal: stop.signal,
    concurrency: 2,
    stepEnvironment: { PATH: CALLER.PATH ?? '' },
  });
  if (!result.ok) throw new Error(result.error.message);
  expect(existsSync(folder)).toBe(false);
  expect(issuer.finished).toHaveLength(issuer.started.length);
  return {
    ...result.value,
    events,
    outcomes: result.value.jobs.map(({ job, outcome }) => `${job} ${outcome}`),
    lines: events.flatMap((event) => (event.kind === 'output' ? [event.line] : [])),
  };
}

/** Gone, or dead and only waiting to be reaped by whoever adopts orphans here. */
function isGone(pid: number): boolean {
  try {
    return / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/\(.*\)/, ''));
  } catch {
    return true;
  }
}

const pidIn = (line: string | undefined): number => Number(/pid (\d+)/.exec(line ?? '')?.[1] ?? Number.NaN);

describe('a run on a real repository', () => {
  it('runs the commit, hands outputs on, and tells the issuer what git says', async () => {
    writeFileSync(join(repository, 'hello.txt'), 'not committed\n');
    const ran = await runJobs(
      '  build:\n    run: ["tr a-z A-Z < hello.txt > loud-$JOBPASS_SHA.txt", "git remote"]\n    outputs: [loud-*.txt]\n' +
        '  publish:\n    needs: [build]\n    environment: production\n    audiences: [sts]\n    run: ["cat needs/build/*", "git status --porcelain"]\n',
    );
    expect(ran).toMatchObject({
      outcome: 'succeeded',
      exitCode: 0,
      outcomes: ['build succeeded', 'publish succeeded'],
    });
    expect(ran.lines).toEqual(['HELLO', '?? needs/']);
    expect(issuer.started).toMatchObject([
      { job: 'build', ref: 'refs/heads/main', sha: git('rev-parse', 'HEAD').trim(), owner: { id: '42' }, fork: false },
      { job: 'publish', environment: 'production', audiences: ['sts'], ref_protected: false },
    ]);
  });

  it('ends with 1 when a step fails, and still finishes and deletes', async () => {
    const ran = await runJobs(
      '  build: {run: ["echo before", "false", "echo after"]}\n  next: {needs: [build], run: [echo]}\n',
    );
    expect(ran).toMatchObject({ outcome: 'failed', exitCode: 1, outcomes: ['build failed', 'next skipped'] });
    expect(ran.lines).toEqual(['before']);
  });

  it('gives a job nothing of the caller’s environment', async () => {
    const ran = await runJobs(
      '  build: {audiences: [sts], run: ["env | sort", "pwd -P > /dev/null", "test ! -t 0"]}\n',
    );
    expect(ran.outcome).toBe('succeeded');
    // Some shells add names of their own.
    const names = ran.lines
      .map((line) => line.split('=')[0])
      .filter((name) => !/^(PWD|OLDPWD|SHLVL|_)$/.test(name ?? ''));
    expect(names).toEqual([
      'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
      'ACTIONS_ID_TOKEN_REQUEST_URL',
      'CI',
      'HOME',
      'JOBPASS_JOB',
      'JOBPASS_JOB_ID',
      'JOBPASS_REF',
      'JOBPASS_RUN_ID',
      'JOBPASS_SHA',
      'PATH',
      'TMPDIR',
    ]);
    expect(ran.lines.join()).not.toContain(CALLER.PLANTED_SECRET);
  });

  it('stands in a detached head without a branch', async () => {
    git('checkout', '--quiet', '--detach');
    await runJobs('  build: {run: ["true"]}\n');
    const sha = git('rev-parse', 'HEAD').trim();
    expect(issuer.started).toMatchObject([{ ref: `refs/detached/${sha}`, ref_type: 'other' }]);
  });
});

describe('the log of a job', () => {
  it('shows its request tokens in no form', async () => {
    const token = '"$ACTIONS_ID_TOKEN_REQUEST_TOKEN"';
    const ran = await runJobs(
      '  publish:\n    audiences: [a, b]\n    steps:\n' +
        `      - {run: ['echo is ${token}', 'printf x:%s ${token} | base64 -w0']}\n` +
        `      - {audiences: [a], run: ['echo narrow ${token} >&2', 'echo ::add-mask::hunter22', 'echo hunter22']}\n`,
    );
    expect(ran.lines.slice(0, 1)).toEqual(['is ***']);
    expect(ran.lines.slice(2)).toEqual(expect.arrayContaining(['narrow ***', '::add-mask::***', '***']));
    expect(ran.lines[1]?.length).toBeLessThan(12);
    expect(issuer.tokens).toHaveLength(2);
    for (const secret of issuer.tokens) expect(JSON.stringify(ran.events)).not.toContain(secret.slice(0, 20));
  });
});

describe('the end of a job', () => {
  it('by timeout takes its whole process group with it', async () => {
    const ran = await runJobs('  build: {timeout: 1s, run: ["(sleep 300 & echo pid $!; wait) & wait"]}\n');
    expect(ran).toMatchObject({ outcomes: ['build timed_out'], exitCode: 1 });
    expect(isGone(pidIn(ran.lines[0]))).toBe(true);
  });

  it('by success leaves no process in the background', async () => {
    const ran = await runJobs('  build: {run: ["sleep 300 & echo pid $!"]}\n');
    expect(ran.outcome).toBe('succeeded');
    expect(isGone(pidIn(ran.lines[0]))).toBe(true);
  });

  it('by Ctrl-C finishes it at the issuer and deletes its folder', async () => {
    const ran = await runJobs(
      '  build: {run: ["echo pid $$", "exec sleep 300"]}\n  later: {needs: [build], run: [echo]}\n',
      (event, stop) => {
        if (event.kind === 'output') stop();
      },
    );
    expect(ran).toMatchObject({ outcome: 'aborted', exitCode: 1, outcomes: ['build aborted', 'later skipped'] });
    expect(isGone(pidIn(ran.lines[0]))).toBe(true);
    expect(issuer.finished).toEqual(['J1']);
  });

  it('comes with SIGKILL for a step that ignores SIGTERM', async () => {
    const stop = new AbortController();
    let output = '';
    const step = {
      script: 'trap "" TERM; echo pid $$; while :; do sleep 0.1; done',
      folder: root,
      env: { PATH: CALLER.PATH ?? '' },
      stop: stop.signal,
      onOutput(_: string, chunk: Uint8Array) {
        output += Buffer.from(chunk).toString();
        stop.abort();
      },
    };
    expect(await runStep(step, 200)).toEqual({ kind: 'killed', signal: 'SIGKILL' });
    expect(isGone(pidIn(output))).toBe(true);
  });

  it('gives what a step started the time to clean up, also when its shell is gone at once', async () => {
    const child = 'trap "sleep 0.2; echo cleaned up; exit" TERM; echo ready; while :; do sleep 0.05; done';
    const ran = await runJobs(`  build: {run: ['sh -c ''${child}''', 'echo never']}\n`, (event, stop) => {
      if (event.kind === 'output' && event.line === 'ready') stop();
    });
    // The shell may remark that its child was terminated.
    expect(ran.lines.filter((line) => line !== 'Terminated')).toEqual(['ready', 'cleaned up']);
  });

  it('gives a step the time to clean up', async () => {
    const ran = await runJobs(
      '  build: {run: ["trap \'echo cleaned up; exit 1\' TERM", "echo ready", "sleep 300 & wait"]}\n',
      (event, stop) => {
        if (event.kind === 'output' && event.line === 'ready') stop();
      },
    );
    // The shell may remark that its child was terminated.
    expect(ran.lines.filter((line) => line !== 'Terminated')).toEqual(['ready', 'cleaned up']);
  });
});

it('jobs that do not need each other run at the same time', async () => {
  // Each waits for the other's sign of life: one after the other they would fail.
  const meet = (own: string, other: string) =>
    `  ${own}: {timeout: 20s, run: ["touch ${root}/${own}", "for i in $(seq 100); do test -e ${root}/${other} && exit 0; sleep 0.1; done; exit 1"]}\n`;
  const ran = await runJobs(meet('left', 'right') + meet('right', 'left'));
  expect(ran.outcomes).toEqual(['left succeeded', 'right succeeded']);
});
