// The form of a policy file (design, section 5), as one schema: types, messages, and JSON Schema for editors come from it.
import * as z from 'zod';
import { parseDuration } from '../../base/core/duration.ts';
import { actionProblem, resourceProblem } from '../iam/statements.ts';
import { compilePattern } from '../pattern.ts';

/** Names of roles: they stand in URNs, paths and logs. */
const ROLE_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

const refined = (problemOf: (text: string) => string | undefined): z.ZodType<string> =>
  z.string().superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const pattern = refined((text) => {
  const compiled = compilePattern(text);
  return compiled.ok ? undefined : compiled.error;
});

const claims = z
  .record(
    z.string().regex(/^[^\p{Cc}]{1,256}$/u, 'wanted the name of a claim'),
    z.union([pattern, z.array(pattern).min(1)]),
  )
  .refine((record) => Object.keys(record).length > 0, 'wanted at least one claim: a rule without any lets everyone in');

const rule = z.strictObject({ issuer: z.string().min(1), claims });

const session = z.strictObject({
  gateway: z.string().regex(ROLE_NAME, 'wanted the name of a gateway group'),
  max_duration: z
    .string('wanted a duration such as 45s, 30m or 2h')
    .refine((text) => parseDuration(text) !== undefined, 'wanted a duration such as 45s, 30m or 2h')
    .optional(),
  single_use: z.boolean().optional(),
});

const statement = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  actions: z.array(refined(actionProblem)).min(1),
  resources: z.array(refined(resourceProblem)).min(1),
});

/** One policy file. */
export const roleSchema = z.strictObject({
  role: z.string().regex(ROLE_NAME, 'wanted up to 63 of a-z, 0-9 and -, not beginning with -'),
  trust: z.array(rule).min(1),
  session,
  permissions: z.array(statement).min(1),
});
export type RoleFile = z.infer<typeof roleSchema>;
