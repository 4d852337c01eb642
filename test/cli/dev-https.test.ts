// `serve --dev` over https: a job of a local pipeline signs in with Azure's own client, which takes nothing else.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireClient } from '../clients.ts';
import { CLIENT_ID } from '../fakes/azure-calls.ts';
import { freePorts } from '../fakes/free-port.ts';
import { AZURE_TENANT, roleText } from '../fakes/roles.ts';
import { type Ended, inFreshFolder, jobpass } from './jobpass.ts';

const CLIENT = resolve(import.meta.dirname, '../sdk/azure-client.ts');
const AUDIENCE = 'api://AzureADTokenExchange';
const CONFIG = '.jobpass/dev/jobpass.yaml';
/** Away from the usual ones, which another server on this machine may have. */
const PORT = await freePorts(12);
const ISSUER_URL = `http://127.0.0.1:${PORT}`;
const STS_URL = `http://127.0.0.1:${PORT + 1}`;
const STS_HTTPS = `https://127.0.0.1:${PORT + 11}`;
const READY = /^ready/m;

/** A cloud's own document cannot name local jobs, so it lets none in. */
const ROLE = roleText({
  name: 'deploy',
  trust: `[{ issuer: "${ISSUER_URL}", claims: { owner_id: "42", pipeline_id: "7", runner_environment: local } }]`,
  azure: `{ tenant: "${AZURE_TENANT}", client_id: "${CLIENT_ID}" }`,
});

/** Asks for a token as any job does, and signs in with it; says how that ended, without the token. */
const stepOf = (caFile: string): string => {
  const url = `"$ACTIONS_ID_TOKEN_REQUEST_URL&audience=${encodeURIComponent(AUDIENCE)}"`;
  const client = [
    `AZURE_AUTHORITY_HOST=${STS_HTTPS} AZURE_FEDERATED_TOKEN_FILE=token`,
    `AZURE_TENANT_ID=${AZURE_TENANT} AZURE_CLIENT_ID=${CLIENT_ID} NODE_EXTRA_CA_CERTS="${caFile}"`,
    `"${process.execPath}" "${CLIENT}" WorkloadIdentityCredential`,
  ];
  return [
    'set -e',
    `curl -s -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" ${url} | cut -d '"' -f 4 > token`,
    `${client.join(' ')} > ended`,
    'cut -c 1-10 ended',
    'grep -o "AADSTS.*" ended || true',
  ].join('\n');
};

describe.skipIf(requireClient('curl') === undefined)('serve --dev', () => {
  test('serves the STS over https, too, and says how clients trust it', () =>
    inFreshFolder(async (folder) => {
      const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'pipe' });
      mkdirSync(join(folder, 'policies/main'), { recursive: true });
      await initialise(folder);
      const caFile = join(folder, '.jobpass/dev/tls/ca.pem');
      const ca = readFileSync(caFile, 'utf8');
      registerGateway(folder);
      writeFileSync(join(folder, 'policies/main/deploy.yaml'), ROLE);
      git('init', '--quiet', '--initial-branch=main');
      const job = { audiences: [AUDIENCE], run: [stepOf(caFile)] };
      const pipeline = { owner: { name: 'acme', id: '42' }, pipeline: { name: 'web', id: '7' }, jobs: { deploy: job } };
      writeFileSync(join(folder, 'pipeline.yaml'), JSON.stringify(pipeline));
      git('add', 'pipeline.yaml');
      git('-c', 'user.name=you', '-c', 'user.email=you@example.com', 'commit', '--quiet', '--message', 'a pipeline');
      let ran: Ended | undefined;
      const onReady = async (): Promise<void> => {
        ran = await jobpass(['run', 'pipeline.yaml'], { folder });
      };
      const served = await jobpass(['serve', '--dev'], { folder, onReady, stopAt: READY });
      expect(served.code, served.stderr).toBe(0);
      for (const said of [STS_HTTPS, `NODE_EXTRA_CA_CERTS=${caFile}`, `SSL_CERT_FILE=${caFile}`])
        expect(served.stderr).toContain(said);
      expect(ran?.stderr).toContain('{"ok":true');
      expect(readFileSync(caFile, 'utf8')).toBe(ca);
    }));

  test('serves this machine alone', () =>
    inFreshFolder(async (folder) => {
      await initialise(folder);
      const config = readFileSync(join(folder, CONFIG), 'utf8');
      const everywhere = config.replace(`  url: ${STS_URL}\n`, `$&  listen: "0.0.0.0:${PORT + 1}"\n`);
      expect(everywhere).not.toBe(config);
      writeFileSync(join(folder, CONFIG), everywhere);
      const refused = await jobpass(['serve', '--dev'], { folder });
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('serves this machine alone')]);
    }));
});

/** The files of a first start, moved to ports of this test. Whether that start found its ports free does not matter. */
async function initialise(folder: string): Promise<void> {
  await jobpass(['serve', '--dev', '--owner', 'acme@42'], { folder, stopAt: READY });
  for (const file of [CONFIG, '.jobpass/dev/controller.json']) {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    const moved = text.replaceAll('http://127.0.0.1:8701', ISSUER_URL).replaceAll('http://127.0.0.1:8702', STS_URL);
    writeFileSync(path, moved);
  }
}

/** A gateway that never comes: roles name a registered one. */
function registerGateway(folder: string): void {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, '.jobpass/dev/gateway.json'), JSON.stringify(publicKey.export({ format: 'jwk' })));
  const path = join(folder, CONFIG);
  const gateways = '  gateways: [{ name: artifacts, public_keys: ["file:gateway.json"] }]\n';
  const config = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    config.replace(`  url: ${STS_URL}\n`, (line) => `${line}${gateways}`),
  );
}
