// Issuer, STS and an S3 gateway as three processes that share nothing but URLs and client credentials, for clients of AWS. It owns
// starting and ending them; what jobs and clients do with them is the tests' business.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemRandom } from '../../src/app/adapters.ts';
import {
  makeEncryptionKey,
  makeSecret,
  writeCredentialFile,
  writePrivateFile,
  writePublicFile,
} from '../../src/app/setup/private-files.ts';
import { freePort } from '../fakes/free-port.ts';
import type { PrivateCa } from '../fakes/private-ca.ts';
import { ServerProcess } from '../fakes/server-process.ts';
import type { JobServers } from './three-servers.ts';

const MAIN = resolve(import.meta.dirname, '../../src/app/cli/main.ts');

/** The region that the gateway's clients sign for. */
export const S3_REGION = 'eu-central-1';
/** The account that its clients of Azure name. */
export const BLOB_ACCOUNT = 'acme';

export interface S3ServersOptions {
  /** The STS and the gateway serve https. The issuer does not, so that tests can ask it for tokens in this process. */
  readonly tls?: PrivateCa;
  /** Role files of the tenant `main`, by name, with ISSUER for the issuer's URL. */
  readonly policies: Readonly<Record<string, string>>;
  readonly buckets: readonly string[];
  /** The STS's; a store younger than this asks the issuer about every job. */
  readonly clockSkewSeconds?: number;
  /** Requests are not counted against anybody: measurements ask from one address, for one job. */
  readonly unlimited?: boolean;
  /** Where the objects are; on the disk unless given. */
  readonly upstream?: { readonly url: string; readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface S3Servers extends JobServers {
  readonly folder: string;
  /** The same objects by the Cloud Storage JSON API, and by the Azure Blob API (without the account; with `tls` only). */
  readonly urls: {
    readonly issuer: string;
    readonly sts: string;
    readonly s3: string;
    readonly gcs: string;
    readonly blob: string;
  };
  readonly sts: ServerProcess;
  readonly gateway: ServerProcess;
  close(): Promise<void>;
}

/** Starts the three from source in a folder of their own. */
export async function startS3Servers(options: S3ServersOptions): Promise<S3Servers> {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-s3-servers-'));
  const started: ServerProcess[] = [];
  const close = async (): Promise<void> => {
    for (const server of started.reverse()) await server.end();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const servers = await writeConfigurations(folder, options);
    const env = options.tls === undefined ? process.env : { ...process.env, NODE_EXTRA_CA_CERTS: options.tls.ca };
    const of = (name: string): ServerProcess =>
      new ServerProcess([process.execPath, MAIN, 'serve', '--config', join(folder, name, 'jobpass.yaml')], {
        folder,
        env,
      });
    const [issuer, sts, gateway] = [of('issuer'), of('sts'), of('gateway')];
    // Each would wait for the other; in this order nobody has to.
    for (const server of [issuer, sts, gateway]) {
      started.push(server);
      await server.start();
    }
    return { ...servers, folder, sts, gateway, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

type Side = 'issuer' | 'sts' | 'gateway';

async function writeConfigurations(
  folder: string,
  options: S3ServersOptions,
): Promise<JobServers & Pick<S3Servers, 'urls'>> {
  const ports = await Promise.all(['issuer', 'sts', 's3', 'gcs', 'blob'].map(() => freePort()));
  const [issuerPort, stsPort, gatewayPort, gcsPort, blobPort] = ports;
  const scheme = options.tls === undefined ? 'http' : 'https';
  const urls = {
    issuer: `http://127.0.0.1:${issuerPort}`,
    sts: `${scheme}://127.0.0.1:${stsPort}`,
    s3: `${scheme}://127.0.0.1:${gatewayPort}`,
    gcs: `${scheme}://127.0.0.1:${gcsPort}`,
    blob: `https://127.0.0.1:${blobPort}`,
  };
  const secrets = {
    controller: makeSecret(systemRandom),
    sts: makeSecret(systemRandom),
    gateway: makeSecret(systemRandom),
  };
  const write = (side: Side, text: string): void => writePublicFile(join(folder, side, 'jobpass.yaml'), text);
  write('issuer', issuerText(urls, { controller: secrets.controller.hash, sts: secrets.sts.hash }));
  write('sts', stsText(urls, secrets.gateway.hash, options));
  write('gateway', gatewayText(urls, options));
  for (const side of ['issuer', 'sts'] as const)
    makeEncryptionKey(join(folder, side, `.jobpass/${side}.kek`), systemRandom);
  makeEncryptionKey(join(folder, 'gateway/.jobpass/gateway-artifacts.kek'), systemRandom);
  writePrivateFile(join(folder, 'sts/.jobpass/sts.secret'), secrets.sts.reveal());
  writePrivateFile(join(folder, 'gateway/.jobpass/gateway.secret'), secrets.gateway.reveal());
  if (options.upstream !== undefined)
    writePrivateFile(join(folder, 'gateway/.jobpass/upstream.secret'), options.upstream.secretAccessKey);
  const controllerFile = join(folder, 'ci/controller.json');
  writeCredentialFile(controllerFile, { url: urls.issuer, client: 'ci', secret: secrets.controller.reveal() });
  mkdirSync(join(folder, 'sts/policies/main'), { recursive: true });
  for (const [name, text] of Object.entries(options.policies))
    writeFileSync(join(folder, `sts/policies/main/${name}.yaml`), filled(text, urls.issuer));
  const exported = ['keys', 'export', '--public', 'artifacts', '--config', join(folder, 'gateway/jobpass.yaml')];
  const publicKey = execFileSync(process.execPath, [MAIN, ...exported], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  writeFileSync(join(folder, 'sts/artifacts.public.json'), publicKey);
  return { urls, controllerFile };
}

/** ISSUER is the URL, PROVIDER the same without its scheme, as ARNs and condition keys have it. */
const filled = (text: string, issuer: string): string =>
  text.replaceAll('ISSUER', issuer).replaceAll('PROVIDER', issuer.replace('http://', ''));

const tlsText = (tls: PrivateCa | undefined): string =>
  tls === undefined ? '' : `tls: { certificate: "file:${tls.certificate}", key: "file:${tls.key}" }`;

type Urls = S3Servers['urls'];

const NO_RATES = ['source', 'client', 'issuer', 'job', 'gateway_job'].map((kind) => `${kind}: { per_second: 1000000 }`);
const ratesText = (unlimited = false): string => (unlimited ? `, rates: { ${NO_RATES.join(', ')} }` : '');

const issuerText = (urls: Urls, hashes: { readonly controller: string; readonly sts: string }): string => `issuer:
  url: ${urls.issuer}
  clients:
    - { name: ci, secrets_sha256: ["${hashes.controller}"], may: { jobs: { owners: [{ name: acme, id: "42" }] } } }
    - { name: sts, secrets_sha256: ["${hashes.sts}"], may: { events: ["${urls.sts}"], introspect: ["${urls.sts}"] } }
observability: { log_level: warn }
`;

const stsText = (urls: Urls, gatewayHash: string, options: S3ServersOptions): string => `sts:
  url: ${urls.sts}
  ${tlsText(options.tls)}
  trusted_issuers: [{ issuer: "${urls.issuer}", network: loopback, client: sts, secret: "file:.jobpass/sts.secret" }]
  gateways: [{ name: artifacts, public_keys: ["file:artifacts.public.json"] }]
  clients:
    - { name: artifacts, secrets_sha256: ["${gatewayHash}"], may: { feed: artifacts } }
limits: { clock_skew: ${options.clockSkewSeconds ?? 30}s${ratesText(options.unlimited)} }
observability: { log_level: warn }
`;

const gatewayText = (urls: Urls, { buckets, upstream, tls, unlimited }: S3ServersOptions): string => `gateways:
  - name: artifacts
    listen: ${new URL(urls.s3).host}
    ${tlsText(tls)}
    s3:
      region: ${S3_REGION}
      buckets: [${buckets.map((name) => `{ name: ${name} }`).join(', ')}]
      ${upstream === undefined ? 'folder: ./objects' : `upstream: { url: "${upstream.url}", region: us-east-1, network: loopback, access_key_id: ${upstream.accessKeyId}, secret_access_key: "file:.jobpass/upstream.secret" }`}
    gcs: { listen: ${new URL(urls.gcs).host}, url: "${urls.gcs}" }
    ${tls === undefined ? '' : `blob: { listen: ${new URL(urls.blob).host}, account: ${BLOB_ACCOUNT}, url: "${urls.blob}" }`}
    sts: { url: "${urls.sts}", network: loopback, secret: "file:.jobpass/gateway.secret" }
limits: { clock_skew: 30s${ratesText(unlimited)} }
observability: { log_level: warn }
`;
