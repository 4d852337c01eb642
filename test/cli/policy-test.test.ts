// `jobpass policy test` as a person runs it: what it prints, what it leaves behind, how it ends.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeBase64url } from '../../src/base/jwt/base64url.ts';
import { inFreshFolder, jobpass } from './jobpass.ts';

const ROLE = `role: publish-web
trust:
  - issuer: https://token.actions.githubusercontent.com
    claims:
      repository_owner_id: "42"
      repository_id: "7"
      ref: refs/heads/main
session: { gateway: artifacts, max_duration: 10m }
permissions:
  - { effect: allow, actions: ["http:GET"], resources: ["arn:jobpass:http:::artifacts/*"] }
`;
const TESTS = `tests:
  - { name: main may publish, event: github push main, expect: allow }
  - { name: a branch may not, event: github push feature, expect: deny, failed_clause: ref }
  - { name: a fork gets no token, event: github pull request from a fork, expect: deny }
`;

type Files = Readonly<Record<string, string>>;

const PROJECT: Files = {
  'policies/main/publish-web.yaml': ROLE,
  'policies/main/publish-web.test.yaml': TESTS,
};

const write = (folder: string, files: Files): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
};

const run = (args: readonly string[], files: Files = {}) =>
  inFreshFolder((folder) => {
    write(folder, { ...PROJECT, ...files });
    return jobpass(['policy', 'test', ...args], { folder });
  });

const WRONG = { 'policies/main/publish-web.yaml': ROLE.replace('refs/heads/main', 'refs/heads/Main') };

describe('policy test', () => {
  test('answers first, then lists every test under its role', async () => {
    expect(await run([])).toEqual({
      code: 0,
      stderr: '',
      stdout: `3 passed, 0 failed

main/publish-web
  ✓ main may publish
  ✓ a branch may not
  ✓ a fork gets no token   no token: GitHub gives jobs of pull requests from forks no way to ask for a token
`,
    });
  });

  test('shows of a failure what the clause wanted, what it got, and where both stand', async () => {
    const { code, stdout } = await run([], WRONG);
    expect(code).toBe(1);
    expect(stdout).toBe(`2 passed, 1 failed

main/publish-web
  ✗ main may publish       policies/main/publish-web.test.yaml:2
      wanted allow, got deny
      ✗ ref   policies/main/publish-web.yaml:7
          wanted refs/heads/Main
          got    refs/heads/main   differs only in case
  ✓ a branch may not
  ✓ a fork gets no token   no token: GitHub gives jobs of pull requests from forks no way to ask for a token
`);
  });

  test('as JSON says the same to programs, and never a captured token’s claims', async () => {
    const token = [{ alg: 'RS256' }, { iss: 'https://token.actions.githubusercontent.com', email: 'ada@example.com' }]
      .map((part) => encodeBase64url(JSON.stringify(part)))
      .join('.');
    const { code, stdout } = await run(['--json'], {
      'policies/main/captured.jwt': `${token}.AAAA\n`,
      'policies/main/publish-web.test.yaml': `${TESTS}  - { name: captured, token_file: captured.jwt, expect: allow }\n`,
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      passed: 3,
      failed: 1,
      results: [
        { role: 'main/publish-web', name: 'main may publish', line: 2, passed: true, got: 'allow' },
        { passed: true },
        { passed: true, reason: 'token_missing' },
        { passed: false, mismatch: 'wanted allow, got deny', decisive: [{ subject: 'repository_owner_id' }] },
      ],
    });
    expect(stdout).not.toContain('ada@example.com');
  });

  test('writes JUnit XML, also when tests fail', () =>
    inFreshFolder(async (folder) => {
      write(folder, { ...PROJECT, ...WRONG });
      expect(await jobpass(['policy', 'test', '--junit', 'report.xml'], { folder })).toMatchObject({ code: 1 });
      expect(readFileSync(join(folder, 'report.xml'), 'utf8')).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="jobpass policy test" tests="3" failures="1" errors="0" skipped="0">
  <testsuite name="main/publish-web" tests="3" failures="1" errors="0" skipped="0">
    <testcase name="main may publish" classname="main/publish-web" file="policies/main/publish-web.test.yaml" line="2">
      <failure type="mismatch" message="wanted allow, got deny">policies/main/publish-web.test.yaml:2&#10;policies/main/publish-web.yaml:7 ref wanted refs/heads/Main   got refs/heads/main   differs only in case</failure>
    </testcase>
    <testcase name="a branch may not" classname="main/publish-web" file="policies/main/publish-web.test.yaml" line="3"/>
    <testcase name="a fork gets no token" classname="main/publish-web" file="policies/main/publish-web.test.yaml" line="4"/>
  </testsuite>
</testsuites>
`);
    }));

  test('shows with --coverage what no test made true or false, and fails on it only when asked to', async () => {
    const { code, stdout } = await run(['--coverage']);
    expect(code).toBe(0);
    expect(stdout).toContain(`coverage: 1 of 4 clauses were once true and once false
  policies/main/publish-web.yaml:3   main/publish-web   issuer: https://token.actions.githubusercontent.com   never false
  policies/main/publish-web.yaml:5   main/publish-web   repository_owner_id: 42                               never false
  policies/main/publish-web.yaml:6   main/publish-web   repository_id: 7                                      never false
`);
    expect(await run(['--require-coverage'])).toMatchObject({ code: 1 });
    const whole = `${TESTS}  - { name: another owner, event: github push, with: { owner_id: "43" }, expect: deny }
  - { name: another repository, event: github push, with: { repository_id: "8" }, expect: deny }
  - { name: another provider, event: gitlab push, expect: deny, failed_clause: issuer }
`;
    expect(await run(['--require-coverage'], { 'policies/main/publish-web.test.yaml': whole })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('coverage: 4 of 4'),
    });
    const untested = { 'policies/main/other.yaml': ROLE.replace('publish-web', 'other') };
    expect(
      await run(['--require-coverage'], { 'policies/main/publish-web.test.yaml': whole, ...untested }),
    ).toMatchObject({ code: 1, stdout: expect.stringContaining('  main/other has no test') });
  });

  test.each([['policies/main'], ['policies/main/publish-web.test.yaml'], ['policies/main/publish-web.yaml']])(
    'runs %s alone',
    async (path) => {
      const { code, stdout } = await run([path], { 'policies/other/broken.yaml': 'role: [' });
      expect(code).toBe(0);
      expect(stdout).toContain('3 passed, 0 failed\n\nmain/publish-web\n');
    },
  );

  test('of a file decides by the policy that the file names', async () => {
    const tests = `policy: ../policies/main/publish-web.yaml\n${TESTS}`;
    expect(await run(['checks'], { 'checks/any.test.yaml': tests, 'checks/unrelated.yaml': 'a: 1' })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('checks/publish-web'),
    });
    expect(await run(['checks'], { 'checks/any.test.yaml': `policy: lost.yaml\n${TESTS}` })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/checks\/any\.test\.yaml:1:9 .*lost\.yaml.*there is no such file/),
    });
  });

  const AZURE = `[
  { "name": "main", "issuer": "https://token.actions.githubusercontent.com", "audiences": ["api://AzureADTokenExchange"],
    "subject": "repo:acme/web:environment:Production" }
]
`;

  test('takes a cloud’s own document, without a server or an account', async () => {
    const tests = `policy: ../trust.json
with: { audience: "api://AzureADTokenExchange" }
tests:
  - { name: production may log in, event: github environment production, expect: allow }
  - { name: main may not, event: github push main, expect: deny, failed_clause: sub }
`;
    const { code, stdout } = await run(['checks'], { 'trust.json': AZURE, 'checks/trust.test.yaml': tests });
    expect(code).toBe(1);
    expect(stdout).toBe(`1 passed, 1 failed

checks/trust
  ✗ production may log in   checks/trust.test.yaml:4
      wanted allow, got deny
      ✗ sub   trust.json:3
          wanted repo:acme/web:environment:Production
          got    repo:acme/web:environment:production   differs only in case
  ✓ main may not
`);
  });

  test('of an AWS trust policy names its condition keys, and a deny statement that held', async () => {
    const statement = (effect: string, condition: object) => ({
      Effect: effect,
      Principal: { Federated: 'arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com' },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: condition,
    });
    const key = (name: string) => `token.actions.githubusercontent.com:${name}`;
    const statements = [
      statement('Allow', {
        StringEquals: { [key('aud')]: 'sts.amazonaws.com' },
        StringLike: { [key('sub')]: 'repo:acme/web:*' },
      }),
      statement('Deny', { StringLike: { [key('sub')]: '*:pull_request' } }),
    ];
    // As `aws iam get-role` prints it.
    const document = { Role: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: statements } } };
    const { code, stdout } = await run(['trust.json', '--coverage'], {
      'trust.json': JSON.stringify(document, null, 1),
      'trust.test.yaml': `policy: trust.json
with: { audience: sts.amazonaws.com }
tests:
  - { name: main, event: github push main, expect: allow }
  - { name: pull request, event: github pull request, expect: allow }
  - { name: others, event: github push, with: { owner: other }, expect: deny, failed_clause: "${key('sub')}" }
  - { name: audience, event: github push, with: { audience: x }, expect: deny, failed_clause: "${key('aud')}" }
  - { name: provider, event: gitlab push, expect: deny, failed_clause: issuer }
`,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^4 passed, 1 failed$/m);
    expect(stdout).toContain('wanted allow, got deny: a deny statement holds\n');
    expect(stdout).toContain('coverage: 5 of 5 clauses');
  });

  test('shows clauses of a document that a role names in that document', async () => {
    const role = ROLE.replace(/trust:[\s\S]*(?=session:)/, 'trust:\n  - azure_file: main.json\n');
    const files = { 'policies/main/publish-web.yaml': role, 'policies/main/main.json': AZURE };
    const { code, stdout } = await run(['--coverage'], files);
    expect(code).toBe(1);
    expect(stdout).toContain('policies/main/main.json:3 ');
    expect(await run([], { 'policies/main/publish-web.yaml': role })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/main\.json +there is no such file/),
    });
  });

  test('is a usage error when files are wrong, with every problem at its place, and runs nothing', async () => {
    const { code, stdout, stderr } = await run([], {
      'policies/main/publish-web.test.yaml': TESTS.replace('push main', 'pusch main').replace(
        'expect: deny',
        'expect: no',
      ),
      'policies/main/broken.yaml': 'role: broken\ntrust: []\n',
    });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('problems in 2 files');
    expect(stderr).toMatch(
      /publish-web\.test\.yaml:2:\d+ +tests\[0\]\.event +github pusch main +no event has this name +hint: github push/,
    );
    expect(stderr).toContain('policies/main/broken.yaml:2:8');
  });

  test.each([
    [['nowhere'], 'there is no nowhere'],
    [['a', 'b'], 'wanted one folder or file'],
    [['policies/other'], 'there are no tests'],
  ])('%j is a usage error', async (args, message) => {
    expect(await run(args, { 'policies/other/empty.txt': '' })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });

  test('with --watch runs again on every change, also after a broken one, and stops on Ctrl-C', () =>
    inFreshFolder(async (folder) => {
      write(folder, PROJECT);
      const main = resolve(import.meta.dirname, '../../src/app/cli/main.ts');
      // Its own report lies in the watched folder: writing it must not start another run.
      const child = spawn(process.execPath, [main, 'policy', 'test', '--watch', '--junit', 'policies/report.xml'], {
        cwd: folder,
        env: { PATH: process.env.PATH ?? '' },
      });
      let seen = '';
      const waiting = new Map<string, () => void>();
      const take = (chunk: Buffer): void => {
        seen += chunk;
        for (const [text, done] of waiting) if (seen.includes(text)) done();
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      const sees = (text: string) =>
        new Promise<void>((done) => {
          if (seen.includes(text)) done();
          else waiting.set(text, done);
        });
      const ended = new Promise<number | null>((done) => child.once('close', done));
      await sees('3 passed, 0 failed');
      expect(seen).toContain('Ctrl-C stops');
      write(folder, WRONG);
      await sees('2 passed, 1 failed');
      write(folder, { 'policies/main/publish-web.yaml': 'role: [' });
      await sees('problem in policies/main/publish-web.yaml');
      seen = '';
      write(folder, PROJECT);
      await sees('3 passed, 0 failed');
      child.kill('SIGINT');
      expect(await ended).toBe(0);
      expect(seen.match(/passed/g)).toHaveLength(1);
    }));
});
