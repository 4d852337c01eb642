// Issuer, STS and one gateway of one configuration, started as `serve` starts them, on free ports of the loopback.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGatewayKey } from '../../src/app/compose/gateway.ts';
import type { RunningServer } from '../../src/app/compose/running.ts';
import { startServers, stopServers } from '../../src/app/compose/serve.ts';
import { loadPlan, readConfig } from '../../src/app/config/load.ts';
import { freePort } from './free-port.ts';
import { listen, until } from './guarded-resource.ts';

export interface WholeProgram {
  readonly folder: string;
  readonly servers: readonly RunningServer[];
  readonly issuerUrl: string;
  readonly stsUrl: string;
  readonly gatewayUrl: string;
  /** Of health and metrics. */
  readonly watchUrl: string;
  readonly clientSecret: string;
  close(): Promise<void>;
}

export interface WholeProgramOptions {
  /** Further lines of jobpass.yaml. */
  readonly more?: string;
  /** `tls: …` of every server; their URLs are https then. */
  readonly tls?: string;
  /** Puts files into the folder before anything starts. */
  readonly before?: (folder: string) => void;
}

/** Starts all and waits until they are ready. The role `main/publish-web` may GET at the gateway. */
export async function startWholeProgram({ before, more = '', tls }: WholeProgramOptions = {}): Promise<WholeProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-program-'));
  const upstream = createServer((_req, res) => res.end('ok'));
  const upstreamPort = await listen(upstream);
  const [issuer, sts, gateway, watch] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const scheme = tls === undefined ? 'http' : 'https';
  const urlOf = (port: number): string => `${scheme}://127.0.0.1:${port}`;
  const clientSecret = randomBytes(32).toString('base64url');
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 });
  before?.(folder);
  write('kek', `${randomBytes(32).toString('base64url')}\n`);
  write('secret', `${clientSecret}\n`);
  mkdirSync(join(folder, 'policies/main'), { recursive: true });
  write('policies/main/publish-web.yaml', roleOf(urlOf(issuer)));
  const hash = createHash('sha256').update(clientSecret).digest('hex');
  const own = `${tls === undefined ? '' : `${tls}, `}keys: { encryption_key: "file:kek" }`;
  const guard = `gateways: [{ name: web, ${own}, listen: "127.0.0.1:${gateway}", upstream: "http://127.0.0.1:${upstreamPort}", sts: { url: "${urlOf(sts)}", network: loopback, secret: "file:secret" } }]`;
  write('gateway.yaml', guard);
  await exportKey(folder);
  write(
    'jobpass.yaml',
    `issuer: { url: "${urlOf(issuer)}", ${own}, clients: [${[
      `{ name: ci, secrets_sha256: ["${hash}"], may: { jobs: { owners: [{ name: acme, id: "42" }] } } }`,
      `{ name: sts, secrets_sha256: ["${hash}"], may: { events: ["${urlOf(sts)}"], introspect: ["${urlOf(sts)}"] } }`,
    ].join(', ')}] }
sts: { url: "${urlOf(sts)}", ${own}, trusted_issuers: [{ issuer: "${urlOf(issuer)}", network: loopback, client: sts, secret: "file:secret" }],
  gateways: [{ name: web, public_keys: ["file:web.pub"] }], clients: [{ name: web, secrets_sha256: ["${hash}"], may: { feed: web } }] }
${guard}
observability: { log_level: error, listen: "127.0.0.1:${watch}" }
${more}`,
  );
  const servers = await startServers(planOf(folder, 'jobpass.yaml'));
  await until(async () => (await Promise.all(servers.map((one) => one.ready()))).every(Boolean));
  return {
    folder,
    servers,
    issuerUrl: urlOf(issuer),
    stsUrl: urlOf(sts),
    gatewayUrl: urlOf(gateway),
    watchUrl: `http://127.0.0.1:${watch}`,
    clientSecret,
    close: async () => {
      await stopServers(servers);
      upstream.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const roleOf = (issuer: string): string => `role: publish-web
trust: [{ issuer: "${issuer}", claims: { owner_id: "42", pipeline_id: "7" } }]
session: { gateway: web }
permissions: [{ effect: allow, actions: ["http:GET"], resources: ["arn:jobpass:http:::web/*"] }]
`;

function planOf(folder: string, file: string) {
  const document = readConfig(file, folder);
  const plan = document.ok ? loadPlan(document.value, {}) : document;
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  return plan.value;
}

/** What `jobpass keys export --public web` prints, in web.pub. */
async function exportKey(folder: string): Promise<void> {
  const [gateway] = planOf(folder, 'gateway.yaml').gateways;
  if (gateway === undefined) throw new Error('no gateway');
  const { close, key } = await openGatewayKey(gateway);
  writeFileSync(join(folder, 'web.pub'), JSON.stringify(key.publicJwk));
  await close();
}
