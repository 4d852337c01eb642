// Randomness, as a port. The adapter lives in app/.

/** Cryptographically secure randomness. */
export interface Random {
  bytes(length: number): Uint8Array;
}
