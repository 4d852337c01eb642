import { describe, expect, it } from 'vitest';
import {
  FACTS,
  fakeWorld,
  jobNamed,
  pipelineOf,
  runIn,
  settle,
  untilStopped,
} from '../../../test/fakes/runner-world.ts';
import type { RunEvent } from './events.ts';
import { runPipeline } from './run.ts';

describe('a run', () => {
  it('keeps the order of needs, hands outputs on, and runs the rest side by side', async () => {
    const world = fakeWorld();
    const pipeline = pipelineOf(
      jobNamed('publish', { needs: ['build', 'lint'] }),
      jobNamed('build', { outputs: ['a.tar'] }),
      jobNamed('lint'),
    );
    expect(await runIn(world, pipeline)).toMatchObject({ outcome: 'succeeded' });
    const at = (line: string) => world.log.indexOf(line);
    expect(at('start lint')).toBeLessThan(at('finish J-build'));
    expect(at('finish J-build')).toBeLessThan(at('start publish'));
    expect(world.log.filter((line) => line.startsWith('place'))).toEqual(['place build']);
  });

  it('runs no more jobs at once than it may', async () => {
    const world = fakeWorld();
    await runIn(world, pipelineOf(jobNamed('a'), jobNamed('b'), jobNamed('c')), { concurrency: 1 });
    expect(world.log.filter((line) => /^(start|finish)/.test(line))).toEqual([
      'start a',
      'finish J-a',
      'start b',
      'finish J-b',
      'start c',
      'finish J-c',
    ]);
  });

  it('skips what needs a failed job, at any distance, and runs what does not', async () => {
    const world = fakeWorld((step) => ({ kind: 'exited', code: step.script === 'build' ? 1 : 0 }));
    const pipeline = pipelineOf(
      jobNamed('build'),
      jobNamed('publish', { needs: ['build'] }),
      jobNamed('tell', { needs: ['publish'] }),
      jobNamed('lint'),
    );
    expect((await runIn(world, pipeline)).outcomes).toEqual([
      'build failed',
      'publish skipped',
      'tell skipped',
      'lint succeeded',
    ]);
    expect(world.log).not.toContain('start publish');
  });

  it('of chosen jobs runs them and what they need', async () => {
    const world = fakeWorld();
    const pipeline = pipelineOf(jobNamed('build'), jobNamed('publish', { needs: ['build'] }), jobNamed('lint'));
    expect((await runIn(world, pipeline, { jobs: ['publish'] })).outcomes).toEqual([
      'build succeeded',
      'publish succeeded',
    ]);
    const options = {
      ...world,
      pipeline,
      facts: FACTS,
      local: false,
      report: () => undefined,
      signal: new AbortController().signal,
    };
    const unknown = await runPipeline({ ...options, concurrency: 1, stepEnvironment: {}, jobs: ['ghost'] });
    expect(unknown).toMatchObject({ ok: false, error: { kind: 'usage' } });
  });

  it('that is stopped finishes and deletes what runs, and starts nothing more', async () => {
    const world = fakeWorld(untilStopped);
    const stop = new AbortController();
    const running = runIn(world, pipelineOf(jobNamed('a'), jobNamed('b', { needs: ['a'] }), jobNamed('c')), {
      concurrency: 1,
      signal: stop.signal,
    });
    await settle();
    stop.abort();
    expect(await running).toMatchObject({
      outcome: 'aborted',
      exitCode: 1,
      outcomes: ['a aborted', 'b skipped', 'c skipped'],
    });
    expect(world.log).toEqual(['start a', 'run a', 'finish J-a', 'remove /run/a', 'remove /run']);
  });

  it.each(['step_started', 'output', 'job_finished'] as const)(
    'whose reporter throws on %s finishes and deletes everything, then throws the same',
    async (kind) => {
      const world = fakeWorld((step) => {
        step.onOutput('stdout', Buffer.from('a line\n'));
        return step.script === 'a' && kind !== 'job_finished' ? untilStopped(step) : { kind: 'exited', code: 0 };
      });
      const report = (event: RunEvent) => {
        if (event.kind === kind) throw new Error('cannot draw');
      };
      await expect(runIn(world, pipelineOf(jobNamed('a'), jobNamed('b')), { report })).rejects.toThrow('cannot draw');
      for (const end of ['finish J-a', 'finish J-b', 'remove /run/a', 'remove /run/b', 'remove /run'])
        expect(world.log).toContain(end);
    },
  );
});
