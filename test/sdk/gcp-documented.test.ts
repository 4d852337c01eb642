// docs/integrations/gcp.md as it stands, but for addresses: our issuer at Google by gcloud, and Google's clients at our servers.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/app/config/load.ts';
import { requireClient } from '../clients.ts';
import { readPage } from '../documented-page.ts';
import { type S3Servers, startS3Servers } from '../e2e/s3-servers.ts';
import { startJob } from '../e2e/three-servers.ts';
import { serveGoogleIam } from '../fakes/google-iam.ts';
import { type HttpsIssuer, startHttpsIssuer } from '../fakes/https-issuer.ts';
import { makePrivateCa, type PrivateCa } from '../fakes/private-ca.ts';
import type { LoopbackServer } from '../fakes/serve-on-loopback.ts';
import { ClientHome, type ClientRun } from './client-processes.ts';
import { type DocumentedJob, documentedJob, WEB_TAR } from './documented-job.ts';

const openssl = requireClient('openssl');
const jq = requireClient('jq');
// Debian has no package of it, so CI cannot install it: where it is missing, its blocks are skipped in sight of everybody.
const gcloud = requireClient('gcloud');
const terraform = requireClient('terraform');

const { block } = readPage('integrations/gcp.md');
const PROVIDER = 'iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/ci-jobs/providers/jobpass';
/** gcloud starts a Python of a second or more for each command. */
const SLOW = { timeout: 120_000 };
const QUIET = {
  CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
  CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
  CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
  CHECKPOINT_DISABLE: '1',
};

function good({ status, stderr, stdout }: ClientRun): string {
  expect(status, stderr).toBe(0);
  return stdout;
}

describe.skipIf(openssl === undefined || gcloud === undefined || jq === undefined)('our issuer at Google Cloud', () => {
  let certificates: ClientHome;
  let at: HttpsIssuer;
  let iam: LoopbackServer;
  let home: ClientHome;

  beforeAll(async () => {
    certificates = new ClientHome();
    at = await startHttpsIssuer(openssl ?? '', certificates.folder);
    iam = await serveGoogleIam();
  });
  afterAll(async () => {
    await iam?.close();
    await at?.close();
    certificates.close();
  });
  beforeEach(() => {
    home = new ClientHome();
  });
  afterEach(() => home.close());

  const inHome = (env: Readonly<Record<string, string>>): DocumentedJob =>
    documentedJob(home, {
      names: { 'https://ci.example.com': at.url, 'http://127.0.0.1:8701': at.issuer.url },
      env: { ...QUIET, NODE_EXTRA_CA_CERTS: at.ca, ...env },
    });

  test('the keys are uploaded, provider and binding made as written, and doctor agrees as shown', SLOW, async () => {
    const { sh } = inHome({
      CLOUDSDK_CONFIG: home.folder,
      CLOUDSDK_CORE_PROJECT: 'acme',
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: home.write('operator', 'of-the-operator'),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: `${iam.url}/`,
    });
    good(await sh(block('sh', 'curl')));
    good(await sh(block('sh', 'create-oidc')));
    home.write('token', await at.issuer.token(`https://${PROVIDER}`));
    const said = good(await sh(block('sh', 'jobpass doctor'))).replaceAll(at.url, 'https://ci.example.com');
    const shown = block('', 'agree  provider.json').split('\n');
    for (const line of shown.filter((one) => one !== '' && one.trim() !== '…')) expect(said).toContain(`${line}\n`);
  });

  test('a job’s credentials file leads to fresh tokens for the provider, and is its own', SLOW, async () => {
    const env = await at.issuer.startJob(`https://${PROVIDER}`);
    const asked = (env.ACTIONS_ID_TOKEN_REQUEST_URL ?? '').replace(at.url, at.issuer.url);
    const { sh } = inHome({ ...env, ACTIONS_ID_TOKEN_REQUEST_URL: asked });
    const look = 'stat -c %a "$GOOGLE_APPLICATION_CREDENTIALS"; cat "$GOOGLE_APPLICATION_CREDENTIALS"';
    const [mode, ...lines] = good(await sh(`${block('sh', 'create-cred-config')}${look}`)).split('\n');
    const { audience, credential_source: source } = JSON.parse(lines.join('\n'));
    expect([mode, audience]).toEqual(['600', `//${PROVIDER}`]);
    const { value } = (await (await fetch(source.url, { headers: source.headers })).json()) as { value: string };
    const claims = JSON.parse(Buffer.from(value.split('.')[1] ?? '', 'base64url').toString());
    expect(claims.aud).toBe(`https://${PROVIDER}`);
  });
});

describe.skipIf(openssl === undefined)('Google’s clients at our servers', () => {
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
    const started = await startJob(servers, { environment: undefined, timeout_seconds: 3600 });
    const { gcs, sts } = servers.urls;
    job = documentedJob(home, {
      names: {
        'https://sts.example.com': sts,
        'https%3A%2F%2Fsts.example.com': encodeURIComponent(sts),
        'https://gcs.example.com': gcs,
      },
      env: {
        ...QUIET,
        ...{ NODE_EXTRA_CA_CERTS: ca.ca, REQUESTS_CA_BUNDLE: ca.ca, SSL_CERT_FILE: ca.ca },
        ACTIONS_ID_TOKEN_REQUEST_URL: started.requestUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: started.requestToken,
      },
    });
  });
  afterEach(() => home.close());

  const CREDENTIALS = block('sh', 'external_account');
  const object = async (): Promise<string> => {
    const read = `console.log((await storage.bucket('artifacts').file('web/web.tar').download())[0].toString());`;
    const storage = block('js', 'new Storage').replace(/^await .*$/m, read);
    return good(await job.sh(`${CREDENTIALS}${job.program('read.mjs', storage)}`)).trim();
  };

  test('the gateway’s section is a configuration', () => {
    home.write('jobpass.yaml', block('yaml', 'gcs: {'));
    expect(readConfig('jobpass.yaml', home.folder)).toMatchObject({ ok: true });
  });

  test('JavaScript stores an object', async () => {
    good(await job.sh(`${CREDENTIALS}${job.program('store.mjs', block('js', 'new Storage'))}`));
    expect(await object()).toBe(WEB_TAR);
  });

  test.skipIf(gcloud === undefined)('gcloud stores an object', SLOW, async () => {
    good(await job.sh(`${CREDENTIALS}${block('sh', 'gcloud storage cp')}`));
    expect(await object()).toBe(WEB_TAR);
  });

  test.skipIf(terraform === undefined)('Terraform keeps its state', SLOW, async () => {
    job.program('main.tf', `${block('hcl', 'backend "gcs"')}output "made" { value = "yes" }\n`);
    const apply = 'terraform init -input=false -no-color && terraform apply -auto-approve -no-color';
    expect(good(await job.sh(`${CREDENTIALS}${apply}`))).toContain('Apply complete!');
    expect(good(await job.sh(`${CREDENTIALS}rm -rf .terraform; ${apply}`))).toContain('No changes.');
  });
});
