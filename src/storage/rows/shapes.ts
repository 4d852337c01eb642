// Owns the shapes of JSON columns. `satisfies` makes the compiler fail here when a shared type gains or loses a member.
import * as z from 'zod';
import { isJsonObject, type JsonObject, type JsonValue } from '../../base/core/json.ts';
import { isStatements, type Statement } from '../../base/core/permissions.ts';
import type { JobFacts, NamedId } from '../../base/identity/facts.ts';
import type { Federation } from '../../sts/store.ts';

type ShapeOf<T> = Readonly<Record<keyof T, z.ZodType>>;

const text = z.string();
const optionalText = text.exactOptional();
const seconds = z.int();

/** Any JSON object, as it was written. */
export const jsonObject: z.ZodType<JsonObject> = z.custom<JsonObject>(isJsonObject);

/** A list of strings. */
export const textList: z.ZodType<readonly string[]> = z.array(text);

/** The statements of a session policy. */
export const statementList: z.ZodType<readonly Statement[]> = z.custom<readonly Statement[]>(
  (value) => value !== undefined && isStatements(value as JsonValue),
);

/** An object whose values are all strings. Not `z.record`, which drops a member named `__proto__`. */
export const textMap: z.ZodType<Readonly<Record<string, string>>> = z.custom<Readonly<Record<string, string>>>(
  (value) => isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string'),
);

/** What is remembered of an identity. */
export const federation: z.ZodType<Federation> = z.strictObject({
  provider: text,
  claims: jsonObject,
  tokenIssuedAt: seconds.default(0),
  tokenExpiresAt: seconds,
} satisfies ShapeOf<Federation>);

const namedId = z.strictObject({ name: text, id: text } satisfies ShapeOf<NamedId>);

/** The facts of a job. */
export const jobFacts: z.ZodType<JobFacts> = z.strictObject({
  owner: namedId,
  pipeline: namedId,
  workflow: text,
  workflowRef: optionalText,
  workflowSha: optionalText,
  job: text,
  runId: text,
  runNumber: text,
  runAttempt: text,
  ref: text,
  refType: z.enum(['branch', 'tag', 'other']),
  refProtected: z.boolean(),
  sha: text,
  baseRef: optionalText,
  headRef: optionalText,
  event: text,
  actor: namedId,
  environment: optionalText,
  environmentProtected: z.boolean(),
  runnerId: text,
  runnerEnvironment: text,
  fork: z.boolean(),
  headPipelineId: optionalText,
  trigger: optionalText,
  interactive: z.boolean(),
  local: z.boolean(),
  extra: textMap,
  awsSessionTags: textList,
} satisfies ShapeOf<JobFacts>);
