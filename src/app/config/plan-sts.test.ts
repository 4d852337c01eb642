// What the STS section says of gateways by URL, and of clients that ask about tokens or end sessions.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPlan, readConfig } from './load.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-config-'));
  writeFileSync(join(folder, 'kek'), `${Buffer.alloc(32, 1).toString('base64url')}\n`, { mode: 0o600 });
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(folder, 'gateway.jwk'), JSON.stringify(publicKey.export({ format: 'jwk' })));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STS = `sts:
  url: http://127.0.0.1:8702
  keys: { encryption_key: "file:kek" }
  trusted_issuers: [{ issuer: "http://127.0.0.1:8701", network: loopback }]
`;
const gateway = (name: string, rest: string): string => `{ name: ${name}, public_keys: ["file:gateway.jwk"], ${rest} }`;
const client = (may: string): string => `{ name: rs, secrets_sha256: ["${'a'.repeat(64)}"], may: { ${may} } }`;

/** The settings, or where the problems are and what they are. */
function load(text: string) {
  writeFileSync(join(folder, 'jobpass.yaml'), `${STS}${text}\n`);
  const document = readConfig('jobpass.yaml', folder);
  const plan = document.ok ? loadPlan(document.value, {}) : document;
  return plan.ok ? plan.value.sts : plan.error.map(({ path, message }) => `${path}: ${message}`);
}

test('a gateway may have a URL, an origin; those of one URL are of one group', () => {
  const url = 'url: "https://artifacts.example.com"';
  const two = (other: string) =>
    load(`  gateways: [${gateway('a', `group: g, ${url}`)}, ${gateway('b', `group: ${other}, ${url}`)}]`);
  expect(load(`  gateways: [${gateway('a', 'group: g')}]`)).toMatchObject({ settings: { gateways: [{ url: null }] } });
  expect(two('g')).toMatchObject({ settings: { gateways: [{ url: 'https://artifacts.example.com' }, {}] } });
  expect(two('h')).toEqual(['sts.gateways[1].url: gateway a of another group has this URL']);
  expect(load(`  gateways: [${gateway('a', 'url: "https://artifacts.example.com/"')}]`)).toMatchObject([
    expect.stringMatching(/^sts\.gateways\[0\]\.url: /),
  ]);
});

test('audit records are kept for good and anchored nowhere unless the section says so; a day of them is never pruned', () => {
  expect(load('')).toMatchObject({ audit: { anchorPath: null, keepSeconds: null } });
  const anchorPath = join(folder, 'anchor');
  expect(load('  audit: { anchor: "file:anchor", keep: 400d }')).toMatchObject({
    audit: { anchorPath, keepSeconds: 400 * 86_400 },
  });
  expect(load('  audit: { keep: 23h }')).toEqual(['sts.audit.keep: records of the last day are never pruned']);
  expect(load('  audit: { anchor: anchor }')).toMatchObject([expect.stringMatching(/^sts\.audit\.anchor: /)]);
});

test('a client reads the whole audit trail only where its entry says so', () => {
  expect(load(`  clients: [${client('audit: true')}]`)).toMatchObject({ clients: [{ may: { audit: true } }] });
  expect(load(`  clients: [${client('read: [main]')}]`)).toMatchObject({ clients: [{ may: { audit: false } }] });
});

test('a client may ask about groups that there are, and end sessions of tenants; by itself it may neither', () => {
  const gateways = `  gateways: [${gateway('a', 'group: g')}]`;
  const mayOf = (may: string) => load(`${gateways}\n  clients: [${client(may)}]`);
  expect(mayOf('introspect: [g], revoke: [main]')).toMatchObject({
    clients: [{ may: { introspect: ['g'], revoke: ['main'], read: [], feed: null } }],
  });
  expect(mayOf('read: [main]')).toMatchObject({ clients: [{ may: { introspect: [], revoke: [] } }] });
  expect(mayOf('introspect: [g, a]')).toEqual([
    'sts.clients[0].may.introspect[1]: no registered gateway is in this group',
  ]);
});
