// A role that Azure clients can be, in a policies folder in memory, and their calls as functions. No SDK takes part.
import type { JsonValue } from '../../src/base/core/json.ts';
import { AZURE_EXCHANGE_AUDIENCE } from '../../src/base/credential/azure-names.ts';
import { AZURE_TENANT, roleText } from './roles.ts';
import { MemoryPolicies, type StsAnswer, type StsWorld } from './sts-world.ts';

export const CLIENT_ID = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const SUBJECT = 'owner:acme@42:pipeline:web@7:ref:refs/heads/main';

/** An exact federated identity credential of pipeline 7 on main. */
const DEPLOY_TEXT = roleText({
  name: 'deploy',
  trust: `[{ azure: { issuer: "https://ci.example.com", subject: "${SUBJECT}", audiences: ["${AZURE_EXCHANGE_AUDIENCE}"] } }]`,
  permissions: '[{ effect: allow, actions: ["s3:GetObject"], resources: ["arn:aws:s3:::web/*"] }]',
  azure: `{ tenant: "${AZURE_TENANT}", client_id: "${CLIENT_ID}" }`,
});

/** The folder with the role `main/deploy`, changed by `bend` if need be. */
export function azurePolicies(bend: (text: string) => string = (text) => text): MemoryPolicies {
  const policies = new MemoryPolicies();
  policies.files.set('main/deploy.yaml', bend(DEPLOY_TEXT));
  return policies;
}

/** An ID token for Azure's audience, with other claims on top. */
export const assertionOf = (world: StsWorld, claims: Readonly<Record<string, JsonValue>> = {}): Promise<string> =>
  world.issuer.idToken({ aud: AZURE_EXCHANGE_AUDIENCE, ...claims });

export interface AzureCall {
  /** The path's first segment, after the slash. */
  readonly tenant?: string;
  readonly query?: string;
  /** Other parameters; null leaves one out. */
  readonly form?: Readonly<Record<string, string | null>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request of the token endpoint. */
export function askToken(world: StsWorld, assertion: string, call: AzureCall = {}): Promise<StsAnswer> {
  const form: Record<string, string | null> = {
    client_id: CLIENT_ID,
    scope: 'https://storage.azure.com/.default',
    grant_type: 'client_credentials',
    client_assertion: assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    ...call.form,
  };
  const sent = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== null);
  const target = `POST /${call.tenant ?? AZURE_TENANT}/oauth2/v2.0/token?${call.query ?? ''}`;
  return world.call(target, { form: Object.fromEntries(sent), headers: call.headers ?? {} });
}

/** The text of a refusal without what differs between any two: its ids and its time. */
export const withoutIds = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'GUID')
    .replaceAll(/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}Z/g, 'TIME')
    .replaceAll(/\bD[0-9A-Z]{12}\b/g, 'ID');
