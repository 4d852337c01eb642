// Keys and signatures: the HMACs of Version 4, and the comparison in constant time.
import { createHmac, createSecretKey, type Hmac, timingSafeEqual } from 'node:crypto';
import { type CredentialScope, TERMINAL } from './scope.ts';

/**
 * The key for one secret, day, region and service. It signs nothing outside its scope, changes with the day only, and so
 * may be kept by its holder as long as the secret may; it is as secret as that within the scope.
 */
export function signingKey(secret: string, scope: CredentialScope): Uint8Array {
  let key: Uint8Array = Buffer.from(`AWS4${secret}`, 'utf8');
  for (const part of [scope.date, scope.region, scope.service, TERMINAL]) {
    key = hmac(key, part).digest();
  }
  return key;
}

/** The signature of `text`: 64 lower-case hexadecimal digits. */
export const sign = (key: Uint8Array, text: string): string => hmac(key, text).digest('hex');

/** By way of a key object: given bytes, Node takes five times as long. */
const hmac = (key: Uint8Array, text: string): Hmac => createHmac('sha256', createSecretKey(key)).update(text, 'utf8');

const SIGNATURE = /^[0-9a-f]{64}$/;

/** Whether `text` is a signature in its one spelling. `Buffer.from(text, 'hex')` would drop junk and take upper case. */
export const isSignature = (text: string): boolean => SIGNATURE.test(text);

/** Compares in constant time. False when `presented` is not a signature in its one spelling. */
export const isSameSignature = (expected: string, presented: string): boolean =>
  isSignature(presented) && timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(presented, 'latin1'));
