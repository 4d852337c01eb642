// The policies of the table of four wires, one for each way to trust, and what each must say of the tokens that pass verification.
// A token that is not named is refused by `no_rule_matched`.
import type { Reason } from '../../../src/base/core/reasons.ts';
import { AZURE_TENANT, roleText } from '../../fakes/roles.ts';
import { MemoryPolicies, STS_URL } from '../../fakes/sts-world.ts';
import { SUBJECT } from './tokens.ts';

/** The one role, as each wire's clients call it. */
export const ROLE = 'main/publish';
export const ROLE_ARN = 'arn:aws:iam::000000000042:role/publish';
export const PROVIDER = '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci/providers/jobpass';
export const AZURE_CLIENT = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';

export interface PolicyCase {
  readonly name: string;
  /** Null: there is no such role. */
  readonly trust: string | null;
  /** Instead of what roles usually have. */
  readonly session?: string;
  readonly permissions?: string;
  readonly verdicts: Readonly<Record<string, 'allow' | Reason>>;
}

/** Tokens that differ from the first one in nothing that a policy speaks of. */
const PLAIN = {
  main: 'allow',
  'with a line break behind it': 'allow',
  'with a list of one audience': 'allow',
  'made out to us': 'allow',
  'without an id': 'allow',
} as const;

export const CLAIMS =
  '[{ issuer: "https://ci.example.com", claims: { owner_id: "42", pipeline_id: "7", ref: refs/heads/main } }]';
const AWS = `[{ aws: { Version: "2012-10-17", Statement: { Effect: Allow,
  Principal: { Federated: "arn:aws:iam::000000000042:oidc-provider/ci.example.com" }, Action: "sts:AssumeRoleWithWebIdentity",
  Condition: { StringEquals: { "ci.example.com:owner_id": "42", "ci.example.com:aud": "${STS_URL}" }, StringLike: { "ci.example.com:ref": "refs/heads/*" } } } } }]`;
const POOL = 'iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci-pool';
const GCP = `[{ gcp: { provider: { name: "projects/42/locations/global/workloadIdentityPools/ci-pool/providers/jobpass",
  attributeMapping: { google.subject: assertion.sub, attribute.owner: assertion.owner_id },
  attributeCondition: "assertion.ref == 'refs/heads/main'", oidc: { issuerUri: "https://ci.example.com", allowedAudiences: ["${STS_URL}"] } },
  bindings: [{ role: roles/iam.workloadIdentityUser, members: ["principalSet://${POOL}/attribute.owner/42"] }] } }]`;
const AZURE = `[{ azure: { issuer: "https://ci.example.com", subject: "${SUBJECT}", audiences: ["${STS_URL}"] } }]`;

export const POLICIES: readonly PolicyCase[] = [
  {
    name: 'claims',
    trust: CLAIMS,
    verdicts: { ...PLAIN, 'of a second attempt': 'allow', 'of another subject': 'allow' },
  },
  {
    name: 'patterns and an expression',
    trust:
      '[{ issuer: "https://ci.example.com", claims: { owner_id: ["42", "44"], ref: refs/heads/* }, when: claims.run_attempt == "1" }]',
    verdicts: {
      ...PLAIN,
      'of another branch': 'allow',
      'of a branch that begins so': 'allow',
      'of a branch in capitals': 'allow',
      'of another pipeline': 'allow',
      'without its pipeline': 'allow',
      'of another subject': 'allow',
    },
  },
  {
    name: 'an AWS document',
    trust: AWS,
    verdicts: {
      ...PLAIN,
      'of another branch': 'allow',
      'of a branch that begins so': 'allow',
      'of a branch in capitals': 'allow',
      'of another pipeline': 'allow',
      'without its pipeline': 'allow',
      'of a second attempt': 'allow',
      'of another subject': 'allow',
    },
  },
  {
    name: 'a Google Cloud provider',
    trust: GCP,
    verdicts: {
      ...PLAIN,
      'of another pipeline': 'allow',
      'without its pipeline': 'allow',
      'of a second attempt': 'allow',
      'of another subject': 'allow',
    },
  },
  {
    name: 'an Azure credential',
    trust: AZURE,
    verdicts: {
      ...PLAIN,
      'without its pipeline': 'allow',
      'whose owner is a number': 'allow',
      'whose owner is null': 'allow',
      'whose owner is empty': 'allow',
      'of a second attempt': 'allow',
    },
  },
  {
    name: 'each token once',
    trust: CLAIMS,
    session: 'max_duration: 30m, single_use: true',
    verdicts: {
      ...PLAIN,
      'without an id': 'claim_missing',
      'of a second attempt': 'allow',
      'of another subject': 'allow',
    },
  },
  {
    name: 'permissions that speak of a claim',
    trust: '[{ issuer: "https://ci.example.com", claims: { owner_id: "42" } }]',
    permissions: `[{ effect: allow, actions: ["s3:GetObject"], resources: ["arn:aws:s3:::web/\${claims.pipeline_id}/*"] }]`,
    verdicts: {
      ...PLAIN,
      'of another branch': 'allow',
      'of a branch that begins so': 'allow',
      'of a branch in capitals': 'allow',
      'of a tag': 'allow',
      'of another pipeline': 'allow',
      'without its pipeline': 'permission_denied',
      'of a second attempt': 'allow',
      'of another subject': 'allow',
    },
  },
  { name: 'a role that there is not', trust: null, verdicts: {} },
];

/** The folder with the policy's role, which every wire has a name for. */
export function folderOf({ permissions, session, trust }: Omit<PolicyCase, 'name' | 'verdicts'>): MemoryPolicies {
  const policies = new MemoryPolicies();
  policies.files.clear();
  if (trust === null) return policies;
  const text = roleText({
    name: 'publish',
    trust,
    ...(permissions === undefined ? {} : { permissions }),
    roleArn: ROLE_ARN,
    gcp: `{ provider: "${PROVIDER}" }`,
    azure: `{ tenant: "${AZURE_TENANT}", client_id: "${AZURE_CLIENT}" }`,
  });
  policies.files.set(`${ROLE}.yaml`, text.replace('max_duration: 30m', session ?? 'max_duration: 30m'));
  return policies;
}
