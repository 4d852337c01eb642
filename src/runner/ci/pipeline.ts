// Reads a pipeline file: what a person's own CI runs, and in whose name. It decides nothing about claims but owner, pipeline and ids.
import { basename } from 'node:path';
import * as z from 'zod';
import { parseDuration } from '../../base/core/duration.ts';
import { isJsonObject, type JsonValue, ownMember } from '../../base/core/json.ts';
import type { Result } from '../../base/core/result.ts';
import { ok } from '../../base/core/result.ts';
import type { DocumentPath, Problem } from '../../base/document/problem.ts';
import { type Report, readDocument } from '../../base/document/read.ts';
import type { NamedId } from '../../base/identity/facts.ts';
import { findCycles } from './graph.ts';

/** A pipeline as it runs. */
export interface Pipeline {
  /** The file's name without its ending; the `workflow` of its jobs. */
  readonly workflow: string;
  readonly owner: NamedId;
  readonly pipeline: NamedId;
  /** In the order of the file. Needs name jobs of this list and have no cycle. */
  readonly jobs: readonly PipelineJob[];
}

export interface PipelineJob {
  readonly name: string;
  readonly needs: readonly string[];
  readonly environment: string | null;
  /** Whom the job may ask ID tokens for. Empty: it gets no identity. */
  readonly audiences: readonly string[];
  readonly timeoutSeconds: number;
  readonly steps: readonly PipelineStep[];
  /** Files that jobs which need this one find in `needs/<job>/`; `*` stands for any run of characters in the last part. */
  readonly outputs: readonly string[];
}

export interface PipelineStep {
  readonly name: string;
  /** For `sh -e`. */
  readonly script: string;
  /** Fewer audiences than the job has; null: the job's. */
  readonly audiences: readonly string[] | null;
}

const DEFAULT_TIMEOUT_SECONDS = 600;
/** Longer jobs belong on a real CI; GitHub's bound too. */
const MAX_TIMEOUT_SECONDS = 6 * 3600;
const MAX_ITEMS = 100;
/** The issuer gives a job 16 request tokens; a repeated start takes one as well. */
const MAX_NARROWED_STEPS = 12;

const plain = (max: number) =>
  z
    .string()
    .refine(
      (text) => text.length <= max && /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$/.test(text) && text.trim() === text,
      {
        error: `wanted 1 to ${max} characters without control characters or spaces at the ends`,
      },
    );
const jobName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, {
  error: 'wanted letters, digits, - and _, beginning with a letter or digit, at most 64',
});
const list = <T extends z.ZodType>(item: T) => z.array(item).max(MAX_ITEMS);
const namedId = z.strictObject({ name: plain(255), id: plain(255) });
/** As many as the issuer takes. */
const audiences = z.array(plain(255)).max(20);
const script = list(z.string()).min(1);
const timeout = z.string().refine(isTimeout, {
  error: 'wanted a duration such as 90s or 10m, at most 6h',
});
const output = z.string().refine(isOutputPath, {
  error: 'wanted a relative path with / and without .., for example dist/app-*.tar.gz',
});
const stepSchema = z.strictObject({
  name: plain(100).optional(),
  run: z.union([script, z.string().min(1)]),
  audiences: audiences.optional(),
});
const jobSchema = z.strictObject({
  needs: list(jobName).optional(),
  environment: plain(255).optional(),
  audiences: audiences.optional(),
  timeout: timeout.optional(),
  run: script.optional(),
  steps: list(stepSchema).min(1).optional(),
  outputs: list(output).optional(),
});
const pipelineSchema = z.strictObject({ owner: namedId, pipeline: namedId, jobs: z.record(jobName, jobSchema) });

/** Reads a pipeline file, or says everything that is wrong with it. */
export function readPipeline(source: {
  readonly file: string;
  readonly text: string;
}): Result<Pipeline, readonly Problem[]> {
  const read = readDocument(source, pipelineSchema, { check: checkJobs });
  if (!read.ok) return read;
  const { owner, pipeline, jobs } = read.value.value;
  return ok({
    workflow: basename(source.file).replace(/\.(ya?ml|json)$/, ''),
    owner,
    pipeline,
    jobs: Object.entries(jobs).map(([name, job]) => toJob(name, job)),
  });
}

function toJob(name: string, job: z.infer<typeof jobSchema>): PipelineJob {
  const steps = job.steps ?? [{ run: job.run ?? [], name: undefined, audiences: undefined }];
  return {
    name,
    needs: [...new Set(job.needs ?? [])],
    environment: job.environment ?? null,
    audiences: [...new Set(job.audiences ?? [])],
    timeoutSeconds: parseDuration(job.timeout ?? '') ?? DEFAULT_TIMEOUT_SECONDS,
    steps: steps.map((step, index) => ({
      name: step.name ?? `step ${index + 1}`,
      script: typeof step.run === 'string' ? step.run : step.run.join('\n'),
      audiences: step.audiences ?? null,
    })),
    outputs: [...new Set(job.outputs ?? [])],
  };
}

function isTimeout(text: string): boolean {
  const seconds = parseDuration(text);
  return seconds !== undefined && seconds <= MAX_TIMEOUT_SECONDS;
}

/** Relative, no way up or out, no repository internals, a star only in the file's own name. */
function isOutputPath(path: string): boolean {
  if (path.length > 255 || !/^[\x21-\x7e]+$/.test(path) || path.includes('\\')) return false;
  const parts = path.split('/');
  const folders = parts.slice(0, -1);
  return (
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git') &&
    folders.every((part) => !part.includes('*'))
  );
}

/** What jobs say about each other, and parts that exclude each other. Any part may still be of any shape. */
function checkJobs(document: JsonValue, report: Report): void {
  const jobs = memberOf(document, 'jobs');
  if (!isJsonObject(jobs)) return;
  const names = Object.keys(jobs);
  if (names.length === 0) report(['jobs'], 'wanted at least one job');
  if (names.length > MAX_ITEMS) report(['jobs'], `wanted at most ${MAX_ITEMS} jobs`);
  const needs = new Map(names.map((name) => [name, stringsOf(memberOf(jobs[name], 'needs'))]));
  for (const [name, wanted] of needs) {
    wanted.forEach((need, index) => {
      if (!needs.has(need)) report(['jobs', name, 'needs', index], 'wanted the name of a job of this file');
    });
    checkParts(jobs[name], (path, message) => report(['jobs', name, ...path], message));
  }
  for (const cycle of findCycles(needs)) {
    report(['jobs', cycle[0] ?? '', 'needs'], `the jobs wait for each other: ${cycle.join(' → ')}`);
  }
}

function checkParts(job: JsonValue | undefined, report: (path: DocumentPath, message: string) => void): void {
  if (!isJsonObject(job)) return;
  const { run, steps, audiences: allowed } = job;
  if (run === undefined && steps === undefined) report([], 'wanted run (a list of shell lines) or steps');
  if (run !== undefined && steps !== undefined) report(['steps'], 'wanted either run or steps, not both');
  if (!Array.isArray(steps)) return;
  steps.forEach((step: JsonValue, index) => {
    stringsOf(memberOf(step, 'audiences')).forEach((audience, at) => {
      if (stringsOf(allowed).includes(audience)) return;
      report(['steps', index, 'audiences', at], 'wanted one of the job’s audiences: a step can only narrow');
    });
  });
  const narrowed = steps.filter((step: JsonValue) => stringsOf(memberOf(step, 'audiences')).length > 0).length;
  if (narrowed > MAX_NARROWED_STEPS)
    report(['steps'], `wanted at most ${MAX_NARROWED_STEPS} steps with audiences of their own`);
}

const memberOf = (value: JsonValue | undefined, name: string): JsonValue | undefined =>
  isJsonObject(value) ? ownMember(value, name) : undefined;

const stringsOf = (value: JsonValue | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
