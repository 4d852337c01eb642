import { describe, expect, it } from 'vitest';
import { ISSUER, roleText, wideCeiling } from '../../../test/fakes/roles.ts';
import type { Claims } from '../../base/core/json.ts';
import { err, ok } from '../../base/core/result.ts';
import type { Problem } from '../../base/document/problem.ts';
import { decide } from '../decide.ts';
import { buildPolicySet } from '../policy-set.ts';
import type { Ceiling, Role } from '../role.ts';
import { readRole } from './jobpass.ts';
import type { ReadFile } from './jobpass-trust.ts';

const OTHER = 'https://other.example.com';
const CREDENTIAL = `{ issuer: ${ISSUER}, subject: "owner:acme@42", audiences: [api://AzureADTokenExchange] }`;

const read = (trust: string, o: { readFile?: ReadFile; ceiling?: Ceiling } = {}) =>
  readRole(
    { tenant: 'main', file: 'policies/main/publish-web.yaml', text: roleText({ trust }) },
    o.ceiling ?? wideCeiling(),
    o.readFile === undefined ? {} : { readFile: o.readFile },
  );
const roleOf = (trust: string, readFile?: ReadFile): Role => {
  const role = read(trust, readFile === undefined ? {} : { readFile });
  if (!role.ok) throw new Error(JSON.stringify(role.error));
  return role.value;
};
const problemsOf = (trust: string, o: Parameters<typeof read>[1] = {}): readonly Problem[] => {
  const role = read(trust, o);
  return role.ok ? [] : role.error;
};
const messagesOf = (trust: string, o: Parameters<typeof read>[1] = {}): readonly string[] =>
  problemsOf(trust, o).map(({ file, path, message }) => `${file.split('/').at(-1)} ${path}: ${message}`);
const ask = (role: Role, claims: Claims, issuer = ISSUER) =>
  decide(buildPolicySet([role]), { role: role.ref, issuer, claims, now: 0 });

describe('an expression in a trust entry', () => {
  const WHEN = `[{ issuer: ${ISSUER}, claims: { a: b }, when: 'claims.run_attempt == "1"' }]`;

  it('holds beside the claims, and is shown as a clause of its own', () => {
    const role = roleOf(WHEN);
    expect(ask(role, { a: 'b', run_attempt: '1' }).allow).toBe(true);
    expect(ask(role, { a: 'c', run_attempt: '1' }).allow).toBe(false);
    const refused = ask(role, { a: 'b', run_attempt: '2' });
    expect(refused.allow).toBe(false);
    expect(refused.trace?.rules[0]?.clauses.at(-1)).toEqual({
      subject: 'when',
      operator: 'when',
      wanted: ['claims.run_attempt == "1"'],
      line: 2,
      outcome: 'failed',
    });
  });

  it('that fails to evaluate is a no that says why', () => {
    const refused = ask(roleOf(WHEN), { a: 'b' });
    expect(refused).toMatchObject({ allow: false, reason: 'no_rule_matched' });
    expect(refused.trace?.rules[0]?.clauses.at(-1)).toMatchObject({ outcome: 'failed', problem: expect.any(String) });
    expect(refused.allow ? '' : refused.detail).toContain('when wanted claims.run_attempt == "1"');
  });

  it('stands alone beside an issuer, and does not lift the safe defaults', () => {
    const role = roleOf(`[{ issuer: ${ISSUER}, when: 'claims.fork == "true" || claims.a == "b"' }]`);
    expect(ask(role, { a: 'b', fork: 'false' }).allow).toBe(true);
    expect(ask(role, { a: 'b', fork: 'true' }).allow).toBe(false);
    expect(ask(role, { a: 'b', fork: 'false' }, OTHER).allow).toBe(false);
  });

  it('makes it unknown whether any token of the issuer could pass', () => {
    const role = roleOf(WHEN);
    expect(ask(role, { a: 'z' }).trace?.satisfiable).toBe('unknown');
    expect(ask(role, { a: 'z' }, OTHER).trace?.satisfiable).toBe('no');
    const two = roleOf(`[{ issuer: ${ISSUER}, when: 'false' }, { issuer: ${ISSUER}, claims: { a: b } }]`);
    expect(ask(two, { a: 'z' }).trace?.satisfiable).toBe('yes');
  });

  it.each([
    ["'claims.'", /^publish-web.yaml trust\[0\]\.when: /],
    ['\'env.x == "1"\'', /^publish-web.yaml trust\[0\]\.when: .*env/],
    [`'${'1+'.repeat(3000)}1 == 1'`, /longer than 4096 characters/],
    ['""', /wanted text that is not empty/],
    ['1', /wanted text/],
  ])('is refused where it is no expression over claims: %s', (when, message) => {
    expect(messagesOf(`[{ issuer: ${ISSUER}, when: ${when} }]`).join('\n')).toMatch(message);
  });
});

describe('a cloud’s document in a trust entry', () => {
  it('lets in what that cloud would, any one entry sufficing', () => {
    const role = roleOf(`[{ issuer: ${OTHER}, claims: { a: b } }, { azure: ${CREDENTIAL} }]`);
    const token = { sub: 'owner:acme@42', aud: 'api://AzureADTokenExchange' };
    expect(role.trust.map((trust) => trust.dialect)).toEqual(['jobpass', 'azure']);
    expect(ask(role, token).allow).toBe(true);
    expect(ask(role, { ...token, sub: 'owner:Acme@42' }).allow).toBe(false);
  });

  it('may stand in a file of its own, which the traces then name and the digest covers', () => {
    const document = '{"name": "web",\n "issuer": "https://ci.example.com",\n "subject": "x"}';
    const files =
      (text: string): ReadFile =>
      (path) =>
        path === 'clouds/web.json' ? ok(text) : err(`no ${path}`);
    const trust = '[{ azure_file: clouds/web.json }]';
    const role = roleOf(trust, files(document));
    expect(ask(role, { sub: 'x', aud: 'api://AzureADTokenExchange' }).allow).toBe(true);
    expect(ask(role, { sub: 'X' }).trace?.rules[0]).toMatchObject({ file: 'policies/main/clouds/web.json', line: 1 });
    expect(role.digest).toBe(roleOf(trust, files(document)).digest);
    expect(role.digest).not.toBe(roleOf(trust, files(document.replace('"x"', '"y"'))).digest);
  });

  it('is refused with its own problems, in its own file', () => {
    const readFile: ReadFile = () => ok('{"issuer": "https://ci.example.com",\n "subject": 1}');
    const [problem, ...more] = problemsOf('[{ azure_file: web.json }]', { readFile });
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ file: 'policies/main/web.json', line: 2, path: 'subject' });
    expect(messagesOf(`[{ azure: { issuer: ${ISSUER} } }]`)).toEqual([
      'publish-web.yaml trust[0].azure.subject: wanted text',
    ]);
    expect(messagesOf('[{ azure_file: web.json }]', { readFile: () => ok('[') })).toHaveLength(1);
    expect(messagesOf('[{ azure_file: web.json }]', { readFile: () => err('no such file') })).toEqual([
      'publish-web.yaml trust[0].azure_file: no such file',
    ]);
    expect(messagesOf('[{ azure_file: web.json }]')).toEqual([
      'publish-web.yaml trust[0].azure_file: files cannot be read here',
    ]);
  });

  it.each([
    '../other/web.json',
    '/etc/web.json',
    'a/../../web.json',
    './web.json',
    'a//web.json',
    'a/.hidden/web.json',
    'a\\web.json',
    'web.yaml',
    `${'a/'.repeat(130)}web.json`,
  ])('is not read from %s', (path) => {
    const readFile: ReadFile = () => {
      throw new Error('it was read');
    };
    expect(messagesOf(`[{ azure_file: '${path}' }]`, { readFile })).toHaveLength(1);
  });

  it('is the whole of its entry', () => {
    expect(messagesOf(`[{ issuer: ${ISSUER}, azure: ${CREDENTIAL}, azure_file: web.json }]`)).toEqual([
      'publish-web.yaml trust[0].issuer: has no place beside azure: wanted an entry of its own',
      'publish-web.yaml trust[0].azure_file: has no place beside azure: wanted an entry of its own',
    ]);
    expect(messagesOf('[{}]')).toEqual([
      'publish-web.yaml trust[0].issuer: wanted text',
      'publish-web.yaml trust[0].claims: wanted claims, when, or both: a rule without any lets everyone in',
    ]);
    expect(messagesOf(`[{ cloud: ${CREDENTIAL} }]`).join('\n')).toContain('trust[0].cloud: unknown key');
  });

  it('stays within the ceiling of its tenant', () => {
    const ceiling = { ...wideCeiling(), issuers: [OTHER] };
    expect(messagesOf(`[{ azure: ${CREDENTIAL} }]`, { ceiling })).toEqual([
      'publish-web.yaml trust[0].azure: beyond the ceiling of tenant main',
    ]);
  });

  it('counts against the bound on clauses', () => {
    const values = Array.from({ length: 1001 }, (_, index) => `"v${index}"`).join(', ');
    expect(messagesOf(`[{ azure: { issuer: ${ISSUER}, audiences: [${values}] } }]`)).toContain(
      'publish-web.yaml : holds more than 1000 clauses',
    );
  });
});
