// The form of a policy file (design, section 5), as one schema. What its texts mean, patterns and actions
// among them, is the reader's business.
import * as z from 'zod';
import { NAME } from '../../base/core/decision.ts';
import { parseDuration } from '../../base/core/duration.ts';
import { parseAwsRoleArn } from '../../base/credential/aws-arn.ts';
import { parseAzureGuid, parseAzureTenant } from '../../base/credential/azure-names.ts';
import { isGcpServiceAccount, parseGcpProvider } from '../../base/credential/gcp-names.ts';

const claims = z
  .record(
    z.string().regex(/^[^\p{Cc}]{1,256}$/u, 'wanted the name of a claim'),
    z.union([z.string(), z.array(z.string()).min(1)]),
  )
  .refine((record) => Object.keys(record).length > 0, 'wanted at least one claim: a rule without any lets everyone in');

const text = z.string().min(1);

// Which members go together, and what the clouds' documents hold, is checked by the reader.
const entry = z.strictObject({
  issuer: text.optional(),
  claims: claims.optional(),
  when: text.optional(),
  aws: z.unknown().optional(),
  aws_file: text.optional(),
  gcp: z.unknown().optional(),
  gcp_file: text.optional(),
  azure: z.unknown().optional(),
  azure_file: text.optional(),
});

const session = z.strictObject({
  gateway: z.string().regex(NAME, 'wanted the name of a gateway group'),
  max_duration: z
    .string('wanted a duration such as 45s, 30m or 2h')
    .refine((text) => parseDuration(text) !== undefined, 'wanted a duration such as 45s, 30m or 2h')
    .optional(),
  single_use: z.boolean().optional(),
});

const conditionValue = z.union([z.string(), z.number(), z.boolean()]);
// Operators, keys and values are checked by the reader.
const conditions = z.record(z.string(), z.record(z.string(), z.union([conditionValue, z.array(conditionValue)])));

const statement = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  actions: z.array(z.string()).min(1),
  resources: z.array(z.string()).min(1),
  conditions: conditions.exactOptional(),
});

const aws = z.strictObject({
  role_arn: z
    .string()
    .refine((text) => parseAwsRoleArn(text) !== undefined, 'wanted arn:aws:iam::<account, 12 digits>:role/[path/]name'),
});

const gcp = z.strictObject({
  provider: z
    .string()
    .refine(
      (name) => parseGcpProvider(name)?.name === name,
      'wanted //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
    ),
  service_account: z
    .string()
    .refine(isGcpServiceAccount, 'wanted the address of a service account: NAME@PROJECT.iam.gserviceaccount.com')
    .optional(),
});

const azure = z.strictObject({
  tenant: z
    .string()
    .refine((name) => parseAzureTenant(name) !== undefined, 'wanted a GUID or a domain name such as acme.example.com'),
  client_id: z.string().refine((id) => parseAzureGuid(id) !== undefined, 'wanted a GUID'),
});

/** One policy file. */
export const roleSchema = z.strictObject({
  role: z.string().regex(NAME, 'wanted up to 63 of a-z, 0-9 and -, not beginning with -'),
  trust: z.array(entry).min(1),
  session,
  permissions: z.array(statement).min(1),
  aws: aws.optional(),
  gcp: gcp.optional(),
  azure: azure.optional(),
});
export type RoleFile = z.infer<typeof roleSchema>;
