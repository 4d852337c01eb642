import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Tests start the program hundreds of times; each would strip the types of all its files again.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/jobpass', import.meta.url));

const isSoak = process.env.JOBPASS_SOAK === '1';
const cores = availableParallelism();

/**
 * Suites that want the machine, or its usual ports, for themselves: they hold bounds in seconds, or measure memory. They run one at a time,
 * after the others. Of the others `test/e2e/demo.test.ts` alone may use the usual ports.
 */
const ALONE = [
  'test/cli/dev-https.test.ts',
  'test/cli/dev.test.ts',
  'test/e2e/ending-access-s3.test.ts',
  'test/e2e/ending-access.test.ts',
  'test/e2e/gateway-feed.test.ts',
  'test/e2e/gateway-guard.test.ts',
  'test/e2e/serve-signals.test.ts',
  'test/e2e/stop.test.ts',
  'test/faults/gateway-s3-memory.test.ts',
  'test/faults/job-end.test.ts',
  'test/faults/postgres-store.test.ts',
  'test/sdk/aws-s3/end.test.ts',
];

const lost = ALONE.filter((file) => !existsSync(new URL(file, import.meta.url)));
if (lost.length > 0) throw new Error(`vitest.config.ts lists what is not there: ${lost.join(', ')}`);

const SUITE = { testTimeout: 120_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/conformance/**/*.test.ts', 'test/house/**/*.test.ts'],
          testTimeout: 30_000,
          // Modules are loaded once for all files of a worker: no test leaves anything behind in one.
          isolate: false,
          unstubEnvs: true,
          unstubGlobals: true,
          maxWorkers: cores,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'suites',
          include: ['test/{attacks,cli,e2e,faults,sdk}/**/*.test.ts'],
          exclude: ALONE,
          ...SUITE,
          // A soak holds every bound to the letter, so it does one thing at a time.
          maxWorkers: isSoak ? 1 : Math.min(cores, 4),
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: { name: 'alone', include: ALONE, ...SUITE, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
