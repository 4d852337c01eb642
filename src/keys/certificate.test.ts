import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type CertifiedAlgorithm, certifies, selfSignedCertificate } from './certificate.ts';

const KEYS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
} as const;
const KID = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';

const make = (algorithm: CertifiedAlgorithm, notBefore = 1_790_000_000): string =>
  selfSignedCertificate({ ...KEYS[algorithm], algorithm, kid: KID, notBefore });
const read = (certificate: string): X509Certificate => new X509Certificate(Buffer.from(certificate, 'base64'));

describe.each(['RS256', 'ES256'] as const)('a self-signed %s certificate', (algorithm) => {
  const certificate = read(make(algorithm));

  it('is of this key and signed by it', () => {
    expect(certificate.publicKey.equals(KEYS[algorithm].publicKey)).toBe(true);
    expect(certificate.verify(KEYS[algorithm].publicKey)).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
  });

  it('names the key, is no authority, and has no end', () => {
    expect(certificate.subject).toBe(`CN=jobpass ${KID}`);
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certificate.ca).toBe(false);
    expect(Date.parse(certificate.validFrom)).toBe(1_790_000_000_000);
    expect(certificate.validTo).toBe('Dec 31 23:59:59 9999 GMT');
    expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it('can be made after 2049', () => {
    expect(read(make(algorithm, 2_600_000_000)).validFrom).toContain('2052');
  });
});

describe('whether a certificate is of a key', () => {
  it('is said of exactly that key', () => {
    expect(certifies(make('ES256'), KEYS.ES256.publicKey)).toBe(true);
    expect(
      certifies(make('ES256'), createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)),
    ).toBe(false);
    expect(certifies('bm90IGEgY2VydGlmaWNhdGU=', KEYS.ES256.publicKey)).toBe(false);
  });
});
