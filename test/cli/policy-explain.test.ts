// `jobpass policy explain` as a person runs it: without a server, and with the fix on the screen.
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeBase64url } from '../../src/base/jwt/base64url.ts';
import { inFreshFolder, jobpass } from './jobpass.ts';

const GITHUB = 'https://token.actions.githubusercontent.com';
const TRUST = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" },
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": {
        "StringEquals": {
          "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
          "token.actions.githubusercontent.com:sub": "repo:Octo-Org/web:ref:refs/heads/main"
        }
      }
    }
  ]
}
`;
const CLAIMS = { iss: GITHUB, aud: 'sts.amazonaws.com', sub: 'repo:octo-org/web:ref:refs/heads/main' };
const role = (name: string, claims: string): string => `role: ${name}
trust:
  - issuer: ${GITHUB}
    claims: ${claims}
session: { gateway: artifacts }
permissions:
  - { effect: allow, actions: ["http:GET"], resources: ["arn:jobpass:http:::artifacts/*"] }
`;
const FILES: Readonly<Record<string, string>> = {
  'trust.json': TRUST,
  'claims.json': JSON.stringify(CLAIMS),
  'policies/main/publish.yaml': role('publish', '{ sub: "repo:octo-org/web:*", environment: production }'),
  'policies/main/preview.yaml': role('preview', '{ sub: "repo:octo-org/web:ref:refs/heads/**" }'),
};

interface Options {
  readonly files?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const run = (args: readonly string[], options: Options = {}) =>
  inFreshFolder((folder) => {
    for (const [path, text] of Object.entries({ ...FILES, ...options.files })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const input = options.input === undefined ? {} : { input: options.input };
    return jobpass(['policy', 'explain', ...args], { folder, env: options.env ?? {}, ...input });
  });

describe('policy explain', () => {
  test('shows in under a screen why an AWS policy refuses a GitHub token for one letter’s case, and the fix', async () => {
    const { code, stderr, stdout } = await run(['--policy', 'trust.json', '--claims', 'claims.json']);
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    expect(stdout.split('\n').length).toBeLessThanOrEqual(40);
    expect(stdout).toBe(`denied  trust.json
  token.actions.githubusercontent.com:sub does not hold: differs only in case (trust.json:11)

  ✓ issuer                                  ${GITHUB}
  ✓ Action                                  sts:AssumeRoleWithWebIdentity
  ✓ token.actions.githubusercontent.com:aud sts.amazonaws.com
  ✗ token.actions.githubusercontent.com:sub StringEquals
        wanted repo:Octo-Org/web:ref:refs/heads/main
        got    repo:octo-org/web:ref:refs/heads/main
        differs only in case

Fix  trust.json:11   token.actions.githubusercontent.com:sub
  there is   repo:Octo-Org/web:ref:refs/heads/main
  write      repo:octo-org/web:ref:refs/heads/main
                  ^    ^

Could any token of this issuer pass?  yes

Token         ${GITHUB}   sub repo:octo-org/web:ref:refs/heads/main
              claims as given: nothing was verified
`);
  });

  test('lets the token in once the fix is written', async () => {
    const files = { 'trust.json': TRUST.replace('Octo-Org', 'octo-org') };
    const { code, stdout } = await run(['--policy', 'trust.json', '--claims', '-'], {
      files,
      input: FILES['claims.json'] ?? '',
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^allowed {2}trust\.json\n/);
  });

  test('gives the same as JSON', async () => {
    const { code, stdout } = await run(['--policy', 'trust.json', '--claims', 'claims.json', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      decision: 'deny',
      issuer: GITHUB,
      roles: [{ role: 'trust.json', fixes: [{ line: 11, write: 'repo:octo-org/web:ref:refs/heads/main' }] }],
    });
  });

  test('takes every role of the default folder, or one of them with its nearest', async () => {
    const all = await run(['--claims', 'claims.json']);
    expect(all).toMatchObject({ code: 0, stdout: expect.stringMatching(/^allowed {2}main\/preview/) });
    expect(all.stdout).toContain('✗ main/publish');
    const one = await run(['--claims', 'claims.json', '--role', 'publish']);
    expect(one).toMatchObject({ code: 3, stdout: expect.stringMatching(/^denied {2}main\/publish/) });
    expect(one.stdout).toContain('Nearest role  main/preview   (all clauses hold; not asked for)');
  });

  test('decodes a token and says that nothing of it was verified', async () => {
    const part = (value: unknown): string => encodeBase64url(JSON.stringify(value));
    const token = `${part({ alg: 'RS256', kid: 'x' })}.${part(CLAIMS)}.${encodeBase64url('no signature')}`;
    const { code, stdout } = await run(['--policy', 'trust.json', '--token-file', '-'], { input: `${token}\n` });
    expect(code).toBe(3);
    expect(stdout).toContain('decoded only: neither signature nor times were verified');
    expect(stdout).not.toContain(token);
  });

  test('asks the STS for the claims of a decision, and answers by the policies that are here', async () => {
    const decision = {
      id: 'D9XM40KQZ7HT8',
      at: 1,
      outcome: 'refused',
      wire: 'rfc8693',
      issuer: GITHUB,
      claims: CLAIMS,
    };
    const asked: (string | undefined)[] = [];
    await inFreshFolder(async (folder) => {
      const socket = join(folder, 'operator.sock');
      const server = createServer((request, response) => {
        asked.push(request.url);
        const known = request.url === '/admin/v1/decisions/D9XM';
        const body = known
          ? { decision: { ...decision, role: { tenant: 'main', name: 'publish' }, remoteAddress: '192.0.2.1' } }
          : { message: 'no decision has this id' };
        response.writeHead(known ? 200 : 404).end(JSON.stringify(body));
      }).listen(socket);
      await once(server, 'listening');
      try {
        const operator = { socket, client: 'operator', secret: 'x'.repeat(43) };
        const path = join(folder, 'operator.json');
        writeFileSync(path, JSON.stringify(operator), { mode: 0o600 });
        const ask = (id: string) => run(['--decision', id], { env: { JOBPASS_OPERATOR_FILE: path } });
        const { code, stdout } = await ask('d9xm');
        expect(code).toBe(3);
        expect(stdout).toMatch(/^denied {2}main\/publish/);
        expect(stdout).toContain('as verified for decision D9XM40KQZ7HT8, by the policies as they are here');
        expect(await ask('D0')).toMatchObject({ code: 1, stderr: expect.stringContaining('no decision has this id') });
      } finally {
        server.close();
      }
    });
    expect(asked).toEqual(['/admin/v1/decisions/D9XM', '/admin/v1/decisions/D0']);
  });

  test.each([
    [[], 'wanted one of --claims, --token-file and --decision'],
    [['--claims', 'claims.json', '--token-file', '-'], 'wanted one of --claims, --token-file and --decision'],
    [['--claims', 'none.json'], 'none.json cannot be read'],
    [['--claims', 'trust.json'], 'the claims name no issuer'],
    [['--claims', 'claims.json', '--policy', 'none'], 'there is no none'],
    [['--claims', 'claims.json', '--policy', 'claims.json'], '1 problem in claims.json'],
    [['--claims', 'claims.json', '--role', 'none'], 'there is no role none'],
    [['--token-file', 'claims.json'], 'claims.json holds no token'],
  ])('%j is a usage error', async (args, message) => {
    const { code, stderr, stdout } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`jobpass: error: ${message}`);
  });
});
