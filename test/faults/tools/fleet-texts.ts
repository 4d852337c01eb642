// The configurations and roles of a fleet.
import type { NewSecret } from '../../../src/app/setup/private-files.ts';

export type FleetSecrets = Readonly<Record<'controller' | 'sts' | 'gateway' | 'operator', NewSecret>>;

interface Shared {
  readonly issuer: string;
  readonly sts: string;
  readonly resource: string;
  readonly secrets: FleetSecrets;
  /** Files of the keys that encrypt the servers' own. */
  readonly keks: Readonly<Record<'issuer' | 'sts', string>>;
  /** The URL of the shared database. */
  readonly storage: string | undefined;
}

/** `deploy` takes a token any number of times, `once` takes it one time. */
export const POLICIES: Readonly<Record<'deploy' | 'once', string>> = {
  deploy: roleText('deploy', ''),
  once: roleText('once', ', single_use: true'),
};

function roleText(name: string, more: string): string {
  return `role: ${name}
trust: [{ issuer: ISSUER, claims: { owner_id: "42", pipeline_id: "7", ref: refs/heads/main } }]
session: { gateway: artifacts, max_duration: 30m${more} }
permissions: [{ effect: allow, actions: ["http:GET"], resources: ["arn:jobpass:http:::*"] }]
`;
}

const storageOf = ({ storage }: Shared): string => (storage === undefined ? '' : `\n  storage: ${storage}`);

/** No test is about limits: one address asks for everybody. A short skew, so that an STS soon believes the silence of its feed. */
const LIMITS = `limits:
  clock_skew: 1s
  connections_per_source: 1000
  rates:
${['source', 'client', 'issuer', 'job', 'gateway_job'].map((of) => `    ${of}: { per_second: 100000 }`).join('\n')}
observability: { log_level: warn }
`;

/** Of one replica, which listens on `port`. */
export const issuerText = (port: number, shared: Shared): string => `issuer:
  url: ${shared.issuer}
  listen: 127.0.0.1:${port}${storageOf(shared)}
  keys: { encryption_key: "file:${shared.keks.issuer}" }
  id_tokens: { lifetime: 1h }
  clients:
    - { name: ci, secrets_sha256: ["${shared.secrets.controller.hash}"], may: { jobs: { owners: [{ name: acme, id: "42" }] } } }
    - { name: sts, secrets_sha256: ["${shared.secrets.sts.hash}"], may: { events: ["${shared.sts}"], introspect: ["${shared.sts}"] } }
    - { name: operator, secrets_sha256: ["${shared.secrets.operator.hash}"], may: { keys: ["*"] } }
${LIMITS}`;

/** Of one replica, which listens on `port`. */
export const stsText = (
  port: number,
  shared: Shared & { readonly folder: string; readonly gateways: readonly string[] },
): string => `sts:
  url: ${shared.sts}
  listen: 127.0.0.1:${port}${storageOf(shared)}
  keys: { encryption_key: "file:${shared.keks.sts}" }
  trusted_issuers: [{ issuer: "${shared.issuer}", network: loopback, client: sts, secret: "file:.jobpass/sts.secret" }]
  gateways:
${shared.gateways.map((name) => `    - { name: ${name}, group: artifacts, public_keys: ["file:${shared.folder}/${name}.public.json"] }`).join('\n')}
  clients:
${shared.gateways.map((name) => `    - { name: ${name}, secrets_sha256: ["${shared.secrets.gateway.hash}"], may: { feed: ${name} } }`).join('\n')}
    - { name: operator, secrets_sha256: ["${shared.secrets.operator.hash}"], may: { read: [main], revoke: [main], keys: ["*"] } }
${LIMITS}`;

/** An HTTP guard before the resource. */
export const gatewayText = (name: string, port: number, shared: Shared): string => `gateways:
  - name: ${name}
    group: artifacts
    listen: 127.0.0.1:${port}
    upstream: ${shared.resource}
    sts: { url: "${shared.sts}", network: loopback, secret: "file:.jobpass/gateway.secret" }
${LIMITS}`;
