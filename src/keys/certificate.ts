// Self-signed certificates for `x5c` (RFC 7517 §4.7), written as DER. It only writes; node:crypto reads them back.
import { type KeyObject, sign, X509Certificate } from 'node:crypto';
import type { EpochSeconds } from '../base/core/time.ts';

const hex = (digits: string): Uint8Array => Buffer.from(digits, 'hex');

/** AlgorithmIdentifier of the signature (RFC 4055 §5, RFC 5758 §3.2). */
const SIGNATURE_ALGORITHMS = {
  RS256: hex('300d06092a864886f70d01010b0500'),
  ES256: hex('300a06082a8648ce3d040302'),
} as const;

/** Algorithms whose keys get a certificate; relying parties that ask for x5c know no EdDSA. */
export type CertifiedAlgorithm = keyof typeof SIGNATURE_ALGORITHMS;

const VERSION_3 = hex('a003020102');
const OID_COMMON_NAME = hex('0603550403');
/**
 * RFC 5280 §4.2.1.9, critical: no authority. There is no key usage: one without keyCertSign makes OpenSSL say that the
 * certificate did not sign itself, one with it would make it an authority.
 */
const EXTENSIONS = hex('a310300e300c0603551d130101ff04023000');
/** RFC 5280 §4.1.2.5: no well-defined end; the key is retired in the JWKS, not by a date here. */
const NO_END = '99991231235959Z';
const TAG = {
  sequence: 0x30,
  set: 0x31,
  integer: 0x02,
  bitString: 0x03,
  utf8: 0x0c,
  generalizedTime: 0x18,
  utcTime: 0x17,
};

/** One DER element; contents stay below 64 KiB. */
function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents);
  const { length } = body;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...header), body]);
}

/** RFC 5280 §4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050. */
function time(seconds: EpochSeconds): Uint8Array {
  const digits = `${new Date(seconds * 1000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  const isShort = Number(digits.slice(0, 4)) < 2050;
  return element(isShort ? TAG.utcTime : TAG.generalizedTime, Buffer.from(isShort ? digits.slice(2) : digits));
}

/** Positive, never zero, unique for the key: sixteen bytes of its thumbprint. */
function serialOf(kid: string): Uint8Array {
  const bytes = Buffer.from(kid, 'base64url').subarray(0, 16);
  return element(TAG.integer, Uint8Array.of(((bytes[0] ?? 0) & 0x3f) | 0x40, ...bytes.subarray(1)));
}

const nameOf = (commonName: string): Uint8Array =>
  element(
    TAG.sequence,
    element(TAG.set, element(TAG.sequence, OID_COMMON_NAME, element(TAG.utf8, Buffer.from(commonName, 'utf8')))),
  );

/**
 * A self-signed certificate of the key pair, base64 DER as `x5c` wants it. Its name is `jobpass <kid>`, valid from
 * `notBefore` without end. Relying parties such as Ceph RGW take the key out of it and trust its fingerprint.
 */
export function selfSignedCertificate(options: {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly algorithm: CertifiedAlgorithm;
  readonly kid: string;
  readonly notBefore: EpochSeconds;
}): string {
  const algorithm = SIGNATURE_ALGORITHMS[options.algorithm];
  const name = nameOf(`jobpass ${options.kid}`);
  const validity = element(TAG.sequence, time(options.notBefore), element(TAG.generalizedTime, Buffer.from(NO_END)));
  const publicKey = options.publicKey.export({ type: 'spki', format: 'der' });
  const serial = serialOf(options.kid);
  const body = element(TAG.sequence, VERSION_3, serial, algorithm, name, validity, name, publicKey, EXTENSIONS);
  // X.509 carries ECDSA signatures as DER, which is what node:crypto gives.
  const signature = element(TAG.bitString, Uint8Array.of(0), sign('sha256', body, options.privateKey));
  return Buffer.from(element(TAG.sequence, body, algorithm, signature)).toString('base64');
}

/** Whether `certificate` is the base64 DER of a certificate of exactly this public key; false for anything unreadable. */
export function certifies(certificate: string, publicKey: KeyObject): boolean {
  try {
    return new X509Certificate(Buffer.from(certificate, 'base64')).publicKey.equals(publicKey);
  } catch {
    return false;
  }
}
