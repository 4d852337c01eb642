// The extensions of certificates (RFC 5280 §4.2.1) that are written here, and no others.
import { hash, type KeyObject } from 'node:crypto';
import { constructedTag, element, oid, primitiveTag, sequence, TAG } from './der.ts';

const TRUE = element(TAG.boolean, Uint8Array.of(0xff));

function extension(id: string, value: Uint8Array, isCritical = false): Uint8Array {
  const content = element(TAG.octetString, value);
  return isCritical ? sequence(oid(id), TRUE, content) : sequence(oid(id), content);
}

/** §4.2.1.9: the certificate's key signs no other certificates. */
export const noAuthority = (): Uint8Array => extension('2.5.29.19', sequence(), true);

/** §4.2.1.9: the key signs certificates, none of which is an authority itself. */
export const lastAuthority = (): Uint8Array =>
  extension('2.5.29.19', sequence(TRUE, element(TAG.integer, Uint8Array.of(0))), true);

/** §4.2.1.3, by bits from the left: digitalSignature is the first, keyCertSign the sixth. */
const KEY_USES = { signatures: [7, 0x80], certificates: [2, 0x04] } as const;

/** §4.2.1.3: the one use of the key. */
export const keyUsage = (use: keyof typeof KEY_USES): Uint8Array =>
  extension('2.5.29.15', element(TAG.bitString, Uint8Array.of(...KEY_USES[use])), true);

/** §4.2.1.12: servers' TLS and nothing else; of an authority, its certificates' as well. */
export const serverAuthentication = (): Uint8Array => extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1')));

/** A name that servers are reached by. Addresses are in network order: four bytes or sixteen. */
export type HostName = { readonly dns: string } | { readonly address: Uint8Array };

/** §4.2.1.6: the names of the certificate's server. */
export const subjectAltName = (names: readonly HostName[]): Uint8Array =>
  extension('2.5.29.17', sequence(...names.map((name) => generalName(name, (address) => address))));

/**
 * §4.2.1.10: the only names that certificates of this authority may have; of a DNS name those below it too, of an address it alone.
 */
export function nameConstraints(permitted: readonly HostName[]): Uint8Array {
  const wholeMask = (address: Uint8Array): Uint8Array => Buffer.concat([address, Buffer.alloc(address.length, 0xff)]);
  const subtrees = permitted.map((name) => sequence(generalName(name, wholeMask)));
  return extension('2.5.29.30', sequence(constructedTag(0, ...subtrees)), true);
}

const generalName = (name: HostName, ofAddress: (address: Uint8Array) => Uint8Array): Uint8Array =>
  'dns' in name ? primitiveTag(2, Buffer.from(name.dns, 'ascii')) : primitiveTag(7, ofAddress(name.address));

/** RFC 7093 §2, method 4: 160 bits of SHA-256 over the public key as it stands in the certificate. */
const keyId = (publicKey: KeyObject): Uint8Array =>
  hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'buffer').subarray(0, 20);

/** §4.2.1.2: which key the certificate is of. */
export const subjectKeyId = (publicKey: KeyObject): Uint8Array =>
  extension('2.5.29.14', element(TAG.octetString, keyId(publicKey)));

/** §4.2.1.1: which key the certificate is signed by. */
export const authorityKeyId = (publicKey: KeyObject): Uint8Array =>
  extension('2.5.29.35', sequence(primitiveTag(0, keyId(publicKey))));
