// `jobpass doctor --gcp` and `--azure` as a person runs them, against an issuer that really listens over https. The token is in no output.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { requireClient } from '../clients.ts';
import { type HttpsIssuer, startHttpsIssuer } from '../fakes/https-issuer.ts';
import { inFreshFolder, jobpass } from './jobpass.ts';

const openssl = requireClient('openssl');

const NAME = 'projects/42/locations/global/workloadIdentityPools/ci-jobs/providers/jobpass';
const AUDIENCES = { gcp: `https://iam.googleapis.com/${NAME}`, azure: 'api://AzureADTokenExchange' };
const SUBJECT = 'owner:acme@42:pipeline:web@7:ref:refs/heads/main';
const PRINCIPAL = `principal://iam.googleapis.com/${NAME.replace('/providers/jobpass', '')}/subject/${SUBJECT}`;

describe.skipIf(openssl === undefined)('jobpass doctor', () => {
  const certificates = mkdtempSync(join(tmpdir(), 'jobpass-doctor-'));
  let at: HttpsIssuer;
  beforeAll(async () => {
    at = await startHttpsIssuer(openssl ?? '', certificates);
  });
  afterAll(async () => {
    await at?.close();
    rmSync(certificates, { recursive: true, force: true });
  });

  /** Runs in a folder with the files and a fresh token. */
  const run = (cloud: 'gcp' | 'azure', document: object | string, ...more: readonly string[]) =>
    inFreshFolder(async (folder) => {
      const token = await at.issuer.token(AUDIENCES[cloud]);
      writeFileSync(join(folder, 'token'), token);
      const file = typeof document === 'string' ? 'file.yaml' : 'file.json';
      const text = typeof document === 'string' ? document : JSON.stringify(document, undefined, 2);
      writeFileSync(join(folder, file), text);
      const args = ['doctor', `--${cloud}`, file, '--token-file', 'token', ...more];
      const ended = await jobpass(args, { folder, env: { NODE_EXTRA_CA_CERTS: at.ca } });
      const secret = token.split('.')[2] ?? '';
      expect(secret.length).toBeGreaterThan(40);
      expect(`${ended.stdout}${ended.stderr}`).not.toContain(secret);
      return ended;
    });

  const provider = (oidc: object = {}) => ({
    name: NAME,
    state: 'ACTIVE',
    oidc: { issuerUri: at.url, ...oidc },
    attributeMapping: { 'google.subject': 'assertion.sub' },
  });
  const bound = (oidc: object = {}) => ({
    provider: provider(oidc),
    bindings: { bindings: [{ role: 'roles/iam.workloadIdentityUser', members: [PRINCIPAL] }], etag: 'BwY', version: 1 },
  });
  const uploaded = async () => ({ jwksJson: await (await fetch(`${at.issuer.url}/.well-known/jwks`)).text() });
  const credential = (subject: string) => ({
    name: 'main',
    issuer: at.url,
    subject,
    audiences: [AUDIENCES.azure],
    description: '',
    id: '11111111-2222-4333-8444-555555555555',
  });

  describe('--gcp', () => {
    test('says that both ends agree, which binding is hit, and ends with 0', async () => {
      const { code, stdout, stderr } = await run('gcp', bound(), '--compatible');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^agree {2}file\.json and this token of https:\S+: \d+ checks hold, \d cannot be seen/);
      expect(stdout).toContain(`✓ binding        ${PRINCIPAL}`);
      expect(stdout).not.toContain('thumbprint');
    });

    test('reads what gcloud prints by default, YAML of the provider alone', async () => {
      const { code, stdout } = await run('gcp', stringify(provider()), '--compatible');
      expect(code).toBe(0);
      expect(stdout).toMatch(/– binding {8}the file has none.*\n +see: gcloud iam service-accounts get-iam-policy/);
    });

    test('tells Google itself, which must reach the issuer or have its keys, from an STS like it', async () => {
      const unreachable = await run('gcp', bound());
      expect(unreachable.code).toBe(1);
      expect(unreachable.stdout).toMatch(/✗ reachable .*only this machine reaches it: Google Cloud fetches/);
      const { code, stdout } = await run('gcp', bound(await uploaded()));
      expect(code).toBe(0);
      expect(stdout).toMatch(/✓ same keys {6}1 of 1 that the issuer publishes/);
    });

    test('says what disagrees and what to do, for programs too, and ends with 1', async () => {
      const document = bound({ allowedAudiences: ['another'] });
      const { code, stdout } = await run('gcp', document, '--compatible', '--json');
      expect(code).toBe(1);
      const fix = 'jobpass token --audience another';
      expect(JSON.parse(stdout)).toMatchObject({
        cloud: 'gcp',
        issuer: at.url,
        verdict: 'disagree',
        findings: expect.arrayContaining([expect.objectContaining({ check: 'audience', outcome: 'wrong', fix })]),
        explanation: { decision: 'deny' },
      });
    });
  });

  describe('--azure', () => {
    test('says that both ends agree, and ends with 0', async () => {
      const { code, stdout, stderr } = await run(
        'azure',
        [credential('another'), { ...credential(SUBJECT), name: 'second' }],
        '--compatible',
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/✓ credentials {4}2 of the 20/);
    });

    test('finds a subject that differs in case, and ends with 1', async () => {
      const document = [credential(SUBJECT.replace('main', 'Main'))];
      const { code, stdout } = await run('azure', document, '--compatible');
      expect(code).toBe(1);
      expect(stdout).toMatch(/✗ trust policy {3}sub does not hold: differs only in case \(file\.json:\d+\)/);
      expect(stdout).toMatch(new RegExp(`fix: write ${SUBJECT} \\(file\\.json:\\d+\\)`));
    });

    test('tells Azure itself, which must reach the issuer', async () => {
      const { code, stdout } = await run('azure', [credential(SUBJECT)]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/✗ reachable .*Azure fetches from the internet\n.*docs\/integrations\/azure\.md/);
    });
  });

  test.each([
    ['gcp', [], 'file.json is not one provider of a workload identity pool'],
    ['azure', [], 'file.json is not the federated credentials of one application'],
    ['azure', ['--gcp', 'file.json'], 'wanted one of --aws, --gcp and --azure, and --token-file'],
  ] as const)('--%s %j with another cloud’s document is a usage error', async (cloud, more, message) => {
    const document = cloud === 'gcp' ? credential(SUBJECT) : bound();
    const { code, stdout, stderr } = await run(cloud, document, ...more);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`jobpass: error: ${message}`);
  });
});
