// X.509 certificates (RFC 5280), written as DER: the self-signed ones of `x5c` (RFC 7517 §4.7) and whatever else is signed here.
// It only writes; node:crypto reads them back.
import { type KeyObject, sign, X509Certificate } from 'node:crypto';
import type { EpochSeconds } from '../base/core/time.ts';
import { constructedTag, element, noEnd, oid, sequence, TAG, time } from './der.ts';
import { noAuthority } from './extensions.ts';

const NULL = Uint8Array.of(0x05, 0x00);

/** AlgorithmIdentifier of the signature (RFC 4055 §5, RFC 5758 §3.2). */
const SIGNATURE_ALGORITHMS = {
  RS256: sequence(oid('1.2.840.113549.1.1.11'), NULL),
  ES256: sequence(oid('1.2.840.10045.4.3.2')),
} as const;

/** Algorithms whose keys get a certificate; relying parties that ask for x5c know no EdDSA. */
export type CertifiedAlgorithm = keyof typeof SIGNATURE_ALGORITHMS;

const VERSION_3 = constructedTag(0, element(TAG.integer, Uint8Array.of(2)));

/** What a certificate says. */
export interface CertificateFields {
  /** Common names, which are all of the names. */
  readonly subject: string;
  readonly issuer: string;
  /** Sixteen bytes, never used twice by an issuer. */
  readonly serial: Uint8Array;
  readonly notBefore: EpochSeconds;
  /** Null: it has no end. */
  readonly notAfter: EpochSeconds | null;
  readonly publicKey: KeyObject;
  /** From extensions.ts, at least one. */
  readonly extensions: readonly Uint8Array[];
}

/** The certificate, DER, signed by the issuer's key. Precondition: the key is one of the algorithm. */
export function signCertificate(
  fields: CertificateFields,
  issuer: { readonly privateKey: KeyObject; readonly algorithm: CertifiedAlgorithm },
): Uint8Array {
  const algorithm = SIGNATURE_ALGORITHMS[issuer.algorithm];
  const body = sequence(
    VERSION_3,
    serialNumber(fields.serial),
    algorithm,
    nameOf(fields.issuer),
    sequence(time(fields.notBefore), fields.notAfter === null ? noEnd() : time(fields.notAfter)),
    nameOf(fields.subject),
    fields.publicKey.export({ type: 'spki', format: 'der' }),
    constructedTag(3, sequence(...fields.extensions)),
  );
  // X.509 carries ECDSA signatures as DER, which is what node:crypto gives.
  const signature = element(TAG.bitString, Uint8Array.of(0), sign('sha256', body, issuer.privateKey));
  return sequence(body, algorithm, signature);
}

/** RFC 5280 §4.1.2.2: positive and never zero. */
function serialNumber(bytes: Uint8Array): Uint8Array {
  const [first = 0, ...rest] = bytes;
  return element(TAG.integer, Uint8Array.of((first & 0x3f) | 0x40, ...rest));
}

const nameOf = (commonName: string): Uint8Array =>
  sequence(element(TAG.set, sequence(oid('2.5.4.3'), element(TAG.utf8, Buffer.from(commonName, 'utf8')))));

const SERIAL_BYTES = 16;

/**
 * A self-signed certificate of the key pair, base64 DER as `x5c` wants it. Its name is `jobpass <kid>`, valid from
 * `notBefore` without end: the key is retired in the JWKS, not by a date. Relying parties such as Ceph RGW take the key out of it and
 * trust its fingerprint. It has no key usage: one without keyCertSign makes OpenSSL say that the certificate did not sign itself,
 * one with it would make it an authority.
 */
export function selfSignedCertificate(options: {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly algorithm: CertifiedAlgorithm;
  readonly kid: string;
  readonly notBefore: EpochSeconds;
}): string {
  const { kid, notBefore, publicKey } = options;
  const name = `jobpass ${kid}`;
  const fields = { subject: name, issuer: name, notBefore, notAfter: null, publicKey, extensions: [noAuthority()] };
  // Unique for the key: bytes of its thumbprint.
  const serial = Buffer.from(kid, 'base64url').subarray(0, SERIAL_BYTES);
  return Buffer.from(signCertificate({ ...fields, serial }, options)).toString('base64');
}

/** Whether `certificate` is the base64 DER of a certificate of exactly this public key; false for anything unreadable. */
export function certifies(certificate: string, publicKey: KeyObject): boolean {
  try {
    return new X509Certificate(Buffer.from(certificate, 'base64')).publicKey.equals(publicKey);
  } catch {
    return false;
  }
}
