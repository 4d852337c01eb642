// Calls of Google Cloud's STS as functions, and roles that its clients can name. No SDK takes part.
import { roleText } from './roles.ts';
import { MemoryPolicies, type StsAnswer, type StsWorld } from './sts-world.ts';

export const PROVIDER = '//iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci/providers/jobpass';
/** A provider whose roles are another one's. */
export const OTHER_PROVIDER = PROVIDER.replace('jobpass', 'other');
export const ACCOUNT = 'publish-web@acme.iam.gserviceaccount.com';
export const OTHER_ACCOUNT = 'deploy@acme.iam.gserviceaccount.com';
export const PLATFORM = 'https://www.googleapis.com/auth/cloud-platform';

const MAIN =
  '[{ issuer: "https://ci.example.com", claims: { owner_id: "42", pipeline_id: "7", ref: refs/heads/main } }]';

/** A role for Google Cloud's clients: by default of PROVIDER, trusting pipeline 7 on main, for 30 minutes. */
export interface GcpRole {
  readonly provider?: string;
  /** Absent: the provider's own role. */
  readonly account?: string;
  readonly trust?: string;
  /** YAML (flow style), on top of group and duration. */
  readonly session?: string;
  /** By default `artifacts`. */
  readonly gateway?: string;
}

/** A policies folder in memory with these roles, by their names. */
export function gcpPolicies(roles: Readonly<Record<string, GcpRole>>): MemoryPolicies {
  const policies = new MemoryPolicies();
  for (const [name, role] of Object.entries(roles)) {
    const { account, gateway = 'artifacts', provider = PROVIDER, session = 'max_duration: 30m', trust = MAIN } = role;
    const text = roleText({
      name,
      trust,
      gateway,
      permissions: `[{ effect: allow, actions: ["s3:GetObject", "s3:PutObject"], resources: ["arn:aws:s3:::web/\${claims.pipeline_id}/*"] }]`,
      gcp: `{ provider: "${provider}"${account === undefined ? '' : `, service_account: "${account}"`} }`,
    });
    policies.files.set(`main/${name}.yaml`, text.replace('max_duration: 30m', session));
  }
  return policies;
}

/** A `POST /v1/token` as google-auth-library makes it, with other parameters on top; null leaves one out. */
export function gcpToken(
  world: StsWorld,
  token: string,
  changes: Readonly<Record<string, string | null>> = {},
): Promise<StsAnswer> {
  const form: Record<string, string | null> = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: PROVIDER,
    scope: PLATFORM,
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    ...changes,
  };
  const sent = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== null);
  return world.call('POST /v1/token', { form: Object.fromEntries(sent) });
}

/** The token of a new session, whatever its form. Throws when it is not granted. */
export async function gcpAccessToken(
  world: StsWorld,
  ...changes: Parameters<typeof world.issuer.idToken>
): Promise<string> {
  const answer = await gcpToken(world, await world.issuer.idToken(...changes));
  if (typeof answer.json.access_token === 'string') return answer.json.access_token;
  throw new Error(`${answer.status} ${answer.text}`);
}

/** A generateAccessToken; `bearer` null: without an Authorization header. */
export function takeOn(
  world: StsWorld,
  bearer: string | null,
  o: { readonly account?: string; readonly body?: unknown } = {},
): Promise<StsAnswer> {
  return world.call(`POST /v1/projects/-/serviceAccounts/${o.account ?? ACCOUNT}:generateAccessToken`, {
    json: o.body ?? { scope: [PLATFORM], lifetime: '3600s' },
    headers: {
      'content-type': 'application/json',
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
    },
  });
}

/** A `POST /v1/introspect` as gcloud makes it. */
export const gcpIntrospect = (world: StsWorld, token: string): Promise<StsAnswer> =>
  world.call('POST /v1/introspect', {
    form: { token, token_type_hint: 'urn:ietf:params:oauth:token-type:access_token' },
    headers: { authorization: `Basic ${btoa('gcloud.example:not-a-secret')}` },
  });

/** The id of a refusal, in whichever form. */
function gcpDecisionId({ text }: StsAnswer): string {
  const [, id] =
    /jobpass decisions show (D[0-9A-Z]{12})/.exec(text) ?? /"decision_id":"(D[0-9A-Z]{12})"/.exec(text) ?? [];
  if (id === undefined) throw new Error(`no id in ${text}`);
  return id;
}

/** Why, as the operator finds it under the id of a refusal. */
export async function gcpReason(world: StsWorld, answer: StsAnswer): Promise<unknown> {
  const { json } = await world.call(`GET /admin/v1/decisions/${gcpDecisionId(answer)}`, { as: 'root' });
  return (json.decision as { reason?: unknown } | undefined)?.reason;
}

/** A refusal without what differs between any two: its id. */
export const gcpWithoutId = (answer: StsAnswer): string =>
  JSON.stringify([answer.status, answer.headers, answer.text.replaceAll(gcpDecisionId(answer), 'ID')]);
