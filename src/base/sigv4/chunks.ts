// The chain of chunk signatures of STREAMING-AWS4-HMAC-SHA256-PAYLOAD and …-TRAILER (S3, "Transferring payload in multiple
// chunks" and "Including trailing headers"). Framing, hashing and lengths are the business of whoever reads the body.
import { hash } from 'node:crypto';
import { type CredentialScope, scopeText } from './scope.ts';
import { sign } from './signature.ts';

const EMPTY_HASH = hash('sha256', '', 'hex');

/** The seed of a chain: the signature of the request that announced the chunks, already verified. */
export interface ChunkSeed {
  /** The request's signing key. */
  readonly key: Uint8Array;
  readonly scope: CredentialScope;
  readonly amzDate: string;
  readonly signature: string;
}

/**
 * Each signature covers the one before it, so a chunk can be neither changed, moved, left out nor repeated. The body has
 * ended only when the chunk of no bytes has been seen; with `…-TRAILER`, when its trailer has.
 * Compare with `isSameSignature`, never with `===`.
 */
export class ChunkSignatures {
  readonly #key: Uint8Array;
  readonly #context: string;
  #previous: string;

  constructor(seed: ChunkSeed) {
    this.#key = seed.key;
    this.#context = `${seed.amzDate}\n${scopeText(seed.scope)}`;
    this.#previous = seed.signature;
  }

  /** The signature that the next chunk must have. `chunkHash`: SHA-256 of its bytes, lower-case hexadecimal. */
  next(chunkHash: string): string {
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${this.#context}\n${this.#previous}\n${EMPTY_HASH}\n${chunkHash}`;
    this.#previous = sign(this.#key, text);
    return this.#previous;
  }

  /**
   * The `x-amz-trailer-signature` that must follow the last chunk. `trailerHash`: SHA-256, lower-case hexadecimal, of the
   * trailers as `name:value\n` each, sorted by name.
   */
  trailer(trailerHash: string): string {
    return sign(this.#key, `AWS4-HMAC-SHA256-TRAILER\n${this.#context}\n${this.#previous}\n${trailerHash}`);
  }
}
