// `jobpass doctor --aws` as a person runs it, against an issuer that really listens. The token is in no output.
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireClient } from '../clients.ts';
import { ForeignIssuer } from '../fakes/foreign-issuer.ts';
import { listen } from '../fakes/guarded-resource.ts';
import { makePrivateCa } from '../fakes/private-ca.ts';
import { inFreshFolder, jobpass } from './jobpass.ts';

const openssl = requireClient('openssl');

const AUDIENCE = 'sts.amazonaws.com';
const SUBJECT = 'owner:acme@42:pipeline:web@7:ref:refs/heads/main';
const issuer = new ForeignIssuer();
beforeAll(() => issuer.start());
afterAll(() => issuer.close());

const policy = (subject: string): object => {
  const name = issuer.url.replace('http://', '');
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: `arn:aws:iam::111122223333:oidc-provider/${name}` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { [`${name}:sub`]: subject, [`${name}:aud`]: AUDIENCE } },
      },
    ],
  };
};
const described = (document: object | string): object => ({
  Role: { RoleName: 'deploy', MaxSessionDuration: 7200, AssumeRolePolicyDocument: document },
});

interface Options {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs in a folder with the files; `token` is a fresh one. */
const run = (args: readonly string[], files: Readonly<Record<string, string | object>> = {}, options: Options = {}) =>
  inFreshFolder(async (folder) => {
    const all = { 'role.json': described(policy(SUBJECT)), token: await issuer.token(AUDIENCE), ...files };
    for (const [name, content] of Object.entries(all))
      writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
    const ended = await jobpass(['doctor', ...args], { folder, ...options });
    const secret = String(all.token).split('.')[2]?.trim() ?? '';
    expect(secret.length).toBeGreaterThan(40);
    expect(`${ended.stdout}${ended.stderr}`).not.toContain(secret);
    return ended;
  });

describe('jobpass doctor', () => {
  test('says that both ends agree, one line for each check, and prints the thumbprint', async () => {
    const { code, stdout, stderr } = await run(['--aws', 'role.json', '--token-file', 'token', '--compatible']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [first = '', ...lines] = stdout.split('\n');
    expect(first).toMatch(
      /^agree {2}role\.json and this token of http:\S+: \d+ checks hold, \d cannot be seen from here$/,
    );
    expect(lines.filter((line) => /^ {2,4}[✓–] /.test(line)).length).toBeGreaterThan(15);
    expect(stdout).toMatch(/✓ session {8}up to 2 h/);
    expect(stdout).toContain(`  ${issuer.thumbprints()[0]}  `);
  });

  test('says what disagrees and what to do, and ends with 1', async () => {
    const files = { 'role.json': described(policy(SUBJECT.replace('main', 'Main'))) };
    const { code, stdout } = await run(['--aws', 'role.json', '--token-file', 'token', '--compatible'], files);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^disagree {2}role\.json .*: 1 of \d+ checks fail$/m);
    expect(stdout).toMatch(
      /✗ trust policy {3}127\.0\.0\.1:\d+:sub does not hold: differs only in case \(role\.json:\d+\)/,
    );
    expect(stdout).toMatch(new RegExp(`fix: write ${SUBJECT} \\(role\\.json:\\d+\\)`));
    expect(stdout).toMatch(/ {4}✗ 127\.0\.0\.1:\d+:sub {2}StringEquals\n/);
  });

  test('finds the line break that echo and > put behind a token', async () => {
    const files = { token: `${await issuer.token(AUDIENCE)}\n` };
    const { code, stdout } = await run(['--aws', 'role.json', '--token-file', 'token', '--compatible'], files);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ token file {5}ends with a line break/);
  });

  test('tells AWS itself from an STS like it', async () => {
    const { code, stdout } = await run(['--aws', 'role.json', '--token-file', 'token']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ issuer form .*http and a port: AWS takes https on its own port alone/);
    expect(stdout).toMatch(/✗ reachable .*only this machine reaches it: AWS fetches from the internet/);
  });

  test.each<[string, (document: object) => object | string]>([
    ['by itself', (document) => document],
    ['as aws iam get-role prints it', described],
    ['URL-encoded, as the API gives it', (document) => described(encodeURIComponent(JSON.stringify(document)))],
    ['as text in a role’s description', (document) => described(JSON.stringify(document))],
    ['as the one role of a list', (document) => ({ Roles: [{ AssumeRolePolicyDocument: document }] })],
  ])('reads the policy %s', async (_what, form) => {
    const files = { 'role.json': form(policy(SUBJECT)) };
    expect((await run(['--aws', 'role.json', '--token-file', 'token', '--compatible'], files)).code).toBe(0);
  });

  test('reads Ceph’s own form of a policy, without an account, for an STS that is not AWS', async () => {
    const files = { 'role.json': JSON.stringify(policy(SUBJECT)).replace('111122223333', '') };
    const args = ['--aws', 'role.json', '--token-file', 'token'];
    expect((await run([...args, '--compatible'], files)).code).toBe(0);
    const atAws = await run(args, files);
    expect([atAws.code, atAws.stderr]).toEqual([2, expect.stringContaining('Invalid principal in policy')]);
  });

  test('takes the token from stdin, and prints a report for programs', async () => {
    const token = await issuer.token(AUDIENCE);
    const args = ['--aws', 'role.json', '--token-file', '-', '--compatible', '--json'];
    const { code, stdout } = await run(args, { token }, { input: `${token}\n` });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      issuer: issuer.url,
      verdict: 'agree',
      thumbprints: [{ kind: 'x5c', sha1: issuer.thumbprints()[0] }],
      findings: expect.arrayContaining([{ check: 'algorithm', outcome: 'ok', detail: 'RS256' }]),
      explanation: { decision: 'allow' },
    });
  });

  test('ends with 4 when nothing disagrees and the issuer does not answer', async () => {
    const gone = new ForeignIssuer();
    await gone.start();
    const token = await gone.token(AUDIENCE);
    await gone.close();
    const name = gone.url.replace('http://', '');
    const files = { token, 'role.json': JSON.stringify(policy(SUBJECT)).replaceAll(issuer.url.slice(7), name) };
    const { code, stdout } = await run(['--aws', 'role.json', '--token-file', 'token', '--compatible'], files);
    expect(code).toBe(4);
    expect(stdout).toMatch(/^unavailable {2}/);
  });

  test.skipIf(openssl === undefined)('prints the chain of an https server, and trusts no unknown one', () =>
    inFreshFolder(async (certificates) => {
      const { ca, certificate, key } = makePrivateCa(openssl ?? '', certificates);
      const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
      const url = `https://localhost:${await listen(server)}`;
      const document = JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` });
      server.on('request', async ({ url: path }, answer) => {
        answer.end(path === '/keys' ? await (await fetch(`${issuer.url}/.well-known/jwks`)).text() : document);
      });
      try {
        const args = ['--aws', 'role.json', '--token-file', 'token', '--compatible', '--issuer-url', url];
        const trusting = await run(args, {}, { env: { NODE_EXTRA_CA_CERTS: ca } });
        expect(trusting.stdout).toContain('✓ tls            a chain of 2 that this machine trusts');
        const root = new X509Certificate(readFileSync(ca)).fingerprint.replaceAll(':', '').toLowerCase();
        expect(trusting.stdout).toContain(`  ${root}  a private CA (root)`);
        const other = await run(args);
        expect(other.stdout).toMatch(/✗ discovery {6}unreachable: localhost:\d+: \w*(?:CERT|SIGNATURE)\w*\n/);
        expect(other.stdout).not.toContain('thumbprints of the server');
      } finally {
        server.closeAllConnections();
        server.close();
      }
    }),
  );

  test.each([
    [[], 'wanted one of --aws, --gcp and --azure, and --token-file'],
    [['--aws', 'role.json'], 'wanted one of --aws, --gcp and --azure, and --token-file'],
    [['--aws', 'none.json', '--token-file', 'token'], 'there is no none.json'],
    [['--aws', 'role.json', '--token-file', 'none'], 'none cannot be read'],
    [['--aws', 'role.json', '--token-file', 'role.json'], 'role.json holds no token'],
    [['--aws', 'azure.json', '--token-file', 'token'], 'azure.json is not one AWS trust policy'],
    [['--aws', 'role.json', '--token-file', 'token', '--issuer-url', 'x'], '--issuer-url is no URL'],
  ])('%j is a usage error', async (args, message) => {
    const azure = { issuer: 'https://ci.example.com', subject: 'x', audiences: ['api://AzureADTokenExchange'] };
    const { code, stdout, stderr } = await run(args, { 'azure.json': azure });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`jobpass: error: ${message}`);
  });
});
