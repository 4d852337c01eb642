// The signature algorithms that are ever accepted, and which keys each of them takes (RFC 7518 §3, RFC 8037 §3.1).

/** A kind of key: the type, and the curve where it has one. */
export type KeyKind = 'RSA' | 'EC P-256' | 'EC P-384' | 'EC P-521' | 'OKP Ed25519' | 'oct';

/** Algorithms by kind of key. One key never serves two kinds (RFC 8725 §3.1). */
export const ALGORITHMS_OF: Readonly<Record<KeyKind, readonly string[]>> = {
  RSA: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA'],
  oct: ['HS256', 'HS384', 'HS512'],
};

/** Every asymmetric algorithm: what a trusted issuer may be configured to use. */
export const ISSUER_ALGORITHMS: readonly string[] = Object.entries(ALGORITHMS_OF)
  .filter(([kind]) => kind !== 'oct')
  .flatMap(([, algorithms]) => algorithms);
