// Signers on private keys in memory. The bare KeyObject goes to node:crypto.
import { type KeyObject, sign } from 'node:crypto';
import { JobpassError } from '../base/core/errors.ts';
import type { Signer, SigningAlgorithm } from '../base/ports/signer.ts';

const P256_BYTES = 32;
const DER_SEQUENCE = 0x30;
const DER_INTEGER = 0x02;

/** One DER integer at `at`, written into `half` from the right; returns where it ends, or -1 when it is none. */
function readInteger(der: Uint8Array, at: number, half: Uint8Array): number {
  const length = der[at + 1];
  if (der[at] !== DER_INTEGER || length === undefined || length === 0) return -1;
  const end = at + 2 + length;
  let start = at + 2;
  while (start < end - 1 && der[start] === 0) start += 1;
  if (end > der.length || end - start > half.length) return -1;
  half.set(der.subarray(start, end), half.length - (end - start));
  return end;
}

/**
 * RFC 7518 §3.4: r‖s, 64 bytes, from the DER that OpenSSL makes. By hand because asking node:crypto for it costs
 * 15 to 30 µs a call on Node 24. Throws ERR_SIGNATURE_MALFORMED when `der` is no P-256 signature.
 */
export function joseFromDer(der: Uint8Array): Uint8Array {
  const signature = new Uint8Array(2 * P256_BYTES);
  // A P-256 signature has at most 72 bytes, so every length is a single one.
  if (der[0] === DER_SEQUENCE && der[1] === der.length - 2 && der.length <= 72) {
    const middle = readInteger(der, 2, signature.subarray(0, P256_BYTES));
    const end = middle < 0 ? -1 : readInteger(der, middle, signature.subarray(P256_BYTES));
    if (end === der.length) return signature;
  }
  throw new JobpassError('ERR_SIGNATURE_MALFORMED', 'the crypto library gave no P-256 signature');
}

/** In the libuv pool: an RSA signature takes 0.3 ms, during which the event loop stays free. */
const signRsa = (input: Uint8Array, key: KeyObject): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    sign('sha256', input, key, (error, signature) => (error ? reject(error) : resolve(signature)));
  });

const SIGN: Readonly<
  Record<SigningAlgorithm, (input: Uint8Array, key: KeyObject) => Uint8Array | Promise<Uint8Array>>
> = {
  RS256: signRsa,
  // Small curves are signed on the spot: the hop to the pool would cost a third of the operation.
  ES256: (input, key) => joseFromDer(sign('sha256', input, key)),
  EdDSA: (input, key) => sign(null, input, key),
};

/** A signer on `key`. Precondition: the key is of the algorithm's type and `kid` is its thumbprint (material.ts checks both). */
export function localSigner(key: KeyObject, kid: string, algorithm: SigningAlgorithm): Signer {
  const signWith = SIGN[algorithm];
  return { kid, algorithm, sign: async (input) => signWith(input, key) };
}
