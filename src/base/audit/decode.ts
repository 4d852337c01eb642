// Owns the way from a record's text back to the record. `satisfies` makes the compiler fail here when a shared type gains or loses a member.
import * as z from 'zod';
import type {
  CheckTrace,
  ClauseTrace,
  LifetimeTrace,
  RoleRef,
  RoleTrace,
  RuleTrace,
  SessionTrace,
  Trace,
} from '../core/decision.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { REASONS, type Reason } from '../core/reasons.ts';
import { ACTIONS, ACTOR_KINDS, type ActionRecord, type Actor, type AuditRecord, WIRES } from './record.ts';

type ShapeOf<T> = Readonly<Record<keyof T, z.ZodType>>;
type DecisionEntry = Extract<AuditRecord, { kind: 'decision' }>;

const text = z.string();
const optionalText = text.exactOptional();
const nullableText = text.nullable();
const seconds = z.int();
const optionalSeconds = seconds.exactOptional();

/** Not `z.record`, which drops a member named `__proto__`. */
const jsonObject = z.custom<JsonObject>(isJsonObject);
const textList = z.array(text);
const textMap = z.custom<Readonly<Record<string, string>>>(
  (value) => isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string'),
);

const checkTrace = z.strictObject({
  check: text,
  outcome: z.enum(['held', 'failed']),
  detail: text,
} satisfies ShapeOf<CheckTrace>);

const clauseTrace = z.strictObject({
  subject: text,
  wanted: textList,
  presented: z.custom<JsonValue>((value) => value !== undefined).exactOptional(),
  outcome: z.enum(['held', 'failed', 'not_reached']),
  nearMiss: z.enum(['case', 'type', 'space']).exactOptional(),
  operator: z.string().exactOptional(),
  problem: z.string().exactOptional(),
  line: z.int(),
} satisfies ShapeOf<ClauseTrace>);

const ruleTrace = z.strictObject({
  line: z.int(),
  effect: z.enum(['allow', 'deny']).exactOptional(),
  file: z.string().exactOptional(),
  held: z.boolean(),
  clauses: z.array(clauseTrace),
} satisfies ShapeOf<RuleTrace>);

const roleTrace = z.strictObject({
  file: text,
  policySet: text,
  rules: z.array(ruleTrace),
  satisfiable: z.enum(['yes', 'no', 'unknown']),
} satisfies ShapeOf<RoleTrace>);

const lifetimeTrace = z.strictObject({
  askedSeconds: optionalSeconds,
  roleSeconds: seconds,
  ceilingSeconds: seconds,
  issuerSeconds: optionalSeconds,
  untilDeadlineSeconds: optionalSeconds,
  untilParentSeconds: optionalSeconds,
  givenSeconds: seconds,
  boundBy: z.enum(['asked', 'role', 'ceiling', 'issuer', 'deadline', 'parent']),
  note: optionalText,
} satisfies ShapeOf<LifetimeTrace>);

const sessionTrace = z.strictObject({
  name: optionalText,
  tags: textMap,
  sourceIdentity: text.nullable(),
  narrowed: z.boolean(),
} satisfies ShapeOf<SessionTrace>);

const decisionTrace: z.ZodType<Trace> = z.strictObject({
  checks: z.array(checkTrace),
  role: roleTrace.exactOptional(),
  lifetime: lifetimeTrace.exactOptional(),
  session: sessionTrace.exactOptional(),
  jobBound: z.boolean(),
} satisfies ShapeOf<Trace>);

const decision: z.ZodType<DecisionEntry> = z.strictObject({
  kind: z.literal('decision'),
  id: text,
  at: z.int(),
  outcome: z.enum(['granted', 'refused']),
  wire: z.enum(WIRES),
  role: z.strictObject({ tenant: text, name: text } satisfies ShapeOf<RoleRef>).nullable(),
  issuer: text,
  subject: text,
  jobId: nullableText,
  tokenId: nullableText,
  reason: z.custom<Reason>((value) => typeof value === 'string' && Object.hasOwn(REASONS, value)).nullable(),
  detail: text,
  sessionId: nullableText,
  remoteAddress: text,
  claims: jsonObject,
  trace: decisionTrace,
} satisfies ShapeOf<DecisionEntry>);

const action: z.ZodType<ActionRecord> = z.strictObject({
  kind: z.literal('action'),
  id: text,
  at: z.int(),
  actor: z.strictObject({ kind: z.enum(ACTOR_KINDS), name: text } satisfies ShapeOf<Actor>),
  action: z.enum(ACTIONS),
  tenant: nullableText,
  target: text,
  detail: jsonObject,
} satisfies ShapeOf<ActionRecord>);

const record: z.ZodType<AuditRecord> = z.union([decision, action]);

/** The record whose text this is; undefined when it is none that this version writes. */
export function decodeRecord(body: string): AuditRecord | undefined {
  try {
    return record.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
