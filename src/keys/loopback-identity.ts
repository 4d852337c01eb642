// A server certificate for this machine's own names, and the authority that vouches for it and for nothing else ever again: its
// private key is dropped as soon as it has signed.
import { generateKeyPairSync } from 'node:crypto';
import { Secret } from '../base/core/secret.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { Random } from '../base/ports/random.ts';
import { type CertificateFields, signCertificate } from './certificate.ts';
import {
  authorityKeyId,
  type HostName,
  keyUsage,
  lastAuthority,
  nameConstraints,
  noAuthority,
  serverAuthentication,
  subjectAltName,
  subjectKeyId,
} from './extensions.ts';

/** What a listener on loopback proves itself with, and what its clients trust it by. All PEM. */
export interface LoopbackIdentity {
  readonly ca: string;
  readonly certificate: string;
  readonly key: Secret;
}

const LIFETIME_SECONDS = 30 * 86_400;
/** For clients whose clock is a little behind. */
const BACKDATED_SECONDS = 300;
const SERIAL_BYTES = 16;

/** `localhost`, 127.0.0.1 and ::1. */
const NAMES: readonly HostName[] = [
  { dns: 'localhost' },
  { address: Uint8Array.of(127, 0, 0, 1) },
  { address: Uint8Array.of(...Array(15).fill(0), 1) },
];

/**
 * A new authority and one certificate of it, both for 30 days. Whoever trusts the authority trusts it for servers under loopback
 * names alone (RFC 5280 §4.2.1.10), and there is no key left to make another with.
 */
export function makeLoopbackIdentity(o: { readonly now: EpochSeconds; readonly random: Random }): LoopbackIdentity {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = o.random.bytes(SERIAL_BYTES);
  // Two authorities never have one name: people have both of them in their trust stores for a while.
  const issuer = `Jobpass development CA ${Buffer.from(serial).toString('hex')}`;
  const validity = { notBefore: o.now - BACKDATED_SECONDS, notAfter: o.now + LIFETIME_SECONDS };
  const certify = (fields: Omit<CertificateFields, 'issuer' | 'notBefore' | 'notAfter'>): string => {
    const signer = { privateKey: authority.privateKey, algorithm: 'ES256' } as const;
    return pem(signCertificate({ ...fields, ...validity, issuer }, signer));
  };
  const ca = certify({
    subject: issuer,
    serial,
    publicKey: authority.publicKey,
    extensions: [
      ...[lastAuthority(), keyUsage('certificates'), serverAuthentication(), nameConstraints(NAMES)],
      subjectKeyId(authority.publicKey),
    ],
  });
  const certificate = certify({
    subject: 'localhost',
    serial: o.random.bytes(SERIAL_BYTES),
    publicKey: server.publicKey,
    extensions: [
      ...[noAuthority(), keyUsage('signatures'), serverAuthentication(), subjectAltName(NAMES)],
      ...[subjectKeyId(server.publicKey), authorityKeyId(authority.publicKey)],
    ],
  });
  return { ca, certificate, key: new Secret(server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()) };
}

/** RFC 7468 §5. */
function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
