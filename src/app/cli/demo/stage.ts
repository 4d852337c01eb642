// Builds the demo's stage in a folder of its own: three configurations that share nothing but URLs and client credentials,
// a git repository made from the example, and the policies, with the demo's addresses filled in.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../../adapters.ts';
import {
  makeEncryptionKey,
  makeSecret,
  writeCredentialFile,
  writePrivateFile,
  writePublicFile,
} from '../../setup/private-files.ts';
import { type DemoPorts, USUAL_PORTS } from './ports.ts';

/** The gateway's name, and its group. */
export const DEMO_GATEWAY = 'artifacts';
/** What the gateway keeps, on the disk of the stage. */
const DEMO_BUCKET = 'web-shop';

export interface Stage {
  readonly folder: string;
  readonly urls: { readonly issuer: string; readonly sts: string; readonly gateway: string };
  /** Configuration files, by server. */
  readonly configs: { readonly issuer: string; readonly sts: string; readonly gateway: string };
  readonly controllerFile: string;
  readonly operatorFile: string;
  readonly repository: string;
  /** Holds a `jobpass` that is this very program. */
  readonly binFolder: string;
}

/** Sets everything up below `folder`, which must be empty. `example` is examples/web-shop; `program` runs jobpass. */
export function buildStage(options: {
  readonly folder: string;
  readonly example: string;
  readonly ports: DemoPorts;
  readonly program: readonly [string, ...string[]];
}): Stage {
  const { folder, ports } = options;
  const [issuer, sts, gateway] = ports.map((port) => `http://127.0.0.1:${port}`) as [string, string, string];
  const urls = { issuer, sts, gateway };
  const fill = (text: string): string =>
    USUAL_PORTS.reduce<string>(
      (filled, port, index) => filled.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${ports[index]}`),
      text,
    );
  const secrets = {
    controller: makeSecret(systemRandom),
    sts: makeSecret(systemRandom),
    gateway: makeSecret(systemRandom),
    operator: makeSecret(systemRandom),
  };
  const stage: Stage = {
    folder,
    urls,
    configs: {
      issuer: join(folder, 'issuer/jobpass.yaml'),
      sts: join(folder, 'sts/jobpass.yaml'),
      gateway: join(folder, 'gateway/jobpass.yaml'),
    },
    controllerFile: join(folder, 'ci/controller.json'),
    operatorFile: join(folder, 'sts/operator.json'),
    repository: join(folder, 'web-shop'),
    binFolder: join(folder, 'bin'),
  };
  writePublicFile(stage.configs.issuer, issuerConfig(urls, secrets));
  writePublicFile(stage.configs.sts, stsConfig(urls, secrets));
  writePublicFile(stage.configs.gateway, gatewayConfig(urls));
  for (const server of ['issuer', 'sts'] as const)
    makeEncryptionKey(join(folder, server, `.jobpass/${server}.kek`), systemRandom);
  makeEncryptionKey(join(folder, `gateway/.jobpass/gateway-${DEMO_GATEWAY}.kek`), systemRandom);
  writePrivateFile(join(folder, 'sts/.jobpass/sts.secret'), secrets.sts.reveal());
  writePrivateFile(join(folder, 'gateway/.jobpass/gateway.secret'), secrets.gateway.reveal());
  writeCredentialFile(stage.controllerFile, { url: issuer, client: 'ci', secret: secrets.controller.reveal() });
  writeCredentialFile(stage.operatorFile, {
    socket: join(folder, 'sts/run/sts.sock'),
    client: 'operator',
    secret: secrets.operator.reveal(),
  });
  copyFilled(join(options.example, 'policies'), join(folder, 'sts/policies'), fill);
  makeRepository(options.example, stage.repository, fill);
  writeProgram(stage.binFolder, options.program);
  return stage;
}

type Urls = Stage['urls'];
type Hashes = Readonly<Record<'controller' | 'sts' | 'gateway' | 'operator', { readonly hash: string }>>;

const issuerConfig = (urls: Urls, secrets: Hashes): string => `issuer:
  url: ${urls.issuer}
  forks: { audiences: ["${urls.sts}"] }
  clients:
    - { name: ci, secrets_sha256: ["${secrets.controller.hash}"], may: { jobs: { owners: [{ name: acme, id: "42" }] } } }
    - { name: sts, secrets_sha256: ["${secrets.sts.hash}"], may: { events: ["${urls.sts}"], introspect: ["${urls.sts}"] } }
observability: { log_level: warn }
`;

const stsConfig = (urls: Urls, secrets: Hashes): string => `sts:
  url: ${urls.sts}
  trusted_issuers: [{ issuer: "${urls.issuer}", network: loopback, client: sts, secret: "file:.jobpass/sts.secret" }]
  gateways: [{ name: ${DEMO_GATEWAY}, public_keys: ["file:${DEMO_GATEWAY}.public.json"] }]
  clients:
    - { name: ${DEMO_GATEWAY}, secrets_sha256: ["${secrets.gateway.hash}"], may: { feed: ${DEMO_GATEWAY} } }
    - { name: operator, secrets_sha256: ["${secrets.operator.hash}"], may: { read: [main], evaluate: [main] } }
observability: { log_level: warn }
`;

const gatewayConfig = (urls: Urls): string => `gateways:
  - name: ${DEMO_GATEWAY}
    listen: ${new URL(urls.gateway).host}
    s3: { folder: ./objects, buckets: [{ name: ${DEMO_BUCKET} }] }
    sts: { url: "${urls.sts}", network: loopback, secret: "file:.jobpass/gateway.secret" }
observability: { log_level: warn }
`;

function copyFilled(from: string, to: string, fill: (text: string) => string): void {
  for (const file of readdirSync(from, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml')))
    writePublicFile(join(to, file), fill(readFileSync(join(from, file), 'utf8')));
}

function makeRepository(example: string, repository: string, fill: (text: string) => string): void {
  cpSync(example, repository, { recursive: true, filter: (path) => !path.includes(`${example}/policies`) });
  for (const file of readdirSync(repository).filter((name) => /\.(yaml|mjs|sh)$/.test(name)))
    writeFileSync(join(repository, file), fill(readFileSync(join(repository, file), 'utf8')));
  const git = (...args: string[]): void =>
    void execFileSync('git', args, { cwd: repository, stdio: 'pipe', env: gitEnvironment() });
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'you');
  git('config', 'user.email', 'you@example.com');
  git('add', '.');
  git('commit', '--quiet', '--message', 'a web shop');
}

/** Git with the machine's own settings out of the way: the demo's repository is the same everywhere. */
const gitEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
});

function writeProgram(binFolder: string, program: readonly [string, ...string[]]): void {
  mkdirSync(binFolder, { recursive: true });
  const quoted = program.map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(' ');
  writeFileSync(join(binFolder, 'jobpass'), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
}
