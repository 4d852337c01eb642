// A relying party that keeps the key set it fetched for as long as it may, and never asks again before: whatever the token says.
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { call } from './calls.ts';

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** Verifies tokens of one server by its published key set. */
export class CachingVerifier {
  readonly #url: string;
  readonly #keepMs: number;
  #keys: KeySet | undefined;
  #fetchedAt = 0;

  constructor(url: string, keepMs: number) {
    this.#url = url;
    this.#keepMs = keepMs;
  }

  /** Rejects when the key is not in the set that it holds, or the signature is not of that key. */
  async verify(token: string): Promise<JWTPayload> {
    if (this.#keys === undefined || performance.now() - this.#fetchedAt > this.#keepMs) {
      const asked = performance.now();
      const reply = await call(this.#url, {});
      this.#keys = createLocalJWKSet(reply?.body as unknown as Parameters<typeof createLocalJWKSet>[0]);
      this.#fetchedAt = asked;
    }
    return (await jwtVerify(token, this.#keys)).payload;
  }
}
