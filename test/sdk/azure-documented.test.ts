// docs/integrations/azure.md as it stands, but for addresses and what needs `az`: a credential against our issuer's token, and Azure's
// clients at our servers.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/app/config/load.ts';
import { requireClient } from '../clients.ts';
import { readPage } from '../documented-page.ts';
import { BLOB_ACCOUNT, type S3Servers, startS3Servers } from '../e2e/s3-servers.ts';
import { startJob } from '../e2e/three-servers.ts';
import { type HttpsIssuer, startHttpsIssuer } from '../fakes/https-issuer.ts';
import { makePrivateCa, type PrivateCa } from '../fakes/private-ca.ts';
import { ClientHome, type ClientRun } from './client-processes.ts';
import { type DocumentedJob, documentedJob, WEB_TAR } from './documented-job.ts';

const openssl = requireClient('openssl');
const { block } = readPage('integrations/azure.md');

function good({ status, stderr, stdout }: ClientRun): string {
  expect(status, stderr).toBe(0);
  return stdout;
}

describe.skipIf(openssl === undefined)('our issuer at Azure', () => {
  let home: ClientHome;
  let at: HttpsIssuer;

  beforeAll(async () => {
    home = new ClientHome();
    at = await startHttpsIssuer(openssl ?? '', home.folder);
  });
  afterAll(async () => {
    await at?.close();
    home.close();
  });

  test('doctor agrees with the credential, and shows one that differs in case as the page does', async () => {
    const { ACTIONS_ID_TOKEN_REQUEST_URL = '', ...env } = await at.issuer.startJob('api://AzureADTokenExchange');
    const { sh } = documentedJob(home, {
      names: { 'https://ci.example.com': at.url, '--token-file token': '--token-file token --compatible' },
      env: {
        ...env,
        NODE_EXTRA_CA_CERTS: at.ca,
        ACTIONS_ID_TOKEN_REQUEST_URL: ACTIONS_ID_TOKEN_REQUEST_URL.replace(at.url, at.issuer.url),
      },
    });
    const { audiences, name, subject } = JSON.parse(block('json', 'web-main'));
    // As az prints it.
    const list = (of: string): void => {
      const credential = { audiences, description: null, id: '1', issuer: at.url, name, subject: of };
      home.write('credentials.json', JSON.stringify([credential], undefined, 2));
    };
    const fetched = 'cp "$AZURE_FEDERATED_TOKEN_FILE" ../token';
    good(await sh(`${block('sh', 'jobpass token --audience api:')}cd "$HOME"; ${fetched}`));
    list(subject);
    expect(good(await sh(block('sh', 'jobpass doctor')))).toMatch(/^agree {2}/);
    list(subject.replace('main', 'Main'));
    const { status, stdout } = await sh(block('sh', 'jobpass doctor'));
    expect(status).toBe(1);
    const lines = block('', 'disagree  credentials.json').split('\n').slice(1);
    for (const line of lines.filter((one) => one !== '' && one.trim() !== '…')) expect(stdout).toContain(`${line}\n`);
  });
});

describe.skipIf(openssl === undefined)('Azure’s clients at our servers', () => {
  let caHome: ClientHome;
  let ca: PrivateCa;
  let servers: S3Servers;
  let home: ClientHome;
  let job: DocumentedJob;

  beforeAll(async () => {
    caHome = new ClientHome();
    ca = makePrivateCa(openssl ?? '', caHome.folder);
    const role = block('yaml', 'role: publish-web').replace('https://ci.example.com', 'ISSUER');
    servers = await startS3Servers({ tls: ca, buckets: ['artifacts'], policies: { 'publish-web': role } });
  });
  afterAll(async () => {
    await servers?.close();
    caHome.close();
  });
  beforeEach(async () => {
    home = new ClientHome();
    const started = await startJob(servers, { environment: undefined });
    const { blob, sts } = servers.urls;
    job = documentedJob(home, {
      names: { 'https://sts.example.com': sts, 'https://blob.example.com/acme': `${blob}/${BLOB_ACCOUNT}` },
      env: {
        NODE_EXTRA_CA_CERTS: ca.ca,
        ACTIONS_ID_TOKEN_REQUEST_URL: started.requestUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: started.requestToken,
      },
    });
  });
  afterEach(() => home.close());

  const ENVIRONMENT = block('sh', 'AZURE_AUTHORITY_HOST');
  const read = `const blob = blobs.getContainerClient('artifacts').getBlobClient('web/web.tar');
console.log((await blob.downloadToBuffer()).toString());
await blob.delete();
`;

  test('the gateway’s section is a configuration', () => {
    home.write('jobpass.yaml', block('yaml', 'blob: {'));
    expect(readConfig('jobpass.yaml', home.folder)).toMatchObject({ ok: true });
  });

  test.each(['new DefaultAzureCredential', 'new ClientAssertionCredential'])('%s stores a blob', async (name) => {
    const program = job.program('publish.mjs', `${block('js', name)}${read}`);
    expect(good(await job.sh(`${ENVIRONMENT}${program}`)).trim()).toBe(WEB_TAR);
  });

  test('MSAL gets an access token', async () => {
    const told = "console.log(JSON.parse(Buffer.from(accessToken.split('.')[1], 'base64url')).role);\n";
    const program = job.program('sign-in.mjs', `${block('js', 'msal-node')}${told}`);
    expect(good(await job.sh(`${ENVIRONMENT}${program}`)).trim()).toBe('main/publish-web');
  });
});
