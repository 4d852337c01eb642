// The configurations of the demo's three servers, which share nothing but URLs and client credentials.
import { BLOB_ACCOUNT, type Cloud, cloudAudiences } from './clouds.ts';

/** The gateway's name, and its group. */
export const DEMO_GATEWAY = 'artifacts';
/** What the gateway keeps, on the disk of the stage. */
const DEMO_BUCKET = 'web-shop';

/** Where the servers are reached. */
export interface StageUrls {
  readonly issuer: string;
  readonly sts: string;
  /** Where the gateway serves clients of the first cloud. */
  readonly gateway: string;
  /** Where it serves those of each, if they are served. */
  readonly doors: Readonly<Record<Cloud, string>>;
}

type Hashes = Readonly<Record<'controller' | 'sts' | 'gateway' | 'operator', { readonly hash: string }>>;

/** The issuer's: it knows every audience that a job of the example may ask for, whichever cloud it is for. */
export const issuerConfig = (urls: StageUrls, secrets: Hashes): string => `issuer:
  url: ${urls.issuer}
  forks: { audiences: ${audiences(urls)} }
  clients:
    - { name: ci, secrets_sha256: ["${secrets.controller.hash}"], may: { jobs: { owners: [{ name: acme, id: "42" }] } } }
    - { name: sts, secrets_sha256: ["${secrets.sts.hash}"], may: { events: ${audiences(urls)}, introspect: ${audiences(urls)} } }
    - { name: operator, secrets_sha256: ["${secrets.operator.hash}"], may: { audit: true, keys: ["*"] } }
observability: { log_level: warn }
`;

/** The STS's. `tls` is the folder of its https identity; null: it serves http. */
export const stsConfig = (urls: StageUrls, secrets: Hashes, tls: string | null): string => `sts:
  url: ${urls.sts}${tlsLine(tls, 2)}
  trusted_issuers: [{ issuer: "${urls.issuer}", network: loopback, client: sts, secret: "file:.jobpass/sts.secret" }]
  gateways: [{ name: ${DEMO_GATEWAY}, public_keys: ["file:${DEMO_GATEWAY}.public.json"] }]
  clients:
    - { name: ${DEMO_GATEWAY}, secrets_sha256: ["${secrets.gateway.hash}"], may: { feed: ${DEMO_GATEWAY} } }
    - { name: operator, secrets_sha256: ["${secrets.operator.hash}"], may: { read: [main], evaluate: [main], revoke: [main], operate: true, audit: true, keys: ["*"] } }
observability: { log_level: warn }
`;

/** The gateway's: one store, with a door for the clients of each cloud. */
export const gatewayConfig = (urls: StageUrls, clouds: readonly Cloud[], tls: string | null): string => `gateways:
  - name: ${DEMO_GATEWAY}${tlsLine(tls, 4)}
${clouds.map((cloud) => `    ${DOOR_OF[cloud](urls.doors[cloud])}`).join('\n')}
    s3: { folder: ./objects, buckets: [{ name: ${DEMO_BUCKET} }] }
    sts: { url: "${urls.sts}", network: loopback, secret: "file:.jobpass/gateway.secret" }
observability: { log_level: warn }
`;

const DOOR_OF = {
  aws: (url) => `listen: ${new URL(url).host}`,
  gcp: (url) => `gcs: { listen: "${new URL(url).host}", url: "${url}" }`,
  azure: (url) => `blob: { listen: "${new URL(url).host}", account: ${BLOB_ACCOUNT}, url: "${url}" }`,
} as const satisfies Record<Cloud, (url: string) => string>;

const audiences = ({ sts }: StageUrls): string => JSON.stringify(cloudAudiences(sts));

const tlsLine = (folder: string | null, indent: number): string =>
  folder === null
    ? ''
    : `\n${' '.repeat(indent)}tls: { certificate: "file:${folder}/server.pem", key: "file:${folder}/server.key" }`;
