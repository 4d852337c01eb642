// Facts of jobs for tests: one ordinary push, and arbitrary ones full of separators.
import fc from 'fast-check';
import type { JobFacts } from '../../src/base/identity/facts.ts';

/** A push to main of acme/web without an environment. */
export const PUSH: JobFacts = {
  owner: { name: 'acme', id: '42' },
  pipeline: { name: 'web', id: '7' },
  workflow: 'release',
  job: 'publish',
  runId: '1001',
  runNumber: '12',
  runAttempt: '1',
  ref: 'refs/heads/main',
  refType: 'branch',
  refProtected: true,
  sha: '4be1f0c',
  event: 'push',
  actor: { name: 'ada', id: '9' },
  environmentProtected: false,
  runnerId: 'r1',
  runnerEnvironment: 'self-hosted',
  fork: false,
  interactive: false,
  local: false,
  extra: {},
  awsSessionTags: [],
};

/** Parts full of separators, percent signs, wildcards and characters beyond ASCII, but well-formed. */
const hostilePart = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      '1',
      '/',
      ':',
      '@',
      '*',
      '%',
      '%3A',
      '%2F',
      ' ',
      'é',
      '💥',
      '\u007f',
      '\u0085',
      ':ref:',
      'fork:',
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((pieces) => pieces.join(''));
export const part = fc.oneof(hostilePart, fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }));

const named = fc.record({ name: part, id: part });

/** Who and where: everything that a subject is made of. */
export const subjectFacts: fc.Arbitrary<JobFacts> = fc
  .record({
    owner: named,
    pipeline: named,
    ref: part,
    event: fc.constantFrom('push', 'pull_request'),
    environment: fc.option(part, { nil: undefined }),
    fork: fc.boolean(),
    local: fc.boolean(),
  })
  .map(({ environment, ...facts }) => ({ ...PUSH, ...facts, ...(environment === undefined ? {} : { environment }) }));
