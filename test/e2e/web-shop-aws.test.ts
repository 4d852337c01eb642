// The pipeline of the web shop with the aws command line in the place of its own upload: by the same variables, to the same end.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runJobs } from '../../src/app/cli/demo/run-demo.ts';
import type { JobStory } from '../../src/app/cli/demo/story.ts';
import type { Trigger } from '../../src/runner/ci/job-facts.ts';
import { requireClient } from '../clients.ts';
import { startThreeServers, type ThreeServers } from './three-servers.ts';

const aws = requireClient('aws');
const EXAMPLE = join(import.meta.dirname, '../../examples/web-shop');

describe.skipIf(aws === undefined)('aws s3 cp in the pipeline of the web shop', () => {
  let example: string;
  let servers: ThreeServers;

  beforeAll(async () => {
    example = mkdtempSync(join(tmpdir(), 'jobpass-web-shop-'));
    cpSync(EXAMPLE, example, { recursive: true });
    const pipeline = join(example, 'pipeline.yaml');
    const written = readFileSync(pipeline, 'utf8');
    expect(written.match(/node publish\.mjs/g)).toHaveLength(2);
    writeFileSync(pipeline, written.replaceAll('node publish.mjs', 'aws s3 cp'));
    servers = await startThreeServers({ resource: 's3', example });
  });
  afterAll(async () => {
    await servers?.close();
    rmSync(example, { recursive: true, force: true });
  });

  async function run(job: string, trigger: Trigger): Promise<ReadonlyMap<string, JobStory>> {
    const stories = new Map<string, JobStory>();
    await runJobs(servers.stage, {
      jobs: [job],
      trigger,
      surroundings: { env: process.env, signal: new AbortController().signal },
      tell: (story) => void stories.set(story.result.job, story),
    });
    return stories;
  }

  test('publishes, and what it left in its cache dies with the job', async () => {
    const stories = await run('replay', { event: 'push' });
    const publish = stories.get('publish');
    expect(publish?.output.join('\n')).toMatch(
      /upload: needs\/build\/(web-shop-[0-9a-f]{7}\.tar\.gz) to s3:\/\/web-shop\/releases\/7\/\1/,
    );
    expect(publish).toMatchObject({ result: { outcome: 'succeeded' }, decision: { outcome: 'granted', wire: 'aws' } });
    expect(stories.get('replay')?.output).toEqual([expect.stringMatching(/^dead: 400 ExpiredToken, decision D/)]);
  });

  test('is refused for a fork as the example’s own upload is', async () => {
    const fork = await run('preview', { event: 'pull_request', fork: true, headPipelineId: '99' });
    const preview = fork.get('preview');
    expect(preview).toMatchObject({ result: { outcome: 'failed' }, decision: { reason: 'no_rule_matched' } });
    expect(preview?.output.join('\n')).toContain(`jobpass decisions show ${preview?.decision?.id}`);
  });
});
