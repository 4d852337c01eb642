// The body of `POST /v1/jobs` as a schema: names, types, bounds of single members. What members mean together is
// start-request's.
import * as z from 'zod';
import { audienceProblem, textProblem } from './text.ts';

/** As many relying parties as one job may reasonably have. */
export const MAX_AUDIENCES = 20;
/** AWS takes 50 session tags at most. */
const MAX_SESSION_TAGS = 50;
/** Once an hour is hardly a sign of life. */
const MAX_HEARTBEAT_SECONDS = 3600;

const checked = (problemOf: (value: string) => string | undefined): z.ZodString =>
  z.string().check((context) => {
    const problem = problemOf(context.value);
    if (problem !== undefined) context.issues.push({ code: 'custom', message: problem, input: '' });
  });

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

const text = checked(textProblem);
/** Controllers in many languages write `null` for what they do not know. */
const optionalText = text.nullish();
const named = z.strictObject({ name: text, id: text });

/** The schema for an issuer: its own URL is no audience, and no job may outlive `maxJobSeconds`. */
export function startSchema(issuer: { readonly url: string; readonly maxJobSeconds: number }) {
  const audience = checked((value) => audienceProblem(value, issuer.url));
  return z.strictObject({
    idempotency_key: text,
    owner: named,
    pipeline: named,
    workflow: text,
    workflow_ref: optionalText,
    workflow_sha: optionalText,
    job: text,
    run_id: text,
    run_number: text,
    run_attempt: text,
    ref: text,
    ref_type: z.enum(['branch', 'tag', 'other']),
    ref_protected: z.boolean().default(false),
    sha: text,
    base_ref: optionalText,
    head_ref: optionalText,
    event: text,
    actor: named,
    environment: optionalText,
    environment_protected: z.boolean().default(false),
    runner_id: text,
    runner_environment: optionalText,
    // No default for these two: silence must not make a fork or a debug shell look like an ordinary job.
    fork: z.boolean(),
    interactive: z.boolean(),
    head_pipeline_id: optionalText,
    trigger: optionalText,
    timeout_seconds: z.int().min(1).max(issuer.maxJobSeconds),
    heartbeat_seconds: z.int().min(1).max(MAX_HEARTBEAT_SECONDS).nullish(),
    audiences: z.array(audience).max(MAX_AUDIENCES).refine(unique, 'names an audience twice').default([]),
    extra_claims: z.record(z.string(), text).default({}),
    aws_session_tags: z.array(text).max(MAX_SESSION_TAGS).refine(unique, 'names a claim twice').default([]),
  });
}

export type StartSchema = ReturnType<typeof startSchema>;
export type StartBody = z.infer<StartSchema>;
