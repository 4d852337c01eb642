import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBase64url } from '../../base/jwt/base64url.ts';
import { readPolicyTests } from './test-file.ts';

const NOW = 1_795_403_647;
const GITHUB = 'https://token.actions.githubusercontent.com';

const jwt = (claims: object): string =>
  `${encodeBase64url('{"alg":"RS256","kid":"k"}')}.${encodeBase64url(JSON.stringify(claims))}.AAAA`;

const TOKENS: Readonly<Record<string, string>> = {
  'captured.jwt': `${jwt({ iss: GITHUB, sub: 'repo:acme/web:ref:refs/heads/main', ref: 'refs/heads/main' })}\n`,
  'no-issuer.jwt': jwt({ sub: 'x' }),
  'garbage.jwt': 'not a token',
};

const read = (text: string, file = 'policies/main/publish-web.test.yaml') =>
  readPolicyTests(
    { file, text },
    {
      tenant: 'main',
      now: NOW,
      readToken: (path) => {
        const token = TOKENS[path];
        return token === undefined ? { ok: false, error: `${path} cannot be read` } : { ok: true, value: token };
      },
    },
  );
const testOf = (text: string) => {
  const file = read(text);
  if (!file.ok) throw new Error(JSON.stringify(file.error));
  const [first] = file.value.tests;
  if (first === undefined) throw new Error('no test');
  return first;
};
const problemsOf = (text: string) => {
  const file = read(text);
  return file.ok ? [] : file.error.map(({ line, path, message }) => `${line} ${path}: ${message}`);
};
const claimsOf = (body: string) => testOf(`tests:\n  - { name: a, expect: deny, ${body} }\n`).token;
const problemsIn = (body: string) => problemsOf(`tests:\n  - { name: a, expect: deny, ${body} }\n`);

describe('a test file', () => {
  test('as `jobpass init` writes it is read', () => {
    const claims = '{ owner_id: "42", pipeline_id: "7", ref: refs/heads/main }';
    expect(
      testOf(
        `tests:\n  - name: it may deploy\n    role: deploy\n    issuer: https://ci.example.com\n    claims: ${claims}\n    expect: allow\n`,
      ),
    ).toMatchObject({
      name: 'it may deploy',
      line: 2,
      role: { tenant: 'main', name: 'deploy' },
      token: { issuer: 'https://ci.example.com', claims: { iss: 'https://ci.example.com', owner_id: '42' } },
      now: NOW,
      expect: 'allow',
      reason: null,
      failedClause: null,
    });
  });

  test('tests the role that it is called after, or the policy that it names', () => {
    const body = 'tests: [{ name: a, event: github push, expect: deny }]';
    expect(testOf(body).role).toEqual({ tenant: 'main', name: 'publish-web' });
    expect(testOf(`policy: ../aws/trust.json\n${body}`).role).toEqual({ tenant: 'main', name: 'trust' });
    const named = read(`policy: ../aws/trust.json\n${body}`);
    expect(named).toMatchObject({ ok: true, value: { policy: { path: '../aws/trust.json' } } });
    expect(named.ok && named.value.policy?.problem('no such file')).toMatchObject({ line: 1, path: 'policy' });
  });

  test('says everything that is wrong with it at once, each with its place', () => {
    expect(
      problemsOf(`tests:
  - { name: a, event: github pusch, expect: deny }
  - { name: b, event: github push, with: { repositry: web }, expect: perhaps }
  - { name: c, token_file: lost.jwt, expect: allow, reason: no_rule_matched }
  - { name: d, expect: deny, claimz: {} }
`),
    ).toEqual([
      '2 tests[0].event: no event has this name',
      '3 tests[1].with.repositry: events of GitHub Actions have no parameter repositry',
      '3 tests[1].expect: wanted allow or deny',
      '4 tests[2].token_file: lost.jwt cannot be read',
      '4 tests[2].reason: only a refusal has one',
      '5 tests[3]: wanted claims with an issuer, an event, or a token_file',
      '5 tests[3].claimz: unknown key',
    ]);
  });

  test('without tests is refused', () => {
    expect(problemsOf('tests: []')).toHaveLength(1);
  });
});

describe('the token of a test', () => {
  test('is that of an event, with the file’s parameters, the test’s over them, and its claims over all', () => {
    const text = `with: { owner: acme-inc, owner_id: "43" }
tests:
  - { name: a, event: github push main, with: { owner_id: "44" }, claims: { ref_protected: "false" }, without: [jti], expect: deny }
  - { name: b, event: gitlab push, expect: deny }
`;
    const { token } = testOf(text);
    expect(token).toMatchObject({
      issuer: GITHUB,
      claims: { repository_owner: 'acme-inc', repository_owner_id: '44', ref_protected: 'false', iat: NOW },
    });
    expect(token).not.toHaveProperty('claims.jti');
  });

  test('is issued at the time that the test says', () => {
    const made = testOf('tests: [{ name: a, event: github push, at: "2026-11-23T03:14:07Z", expect: deny }]');
    expect(made.now).toBe(1_795_403_647);
    expect(
      testOf('tests: [{ name: a, event: github push, at: "2027-01-01T00:00:00Z", expect: deny }]').token,
    ).toMatchObject({
      claims: { iat: 1_798_761_600 },
    });
  });

  test('may be captured: its claims as they are, or with changes', () => {
    expect(claimsOf('token_file: captured.jwt')).toEqual({
      issuer: GITHUB,
      claims: { iss: GITHUB, sub: 'repo:acme/web:ref:refs/heads/main', ref: 'refs/heads/main' },
    });
    expect(claimsOf('token_file: captured.jwt, claims: { ref: refs/heads/next }')).toMatchObject({
      claims: { ref: 'refs/heads/next' },
    });
  });

  test('may be under another issuer than the provider’s usual one', () => {
    expect(claimsOf('event: github push, issuer: https://github.acme.example/_services/token')).toMatchObject({
      issuer: 'https://github.acme.example/_services/token',
      claims: { iss: 'https://github.acme.example/_services/token' },
    });
  });

  test('is none for a job that gets none', () => {
    expect(claimsOf('event: github pull request from a fork')).toMatchObject({ issuer: null });
  });

  test.each([
    ['claims: { ref: a }', 'tests[0].issuer: wanted the issuer of these claims'],
    [
      'event: github push, token_file: captured.jwt',
      'tests[0].token_file: wanted an event or a captured token, not both',
    ],
    ['token_file: no-issuer.jwt', 'tests[0].token_file: no-issuer.jwt: the token has no iss'],
    [
      'token_file: garbage.jwt',
      expect.stringContaining('tests[0].token_file: garbage.jwt: a compact JWS has three parts'),
    ],
    [
      'token_file: captured.jwt, issuer: https://a.example',
      'tests[0].issuer: a captured token names its issuer itself',
    ],
    ['issuer: https://a.example, claims: { a: b }, with: { a: b }', 'tests[0].with: only an event has parameters'],
    ['event: github push, without: [enviroment]', 'tests[0].without[0]: the token carries no such claim anyway'],
    [
      'event: github push, claims: { iss: https://a.example }',
      `tests[0].claims.iss: wanted ${GITHUB}, as the issuer is called`,
    ],
    [
      'event: github push, claims: { enviroment: production }',
      'tests[0].claims.enviroment: tokens of GitHub Actions carry no claim of this name',
    ],
    ['event: github push, at: tomorrow', 'tests[0].at: wanted a time such as 2026-11-23T03:14:07Z'],
    ['event: github push, reason: because', 'tests[0].reason: wanted a reason of docs/errors.md'],
    ['event: github push, with: { owner: 42 }', 'tests[0].with.owner: wanted text'],
    ['event: github push, with: { owner: "" }', 'tests[0].with.owner: wanted text that is not empty'],
  ])('with %s is refused', (body, problem) => {
    expect(problemsIn(body).map((line) => line.slice(2))).toEqual([problem]);
  });

  test('may carry claims that no table knows, as long as they are no misspelling', () => {
    expect(claimsOf('event: github push, claims: { repo_property_tier: gold, acme.example/team: web }')).toMatchObject({
      claims: { repo_property_tier: 'gold', 'acme.example/team': 'web' },
    });
  });

  test('parameters for all tests must mean something to one of them', () => {
    expect(problemsOf('with: { project: web }\ntests: [{ name: a, event: github push, expect: deny }]')).toEqual([
      '1 with.project: no event of this file has such a parameter',
    ]);
  });
});

describe('any text', () => {
  const VALID = `with: { owner: acme }
tests:
  - { name: a, event: github push main, claims: { ref: x }, without: [jti], at: "2026-11-23T03:14:07Z", expect: deny }
  - { name: b, token_file: captured.jwt, expect: deny, failed_clause: ref }
  - { name: c, event: jobpass-github local, with: { owner: "a:b", environment: "*" }, expect: allow }
`;

  test('is a test file or has problems with places; reading it never throws', () => {
    expect(read(VALID).ok).toBe(true);
    const mutated = fc
      .tuple(
        fc.nat(VALID.length),
        fc.nat(12),
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('{', '[', ': ', '"', '\n')),
      )
      .map(([at, cut, text]) => VALID.slice(0, at) + text + VALID.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), mutated), (text) => {
        const file = read(text);
        if (file.ok) expect(file.value.tests.length).toBeGreaterThan(0);
        else for (const problem of file.error) expect(problem.line).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
