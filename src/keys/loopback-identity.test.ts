// The development authority: node:crypto and OpenSSL take its one certificate for loopback names, and nothing else of it.
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireClient } from '../../test/clients.ts';
import { CountingRandom } from '../../test/fakes/counting-random.ts';
import { signCertificate } from './certificate.ts';
import { element, oid, TAG } from './der.ts';
import { keyUsage, lastAuthority, nameConstraints, noAuthority, subjectAltName } from './extensions.ts';
import { makeLoopbackIdentity } from './loopback-identity.ts';

const NOW = 1_790_000_000;
const DAY = 86_400;
const random = new CountingRandom();
const identity = makeLoopbackIdentity({ now: NOW, random });
const ca = new X509Certificate(identity.ca);
const certificate = new X509Certificate(identity.certificate);

describe('a loopback identity', () => {
  test('is a key, a certificate of it, and an authority that signed both', () => {
    expect(certificate.checkPrivateKey(createPrivateKey(identity.key.reveal()))).toBe(true);
    expect([certificate.verify(ca.publicKey), certificate.checkIssued(ca), certificate.ca]).toEqual([
      true,
      true,
      false,
    ]);
    expect([ca.verify(ca.publicKey), ca.ca, ca.checkPrivateKey(createPrivateKey(identity.key.reveal()))]).toEqual([
      ...[true, true, false],
    ]);
  });

  test('is for this machine’s names, for servers, for 30 days', () => {
    expect(certificate.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    expect([certificate.keyUsage, ca.keyUsage]).toEqual([['1.3.6.1.5.5.7.3.1'], ['1.3.6.1.5.5.7.3.1']]);
    for (const { validFrom, validTo } of [ca, certificate]) {
      expect(Date.parse(validFrom) / 1000).toBe(NOW - 300);
      expect(Date.parse(validTo) / 1000).toBe(NOW + 30 * DAY);
    }
  });

  test('is never made twice under one name', () => {
    const other = new X509Certificate(makeLoopbackIdentity({ now: NOW, random }).ca);
    expect([other.subject === ca.subject, other.publicKey.equals(ca.publicKey)]).toEqual([false, false]);
    expect(other.subject).toMatch(/^CN=Jobpass development CA [0-9a-f]{32}$/);
  });
});

test.each([
  ['2.5.29.19', '0603551d13'],
  ['1.2.840.113549.1.1.11', '06092a864886f70d01010b'],
  ['1.3.6.1.5.5.7.3.1', '06082b06010505070301'],
])('the identifier %s is written as it should be', (dotted, hex) => {
  expect(Buffer.from(oid(dotted)).toString('hex')).toBe(hex);
});

test.each([0, 0x7f, 0x80, 0xff, 0x100, 0xffff])('an element of %i bytes has the shortest length', (length) => {
  const header = Buffer.from(element(TAG.octetString, Buffer.alloc(length))).subarray(0, -length || undefined);
  const expected = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  expect([...header]).toEqual([TAG.octetString, ...expected]);
});

const openssl = requireClient('openssl');

describe.skipIf(openssl === undefined)('OpenSSL', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'jobpass-x509-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]): { status: number | null; text: string } => {
    const { status, stderr, stdout } = spawnSync(openssl ?? '', args, { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const pem = (der: Uint8Array): string => {
    const lines =
      Buffer.from(der)
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  };
  const verify = (authority: string, leaf: string, ...more: string[]) =>
    run(
      'verify',
      '-x509_strict',
      '-attime',
      String(NOW),
      '-CAfile',
      write('ca', authority),
      ...more,
      write('leaf', leaf),
    );

  test.each([
    ['-verify_hostname', 'localhost', 0],
    ['-verify_ip', '127.0.0.1', 0],
    ['-verify_ip', '::1', 0],
    ['-verify_hostname', 'example.com', 2],
    ['-verify_ip', '127.0.0.2', 2],
    ['-purpose', 'sslserver', 0],
    ['-purpose', 'sslclient', 2],
    ['-purpose', 'smimesign', 2],
    ['-attime', String(NOW + 31 * DAY), 2],
  ])('by its strictest rules, and %s %s, ends with %i', (option, value, status) => {
    expect(verify(identity.ca, identity.certificate, option, value).status).toBe(status);
  });

  test('reads every extension, the ones that must not be overlooked as critical', () => {
    const { text } = run('x509', '-noout', '-text', '-in', write('shown', identity.ca));
    for (const line of [
      /Basic Constraints: critical\n\s+CA:TRUE, pathlen:0/,
      /Key Usage: critical\n\s+Certificate Sign\n/,
      /Name Constraints: critical\n\s+Permitted:\n\s+DNS:localhost\n\s+IP:127\.0\.0\.1\/255\.255\.255\.255\n\s+IP:0:0:0:0:0:0:0:1\/FFFF:/,
      /Extended Key Usage: ?\n\s+TLS Web Server Authentication/,
    ])
      expect(text).toMatch(line);
  });

  test('takes no other name from an authority that is constrained', () => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const leafKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const common = { notBefore: NOW - 60, notAfter: NOW + 60, issuer: 'a CA', serial: random.bytes(16) };
    const signer = { privateKey: keys.privateKey, algorithm: 'ES256' } as const;
    const make = (subject: string, publicKey: typeof keys.publicKey, extensions: readonly Uint8Array[]): string =>
      pem(signCertificate({ ...common, subject, publicKey, extensions }, signer));
    const permitted = [{ dns: 'localhost' }, { address: Uint8Array.of(127, 0, 0, 1) }];
    const authority = make('a CA', keys.publicKey, [
      ...[lastAuthority(), keyUsage('certificates'), nameConstraints(permitted)],
    ]);
    const publicKey = createPublicKey(leafKeys.privateKey);
    const check = (leaf: string): string =>
      run('verify', '-attime', String(NOW), '-CAfile', write('ca', authority), write('leaf', leaf)).text;
    const named = (...names: Parameters<typeof subjectAltName>[0]): string =>
      check(make('a server', publicKey, [noAuthority(), subjectAltName(names)]));
    expect(named(...permitted)).toMatch(/: OK$/m);
    expect(named({ dns: 'example.com' })).toContain('permitted subtree violation');
    expect(named({ address: Uint8Array.of(127, 0, 0, 2) })).toContain('permitted subtree violation');
    expect(named({ dns: 'localhost' }, { dns: 'localhost.example.com' })).toContain('permitted subtree violation');
  });
});
