// Azure's client in Go, and TLS in Python, against the STS under the authority of `serve --dev`.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemRandom } from '../../src/app/adapters.ts';
import { makeLoopbackIdentity } from '../../src/keys/loopback-identity.ts';
import { requireClient } from '../clients.ts';
import { assertionOf, azurePolicies, CLIENT_ID } from '../fakes/azure-calls.ts';
import { AZURE_TENANT } from '../fakes/roles.ts';
import { type ServedSts, serveSts } from '../fakes/served-sts.ts';
import { ClientHome, type ClientRun, runClient } from './client-processes.ts';

const terraform = requireClient('terraform');
const python = requireClient('python3');

const identity = makeLoopbackIdentity({ now: Math.floor(Date.now() / 1000), random: systemRandom });
let sts: ServedSts;
let home: ClientHome;

beforeAll(async () => {
  sts = await serveSts({ tls: identity, policies: azurePolicies(), registration: { jobStatus: { kind: 'none' } } });
});
afterAll(() => sts?.close());
beforeEach(() => {
  sts.calls.length = 0;
  home = new ClientHome();
});
afterEach(() => home.close());

describe.skipIf(terraform === undefined)('Terraform’s azurerm backend', () => {
  const init = async (clientId: string): Promise<ClientRun> => {
    const settings = {
      metadata_host: new URL(sts.url).host,
      environment: 'Jobpass',
      tenant_id: AZURE_TENANT,
      client_id: clientId,
      use_oidc: true,
      oidc_token_file_path: home.write('token', `${await assertionOf(sts.world)}\n`),
      use_azuread_auth: true,
      ...{ storage_account_name: 'account', container_name: 'state', key: 'state' },
    };
    home.write('main.tf.json', JSON.stringify({ terraform: { backend: { azurerm: settings } } }));
    return runClient(terraform ?? '', [`-chdir=${home.folder}`, 'init', '-no-color', '-input=false'], {
      ...home.variables,
      SSL_CERT_FILE: home.write('ca.pem', identity.ca),
      CHECKPOINT_DISABLE: '1',
    });
  };

  test('finds its way by the cloud’s endpoints, signs in, and takes its token to nobody', async () => {
    const ended = await init(CLIENT_ID);
    expect(sts.calls).toEqual(['/metadata/endpoints 200', '/:tenant/oauth2/v2.0/token 200']);
    expect(ended.stderr).toContain('account.blob.jobpass.invalid');
  });

  test('hears why it may not', async () => {
    const ended = await init('99999999-bbbb-4ccc-8ddd-eeeeeeeeeeee');
    expect(sts.calls).toEqual(['/metadata/endpoints 200', '/:tenant/oauth2/v2.0/token 400']);
    expect(ended.stderr).toContain('AADSTS70021');
  });
});

test.skipIf(python === undefined)('Python trusts the authority', async () => {
  const script = `import urllib.request; print(urllib.request.urlopen("${sts.url}/metadata/endpoints").status)`;
  const ended = await runClient(python ?? '', ['-c', script], {
    ...home.variables,
    SSL_CERT_FILE: home.write('ca.pem', identity.ca),
  });
  expect(ended).toMatchObject({ status: 0, stdout: '200\n' });
});
