import { describe, expect, it } from 'vitest';
import { readPipeline } from './pipeline.ts';

const HEAD = 'owner: {name: acme, id: "42"}\npipeline: {name: web, id: "7"}\n';

const read = (jobs: string) => readPipeline({ file: 'ci/web.yaml', text: HEAD + jobs });

/** Path and message of each problem. */
function problemsOf(jobs: string): readonly string[] {
  const result = read(jobs);
  return result.ok ? [] : result.error.map((problem) => `${problem.path}: ${problem.message}`);
}

describe('a pipeline file', () => {
  it('gives jobs with their defaults', () => {
    const result = read('jobs:\n  build: {run: [make, make check], outputs: [dist/*.tar.gz]}\n');
    expect(result).toEqual({
      ok: true,
      value: {
        workflow: 'web',
        owner: { name: 'acme', id: '42' },
        pipeline: { name: 'web', id: '7' },
        jobs: [
          {
            name: 'build',
            needs: [],
            environment: null,
            audiences: [],
            timeoutSeconds: 600,
            steps: [{ name: 'step 1', script: 'make\nmake check', audiences: null }],
            outputs: ['dist/*.tar.gz'],
          },
        ],
      },
    });
  });

  it('gives steps that narrow', () => {
    const result = read(
      'jobs:\n  build: {run: [make]}\n  publish:\n    needs: [build]\n    environment: production\n    timeout: 90s\n    audiences: [a, b]\n    steps:\n      - {name: up, run: put, audiences: [b]}\n      - {run: [x], audiences: []}\n',
    );
    expect(result).toMatchObject({
      value: {
        jobs: [
          {},
          {
            needs: ['build'],
            environment: 'production',
            timeoutSeconds: 90,
            steps: [
              { name: 'up', script: 'put', audiences: ['b'] },
              { name: 'step 2', script: 'x', audiences: [] },
            ],
          },
        ],
      },
    });
  });

  it('shows every problem at once, with its place', () => {
    const text =
      'owner: {name: acme, id: 42}\n' +
      'pipeline: {name: web, id: "7"}\n' +
      'jobs:\n' +
      '  build: {run: [make], timeout: 10x}\n' +
      '  publish: {needs: [bild], steps: [{run: put, audiences: [c]}], audience: [c]}\n';
    const result = readPipeline({ file: 'pipeline.yaml', text });
    expect(result.ok ? [] : result.error.map(({ line, path }) => `${line} ${path}`)).toEqual([
      '1 owner.id',
      '4 jobs.build.timeout',
      '5 jobs.publish.needs[0]',
      '5 jobs.publish.steps[0].audiences[0]',
      '5 jobs.publish.audience',
    ]);
  });

  it('refuses an id that is not a string, and says how to write it', () => {
    const result = readPipeline({
      file: 'p.yaml',
      text: 'owner: {name: a, id: 042}\npipeline: {name: w, id: "7"}\njobs: {b: {run: [x]}}\n',
    });
    expect(result.ok ? [] : result.error.map((problem) => problem.hint)).toEqual(['quote it: "042"']);
  });

  it.each([
    ['no jobs', 'jobs: {}\n', 'jobs: wanted at least one job'],
    [
      'a cycle',
      'jobs: {a: {needs: [b], run: [x]}, b: {needs: [a], run: [x]}}\n',
      'jobs.a.needs: the jobs wait for each other: a → b → a',
    ],
    ['neither run nor steps', 'jobs: {a: {needs: []}}\n', 'jobs.a: wanted run (a list of shell lines) or steps'],
    [
      'run and steps',
      'jobs: {a: {run: [x], steps: [{run: x}]}}\n',
      'jobs.a.steps: wanted either run or steps, not both',
    ],
  ])('with %s is refused', (_, jobs, problem) => {
    expect(problemsOf(jobs)).toEqual([problem]);
  });

  it.each(['../up', '/etc/passwd', 'a/../b', './a', 'a//b', '*/a', '.git/config', 'a\\b', '', 'a/'])(
    'refuses the output %j',
    (path) => {
      expect(problemsOf(`jobs: {a: {run: [x], outputs: [${JSON.stringify(path)}]}}\n`)).toHaveLength(1);
    },
  );

  it.each(['../a', 'a b', '-a', 'a.b', 'ä'])('refuses the job name %j', (name) => {
    expect(problemsOf(`jobs: {${JSON.stringify(name)}: {run: [x]}}\n`)).toHaveLength(1);
  });

  it.each(['0s', '7h', '10', 'ten'])('refuses the timeout %j', (timeout) => {
    expect(problemsOf(`jobs: {a: {run: [x], timeout: "${timeout}"}}\n`)).toHaveLength(1);
  });
});
