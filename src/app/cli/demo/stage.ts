// Builds the demo's stage in a folder of its own: three configurations that share nothing but URLs and client credentials,
// a git repository made from the example, and the policies, with the demo's addresses filled in.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, systemRandom } from '../../adapters.ts';
import { developmentTls } from '../../setup/development-tls.ts';
import {
  makeEncryptionKey,
  makeSecret,
  writeCredentialFile,
  writePrivateFile,
  writePublicFile,
} from '../../setup/private-files.ts';
import { type Cloud, needsTls } from './clouds.ts';
import { DEMO_GATEWAY, gatewayConfig, issuerConfig, type StageUrls, stsConfig } from './configs.ts';
import { type DemoPorts, fillAddresses } from './ports.ts';
import { makeRepository, publishTo } from './repository.ts';

export interface Stage {
  readonly folder: string;
  readonly urls: StageUrls;
  /** Whose clients the gateway serves. */
  readonly clouds: readonly Cloud[];
  /** Configuration files, by server. */
  readonly configs: { readonly issuer: string; readonly sts: string; readonly gateway: string };
  readonly controllerFile: string;
  readonly operatorFile: string;
  /** Of the issuer's operator. */
  readonly issuerOperatorFile: string;
  readonly repository: string;
  /** Holds a `jobpass` that is this very program. */
  readonly binFolder: string;
  /** The file that clients trust the servers by, where these serve https. */
  readonly caFile: string | null;
}

/** Sets everything up below `folder`, which must be empty. `example` is examples/web-shop; `program` runs jobpass. */
export function buildStage(options: {
  readonly folder: string;
  readonly example: string;
  readonly ports: DemoPorts;
  readonly program: readonly [string, ...string[]];
  /** Whose clients the gateway serves, at least one. Default: those of AWS. */
  readonly clouds?: readonly Cloud[];
}): Stage {
  const { clouds = ['aws'], folder, ports } = options;
  const tls = needsTls(clouds) ? join(folder, 'tls') : null;
  const stage = stageIn(folder, { clouds, tls, urls: stageUrls(ports, clouds) });
  const { caFile, urls } = stage;
  const fill = (text: string): string => fillAddresses(text, { ...urls.doors, issuer: urls.issuer, sts: urls.sts });
  const secrets = makeSecrets();
  writePublicFile(stage.configs.issuer, issuerConfig(urls, secrets));
  writePublicFile(stage.configs.sts, stsConfig(urls, secrets, tls));
  writePublicFile(stage.configs.gateway, gatewayConfig(urls, clouds, tls));
  writeSecrets(stage, secrets);
  copyFilled(join(options.example, 'policies'), join(folder, 'sts/policies'), fill);
  makeRepository(options.example, stage.repository, fill);
  const [cloud] = clouds;
  if (cloud !== undefined && (cloud !== 'aws' || tls !== null)) publishTo(stage, cloud);
  const trusting = caFile === null ? [] : ['env', `NODE_EXTRA_CA_CERTS=${caFile}`];
  writeProgram(stage.binFolder, [...trusting, ...options.program]);
  return stage;
}

/** What lies where. Nothing is made but the https identity below `tls`. */
const stageIn = (
  folder: string,
  { clouds, tls, urls }: { readonly clouds: readonly Cloud[]; readonly tls: string | null; readonly urls: StageUrls },
): Stage => ({
  folder,
  urls,
  clouds,
  caFile: tls === null ? null : makeTls(tls),
  configs: {
    issuer: join(folder, 'issuer/jobpass.yaml'),
    sts: join(folder, 'sts/jobpass.yaml'),
    gateway: join(folder, 'gateway/jobpass.yaml'),
  },
  controllerFile: join(folder, 'ci/controller.json'),
  operatorFile: join(folder, 'sts/operator.json'),
  issuerOperatorFile: join(folder, 'issuer/operator.json'),
  repository: join(folder, 'web-shop'),
  binFolder: join(folder, 'bin'),
});

type Secrets = ReturnType<typeof makeSecrets>;

/** Of every client of issuer and STS. */
const makeSecrets = () => ({
  controller: makeSecret(systemRandom),
  sts: makeSecret(systemRandom),
  gateway: makeSecret(systemRandom),
  operator: makeSecret(systemRandom),
});

/** Each server's key-encryption key, and what its clients prove themselves with, in files of their owner's. */
function writeSecrets({ controllerFile, folder, issuerOperatorFile, operatorFile, urls }: Stage, of: Secrets): void {
  for (const server of ['issuer', 'sts'] as const)
    makeEncryptionKey(join(folder, server, `.jobpass/${server}.kek`), systemRandom);
  makeEncryptionKey(join(folder, `gateway/.jobpass/gateway-${DEMO_GATEWAY}.kek`), systemRandom);
  writePrivateFile(join(folder, 'sts/.jobpass/sts.secret'), of.sts.reveal());
  writePrivateFile(join(folder, 'gateway/.jobpass/gateway.secret'), of.gateway.reveal());
  writeCredentialFile(controllerFile, { url: urls.issuer, client: 'ci', secret: of.controller.reveal() });
  const operator = { client: 'operator', secret: of.operator.reveal() };
  writeCredentialFile(operatorFile, { socket: join(folder, 'sts/run/sts.sock'), ...operator });
  writeCredentialFile(issuerOperatorFile, { socket: join(folder, 'issuer/run/issuer.sock'), ...operator });
}

/** Where the servers are. The issuer stays on http: Azure's clients never speak to it. */
function stageUrls(ports: DemoPorts, clouds: readonly Cloud[]): StageUrls {
  const scheme = needsTls(clouds) ? 'https' : 'http';
  const at = (port: number): string => `${scheme}://127.0.0.1:${port}`;
  const doors = { aws: at(ports.aws), gcp: at(ports.gcp), azure: at(ports.azure) };
  return { issuer: `http://127.0.0.1:${ports.issuer}`, sts: at(ports.sts), gateway: doors[clouds[0] ?? 'aws'], doors };
}

/** An https identity for this machine alone, in `folder`; gives the file that clients trust it by. */
const makeTls = (folder: string): string =>
  developmentTls(folder, { now: systemClock.nowSeconds(), random: systemRandom }).caFile;

function copyFilled(from: string, to: string, fill: (text: string) => string): void {
  for (const file of readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml')))
    writePublicFile(join(to, file), fill(readFileSync(join(from, file), 'utf8')));
}

function writeProgram(binFolder: string, program: readonly string[]): void {
  mkdirSync(binFolder, { recursive: true });
  const quoted = program.map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(' ');
  writeFileSync(join(binFolder, 'jobpass'), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
}
