// A private key that signs, as a port: the key may live in memory or, later, in a KMS. It never leaves its adapter.

/** RFC 7518 §3.3, §3.4 and RFC 8037 §3.1. */
export type SigningAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

export interface Signer {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  /** The JOSE signature over `input`: for ES256 the 64 bytes r‖s (RFC 7518 §3.4), not DER. */
  sign(input: Uint8Array): Promise<Uint8Array>;
}
