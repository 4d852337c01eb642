// What `jobpass init` and `serve --dev` write: a configuration of issuer, STS and one gateway on this machine, and their keys.
import { join } from 'node:path';
import { AZURE_EXCHANGE_AUDIENCE } from '../../base/credential/azure-names.ts';
import type { NamedId } from '../../base/identity/facts.ts';
import type { Random } from '../../base/ports/random.ts';
import { openGatewayKey } from '../compose/gateway.ts';
import { jsonSchemaText } from '../config/json-schema.ts';
import { loadPlan, readConfig } from '../config/load.ts';
import {
  makeEncryptionKey,
  makeSecret,
  writeCredentialFile,
  writePrivateFile,
  writePublicFile,
} from './private-files.ts';

export interface ProjectAnswers {
  readonly owners: readonly NamedId[];
  /** The issuer's URL; the STS and the gateway listen on the next two ports. */
  readonly issuerUrl: string;
  /** The resource the gateway guards; null: no gateway. */
  readonly upstream: string | null;
  /** The controller's jobs are a person's own, under `local:` subjects. */
  readonly local: boolean;
  /** The policies folder, relative to the configuration. */
  readonly policies: string;
  /** Where the controller's and the operator's credential files go. */
  readonly credentials: string;
}

const GATEWAY = 'artifacts';
/** Keys and secrets, away from the data folder. */
const OWN_FOLDER = '.jobpass';

/** The URL of the server `offset` ports after `url`. */
function portAfter(url: string, offset: number): string {
  const next = new URL(url);
  next.port = String(Number(next.port) + offset);
  return next.origin;
}

/** Writes configuration, keys and credentials into `folder`. Throws ERR_FILE_EXISTS before a file would be overwritten. */
export async function writeProject(folder: string, answers: ProjectAnswers, random: Random): Promise<void> {
  const secrets = {
    ci: makeSecret(random),
    sts: makeSecret(random),
    gateway: makeSecret(random),
    operator: makeSecret(random),
    issuerOperator: makeSecret(random),
  };
  const own = join(folder, OWN_FOLDER);
  writePublicFile(join(folder, 'jobpass.yaml'), configText(answers, secrets));
  writePrivateFile(join(own, '.gitignore'), '*\n');
  writePrivateFile(join(own, 'jobpass.schema.json'), jsonSchemaText());
  writePrivateFile(join(own, 'sts.secret'), `${secrets.sts.reveal()}\n`);
  const servers = answers.upstream === null ? ['issuer', 'sts'] : ['issuer', 'sts', `gateway-${GATEWAY}`];
  for (const server of servers) makeEncryptionKey(join(own, `${server}.kek`), random);
  writeCredentialFile(join(answers.credentials, 'controller.json'), {
    url: answers.issuerUrl,
    client: 'ci',
    secret: secrets.ci.reveal(),
    local: answers.local,
  });
  writeCredentialFile(join(answers.credentials, 'operator.json'), {
    socket: join(folder, 'run/sts.sock'),
    client: 'operator',
    secret: secrets.operator.reveal(),
  });
  writeCredentialFile(join(answers.credentials, 'issuer-operator.json'), {
    socket: join(folder, 'run/issuer.sock'),
    client: 'operator',
    secret: secrets.issuerOperator.reveal(),
  });
  if (answers.upstream === null) return;
  writePrivateFile(join(own, `${GATEWAY}.secret`), `${secrets.gateway.reveal()}\n`);
  await exportGatewayKey(folder);
}

/** Makes the gateway's own key and puts its public half where the STS section looks for it. */
async function exportGatewayKey(folder: string): Promise<void> {
  const publicKey = join(folder, OWN_FOLDER, `${GATEWAY}.public.json`);
  const document = readConfig('jobpass.yaml', folder);
  if (!document.ok) throw new Error('the configuration just written does not read');
  const gatewayOnly = { ...document.value, value: { gateways: document.value.value.gateways } };
  const plan = loadPlan(gatewayOnly, {});
  const gateway = plan.ok ? plan.value.gateways[0] : undefined;
  if (gateway === undefined) throw new Error('the configuration just written has no gateway');
  const { key, close } = await openGatewayKey(gateway);
  writePublicFile(publicKey, `${JSON.stringify(key.publicJwk)}\n`);
  await close();
}

type Secrets = Readonly<Record<'ci' | 'sts' | 'gateway' | 'operator' | 'issuerOperator', { readonly hash: string }>>;

function configText(answers: ProjectAnswers, secrets: Secrets): string {
  const { issuerUrl } = answers;
  const stsUrl = portAfter(issuerUrl, 1);
  // Azure's clients ask for one audience wherever they go; the STS must hear of the ends of such jobs, too.
  const audiences = JSON.stringify([stsUrl, AZURE_EXCHANGE_AUDIENCE]);
  const owners = answers.owners
    .map(({ name, id }) => `{ name: ${JSON.stringify(name)}, id: ${JSON.stringify(id)} }`)
    .join(', ');
  const jobs = `owners: [${owners}]${answers.local ? ', local: true' : ''}`;
  const operator = `{ name: operator, secrets_sha256: ["${secrets.operator.hash}"], may: { read: [main], evaluate: [main], revoke: [main], operate: true, audit: true, keys: ["*"] } }`;
  const gateway = `{ name: ${GATEWAY}, secrets_sha256: ["${secrets.gateway.hash}"], may: { feed: ${GATEWAY} } }`;
  return [
    `# yaml-language-server: $schema=${OWN_FOLDER}/jobpass.schema.json`,
    'issuer:',
    `  url: ${issuerUrl}`,
    '  clients:',
    `    - { name: ci, secrets_sha256: ["${secrets.ci.hash}"], may: { jobs: { ${jobs} } } }`,
    `    - { name: sts, secrets_sha256: ["${secrets.sts.hash}"], may: { events: ${audiences}, introspect: ${audiences} } }`,
    `    - { name: operator, secrets_sha256: ["${secrets.issuerOperator.hash}"], may: { audit: true, keys: ["*"] } }`,
    'sts:',
    `  url: ${stsUrl}`,
    `  trusted_issuers: [{ issuer: "${issuerUrl}", network: loopback, client: sts, secret: "file:${OWN_FOLDER}/sts.secret" }]`,
    ...(answers.policies === './policies' ? [] : [`  policies: ${JSON.stringify(answers.policies)}`]),
    ...(answers.upstream === null
      ? [`  clients: [${operator}]`]
      : [
          `  gateways: [{ name: ${GATEWAY}, public_keys: ["file:${OWN_FOLDER}/${GATEWAY}.public.json"] }]`,
          `  clients: [${gateway}, ${operator}]`,
          `gateways: [${gatewayText(answers.upstream, issuerUrl)}]`,
        ]),
    '',
  ].join('\n');
}

function gatewayText(upstream: string, issuerUrl: string): string {
  const sts = `{ url: "${portAfter(issuerUrl, 1)}", network: loopback, secret: "file:${OWN_FOLDER}/${GATEWAY}.secret" }`;
  return `{ name: ${GATEWAY}, listen: "${new URL(portAfter(issuerUrl, 2)).host}", upstream: ${JSON.stringify(upstream)}, sts: ${sts} }`;
}
