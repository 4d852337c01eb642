import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../keys/certificate.ts';
import { loadPlan, readConfig } from './load.ts';
import type { LimitsPlan } from './plan.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobpass-config-'));
  writeFileSync(join(folder, 'kek'), `${Buffer.alloc(32, 1).toString('base64url')}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'secret'), 'a secret\n', { mode: 0o600 });
  writeFileSync(join(folder, 'open'), 'a secret\n');
  chmodSync(join(folder, 'open'), 0o640);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HASH = 'a'.repeat(64);
const KEYS = 'keys: { encryption_key: "file:kek" }';
const CI = `{ name: ci, secrets_sha256: ["${HASH}"], may: { jobs: { owners: [{ name: acme, id: "42" }] } } }`;
const ISSUER = `issuer:\n  url: http://127.0.0.1:8701\n  ${KEYS}\n  clients: [${CI}]\n`;
const TRUST = '{ issuer: "http://127.0.0.1:8701", network: loopback }';
const STS = `sts:\n  url: http://127.0.0.1:8702\n  ${KEYS}\n  trusted_issuers: [${TRUST}]\n`;
/** What each of several tenants must say. */
const NOTHING = 'issuers: [], gateways: [], resources: []';
const GATEWAY = `gateways:\n  - { name: web, listen: "127.0.0.1:8703", upstream: "http://127.0.0.1:1", sts: { url: "http://127.0.0.1:8702", network: loopback, secret: "file:secret" }, ${KEYS} }\n`;

/** A key and a certificate of it, as `tls.key` and `tls.pem`. */
function writeIdentity(): void {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const der = selfSignedCertificate({ privateKey, publicKey, algorithm: 'RS256', kid: 'tls', notBefore: 0 });
  writeFileSync(join(folder, 'tls.pem'), `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`);
  writeFileSync(join(folder, 'tls.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
}

function load(text: string): { paths: readonly string[]; messages: string; plan?: unknown } {
  writeFileSync(join(folder, 'jobpass.yaml'), text);
  const document = readConfig('jobpass.yaml', folder);
  const plan = document.ok ? loadPlan(document.value, { SET: 'from the environment' }) : document;
  if (plan.ok) return { paths: [], messages: '', plan: plan.value };
  return {
    paths: plan.error.map(({ path }) => path),
    messages: plan.error.map(({ message, hint }) => `${message} · ${hint ?? ''}`).join('\n'),
  };
}

test('a configuration of all three servers loads, defaults filled in', () => {
  const { plan, messages } = load(ISSUER + STS + GATEWAY);
  expect(messages).toBe('');
  expect(plan).toMatchObject({
    issuer: { settings: { algorithm: 'RS256', idTokenSeconds: 600, forks: { allow: false } }, listen: { port: 8701 } },
    sts: {
      settings: {
        clockSkewSeconds: 30,
        trustedIssuers: [{ audiences: ['http://127.0.0.1:8702'], jobStatus: { kind: 'none' } }],
      },
    },
    gateways: [{ settings: { name: 'web', group: 'web' } }],
  });
});

test('a tenant alone may give away everything that is trusted; several must each say what', () => {
  expect(load(STS).plan).toMatchObject({
    sts: { settings: { tenants: [{ tenant: 'main', issuers: ['http://127.0.0.1:8701'] }] } },
  });
  const { messages } = load(`${STS}  tenants: { a: {}, b: { issuers: [], gateways: [], resources: [] } }\n`);
  expect(messages.match(/is missing/g)).toHaveLength(3);
});

test('a server with a certificate serves https; what is no certificate of that key is one problem at its place', () => {
  const key = 'file:tls.key';
  const withTls = (text: string, tls: string): string => text.replace(KEYS, `${KEYS}\n  tls: ${tls}`);
  const https = STS.replace('http://127.0.0.1:8702', 'https://127.0.0.1:8702');
  writeIdentity();
  const { plan, messages } = load(withTls(https, `{ certificate: "file:tls.pem", key: "${key}" }`));
  expect(messages).toBe('');
  expect(plan).toMatchObject({ sts: { tls: { certificate: expect.stringMatching(/^-----BEGIN CERTIFICATE/) } } });
  expect(load(withTls(STS, `{ certificate: "file:tls.pem", key: "${key}" }`)).paths).toEqual(['sts.url']);
  expect(load(withTls(https, `{ certificate: "file:none.pem", key: "${key}" }`)).paths).toEqual([
    'sts.tls.certificate',
  ]);
  expect(load(withTls(https, '{ certificate: "file:tls.pem", key: "file:open" }')).paths).toEqual(['sts.tls.key']);
  expect(load(withTls(https, '{ certificate: "file:tls.pem", key: "file:secret" }')).paths).toEqual(['sts.tls']);
});

describe('is refused', () => {
  test.each([
    ['nothing to serve', 'limits: { clock_skew: 10s }\n', '', 'nothing to serve'],
    [
      'plain http beyond this machine',
      ISSUER.replace('http://127.0.0.1:8701', 'http://ci.example.com'),
      'issuer.url',
      'plain http is allowed on loopback only',
    ],
    [
      'a public server without an address to listen on',
      ISSUER.replace('http://127.0.0.1:8701', 'https://ci.example.com'),
      'issuer',
      'listen is missing',
    ],
    [
      'an ID token that lives too shortly',
      `${ISSUER}  id_tokens: { lifetime: 59s }\n`,
      'issuer.id_tokens.lifetime',
      'shorter than 1m',
    ],
    [
      'a key that signs before caches know it',
      ISSUER.replace(KEYS, `${KEYS.replace('}', ', publish_for: 10m }')}`),
      'issuer.keys.publish_for',
      'would not have met the key',
    ],
    [
      'keys that change faster than they are published',
      ISSUER.replace(KEYS, `${KEYS.replace('}', ', publish_for: 1h, rotate_every: 119m }')}`),
      'issuer.keys.rotate_every',
      'shorter than twice',
    ],
    [
      'two clients of one name',
      ISSUER.replace(`[${CI}]`, `[${CI}, ${CI.replace('acme', 'b').replace('42', '43')}]`),
      'issuer.clients[1].name',
      'two clients have this name',
    ],
    [
      'an owner with two controllers',
      ISSUER.replace(`[${CI}]`, `[${CI}, ${CI.replace('name: ci', 'name: ci2').replace('"42"', '"43"')}]`),
      'issuer.clients[1].may.jobs.owners[0]',
      'another controller holds the owner with name acme',
    ],
    [
      'a client that cannot prove itself',
      ISSUER.replace(`secrets_sha256: ["${HASH}"], `, ''),
      'issuer.clients[0]',
      'nothing to prove itself with',
    ],
    [
      'an AWS account without its zeros',
      `${STS}  tenants: { a: { aws_accounts: ["42"] } }\n`,
      'sts.tenants.a.aws_accounts[0]',
      '12 digits',
    ],
    [
      'an Azure tenant that is no tenant’s name',
      `${STS}  tenants: { a: { azure_tenants: [common] } }\n`,
      'sts.tenants.a.azure_tenants[0]',
      'an Azure tenant: a GUID or a domain name',
    ],
    [
      'an Azure tenant of two tenants, spelt twice',
      `${STS}  tenants: { a: { ${NOTHING}, azure_tenants: [a.example.com] }, b: { ${NOTHING}, azure_tenants: [A.example.com] } }\n`,
      'sts.tenants.b.azure_tenants[0]',
      'the Azure tenant is tenant a’s',
    ],
    [
      'an issuer listed twice',
      STS.replace(`[${TRUST}]`, `[${TRUST}, ${TRUST}]`),
      'sts.trusted_issuers[1].issuer',
      'listed twice',
    ],
    [
      'a feed without a client',
      STS.replace('network: loopback', 'network: loopback, job_status: feed'),
      'sts.trusted_issuers[0]',
      'needs to authenticate at the issuer',
    ],
    [
      'an issuer over plain http beyond this machine',
      STS.replace(', network: loopback', ''),
      'sts.trusted_issuers[0].issuer',
      'plain http is allowed on loopback only',
    ],
    [
      'a tenant with an issuer that is not trusted',
      `${STS}  tenants: { main: { issuers: ["https://other.example.com"] } }\n`,
      'sts.tenants.main.issuers[0]',
      'not a trusted issuer',
    ],
    [
      'a feed client of no gateway',
      `${STS}  clients: [{ name: web, secrets_sha256: ["${HASH}"], may: { feed: web } }]\n`,
      'sts.clients[0].may.feed',
      'no gateway of this name',
    ],
    [
      'a public key that is none',
      `${STS}  gateways: [{ name: web, public_keys: ["file:secret"] }]\n`,
      'sts.gateways[0].public_keys[0]',
      'is not a public key',
    ],
    [
      'a gateway that guards nothing',
      GATEWAY.replace('upstream: "http://127.0.0.1:1", ', ''),
      'gateways[0]',
      'the gateway guards nothing',
    ],
    [
      'a guard without an address to listen on',
      GATEWAY.replace('listen: "127.0.0.1:8703", ', ''),
      'gateways[0]',
      'listen is missing',
    ],
    [
      'an address that guards nothing',
      GATEWAY.replace('upstream: "http://127.0.0.1:1"', 'check: { listen: "127.0.0.1:8704", dialect: nginx }'),
      'gateways[0].listen',
      'upstream is missing',
    ],
    [
      'an upstream below a path',
      GATEWAY.replace('http://127.0.0.1:1"', 'http://127.0.0.1:1/base"'),
      'gateways[0].upstream',
      'origin without a path',
    ],
    [
      'two gateways of one name',
      GATEWAY + GATEWAY.replace('gateways:\n', ''),
      'gateways[1].name',
      'two gateways have this name',
    ],
    [
      'a secret that others may read',
      GATEWAY.replace('file:secret', 'file:open'),
      'gateways[0].sts.secret',
      'can be read or written by others',
    ],
    [
      'a secret that is not there',
      GATEWAY.replace('file:secret', 'env:UNSET'),
      'gateways[0].sts.secret',
      'UNSET is not set',
    ],
    ['a key that is none', STS.replace('file:kek', 'file:secret'), 'sts.keys.encryption_key', ''],
  ])('%s', (_what, text, path, message) => {
    const { paths, messages } = load(text);
    expect(paths).toContain(path);
    expect(messages).toContain(message);
  });

  test('with all its problems at once', () => {
    const elsewhere = ISSUER.replace('http://127.0.0.1', 'http://ci.example.com');
    const { paths } = load(elsewhere + STS.replace(', network: loopback', ''));
    expect(paths).toEqual(expect.arrayContaining(['issuer.url', 'sts.trusted_issuers[0].issuer']));
  });
});

test('plain http to another server is one problem with the one hint that helps', () => {
  const problems = (url: string, network: string) => {
    const text = GATEWAY.replace('http://127.0.0.1:8702', url).replace('network: loopback', `network: ${network}`);
    return load(text).messages;
  };
  const refused = 'plain http is allowed on loopback only';
  expect(problems('http://127.0.0.1:8702', 'public')).toBe(`${refused} · network: loopback`);
  expect(problems('http://sts.example.com', 'public')).toBe(`${refused} · https://…`);
  expect(problems('http://sts.example.com', 'loopback')).toBe(`${refused} · https://…`);
  expect(problems('http://127.0.0.1:8702', 'loopback')).toBe('');
});

test('a gateway that only answers a proxy needs no address of its own', () => {
  const check = 'check: { listen: "127.0.0.1:8704", dialect: nginx }';
  const { plan, messages } = load(GATEWAY.replace('listen: "127.0.0.1:8703", upstream: "http://127.0.0.1:1"', check));
  expect(messages).toBe('');
  expect(plan).toMatchObject({ gateways: [{ guardListen: null, checkListen: { port: 8704 } }] });
});

test('a secret may come from the environment', () => {
  expect(load(GATEWAY.replace('file:secret', 'env:SET')).messages).toBe('');
});

describe('limits', () => {
  const planned = (limits: string) => load(`${ISSUER}limits: ${limits}\n`).plan as { limits: LimitsPlan } | undefined;

  test('have defaults, whether the section is there or not', () => {
    const none = planned('{}')?.limits;
    expect(none).toMatchObject({
      trustedProxies: [],
      connectionsPerSource: 500,
      rates: { source: { perSecond: 1000, burst: 2000 }, job: { perSecond: 50, burst: 200 } },
      gatewayRates: { job: { perSecond: 500, burst: 2000 } },
    });
    expect((load(ISSUER).plan as { limits: LimitsPlan }).limits).toEqual(none);
  });

  test('are what the section says, a burst of two seconds unless it says so', () => {
    const rates = 'rates: { source: { per_second: 5 }, gateway_job: { per_second: 7, burst: 9 } }';
    const {
      gatewayRates,
      rates: own,
      trustedProxies,
    } = planned(`{ trusted_proxies: ["10.0.0.0/8"], ${rates} }`)?.limits ?? {};
    expect([own?.source, gatewayRates?.source]).toEqual(Array(2).fill({ perSecond: 5, burst: 10 }));
    expect(gatewayRates?.job).toEqual({ perSecond: 7, burst: 9 });
    expect(trustedProxies).toHaveLength(1);
  });

  test.each([
    ['{ trusted_proxies: ["10.0.0.0/33"] }', 'limits.trusted_proxies[0]'],
    ['{ trusted_proxies: [proxy.example.com] }', 'limits.trusted_proxies[0]'],
    ['{ rates: { source: { per_second: 0 } } }', 'limits.rates.source.per_second'],
    ['{ rates: { job: { per_second: 0.5 } } }', 'limits.rates.job.per_second'],
    ['{ rates: { client: { burst: 5 } } }', 'limits.rates.client.per_second'],
    ['{ connections_per_source: 0 }', 'limits.connections_per_source'],
  ])('%s is refused', (limits, path) => {
    expect(load(`${ISSUER}limits: ${limits}\n`).paths).toEqual([path]);
  });
});

test.each([
  [0o400, []],
  [0o440, []],
  [0o444, ['issuer.keys.encryption_key']],
])(
  'a credential of mode %o is read unless all may read it: an access list shows as rights of the group',
  (mode, paths) => {
    const credentials = mkdtempSync(join(folder, 'credentials-'));
    writeFileSync(join(credentials, 'kek'), Buffer.alloc(32, 1).toString('base64url'), { mode });
    chmodSync(join(credentials, 'kek'), mode);
    writeFileSync(join(folder, 'jobpass.yaml'), ISSUER.replace('file:kek', 'credential:kek'));
    const document = readConfig('jobpass.yaml', folder);
    const plan = document.ok ? loadPlan(document.value, { CREDENTIALS_DIRECTORY: credentials }) : document;
    expect(plan.ok ? [] : plan.error.map((problem) => problem.path)).toEqual(paths);
  },
);
