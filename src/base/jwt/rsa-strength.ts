// Whether an RSA public key is strong enough to believe a signature by it. Numbers only; no key is made here.

const MIN_MODULUS_BITS = 2048;
/** Beyond this, verification costs more than any issuer needs: an attacker's set must not buy us milliseconds. */
const MAX_MODULUS_BITS = 8192;
/** FIPS 186-5 §A.1.1: 2^16 < e. Smaller ones have signature forgeries against lax padding checks; 1 accepts anything. */
const MIN_EXPONENT = 65_537n;
const MAX_EXPONENT_BITS = 64;

/** Big-endian bytes as a number; no bytes are zero. */
export const unsignedInteger = (bytes: Uint8Array): bigint =>
  BigInt(`0x0${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`);

/** Why the public key (n, e) is not to be believed, or undefined when it is. */
export function rsaWeakness(modulus: bigint, exponent: bigint): string | undefined {
  const bits = bitLength(modulus);
  if (bits < MIN_MODULUS_BITS) return `an RSA modulus of ${bits} bits; at least ${MIN_MODULUS_BITS} are needed`;
  if (bits > MAX_MODULUS_BITS) return `an RSA modulus of ${bits} bits; at most ${MAX_MODULUS_BITS} are taken`;
  if (exponent < MIN_EXPONENT || exponent % 2n === 0n || bitLength(exponent) > MAX_EXPONENT_BITS) {
    return 'an RSA exponent that is even, below 65537 or beyond 64 bits';
  }
  if (modulus % 2n === 0n || SMALL_PRIMES.some((prime) => modulus % BigInt(prime) === 0n)) {
    return 'an RSA modulus with a small factor';
  }
  return hasRocaFingerprint(modulus) ? 'an RSA modulus with the ROCA fingerprint (CVE-2017-15361)' : undefined;
}

const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);

/** The odd primes whose product the affected generator builds its candidates around (Nemec et al., CCS 2017, §2.1). */
const SMALL_PRIMES: readonly number[] = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/** The powers of 65537 modulo each of those primes. */
const GENERATED: ReadonlyMap<number, ReadonlySet<number>> = new Map(
  SMALL_PRIMES.map((prime) => [prime, powersOf65537(prime)]),
);

function powersOf65537(prime: number): ReadonlySet<number> {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65_537) % prime) powers.add(power);
  return powers;
}

/**
 * True when the modulus is a power of 65537 modulo every one of those primes, as the product of two primes of the form
 * k·M + (65537^a mod M) is. Of other moduli fewer than one in 2^27 look so.
 */
function hasRocaFingerprint(modulus: bigint): boolean {
  return SMALL_PRIMES.every((prime) => GENERATED.get(prime)?.has(Number(modulus % BigInt(prime))) === true);
}
