// The proof that an identity was verified. Making one is for the verifier's own ways in alone, verify.ts and federated.ts: an import
// rule (test/house) keeps everybody else out.
import type { Claims } from '../../base/core/json.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { TrustedIssuer } from '../settings.ts';

/** Held by this module alone, so that no other code can call the constructor, not even through `token.constructor`. */
const MINT = Symbol('verified');

/** What was verified. */
export interface VerifiedFacts {
  readonly issuer: TrustedIssuer;
  readonly claims: Claims;
  readonly subject: string;
  readonly tokenId: string | null;
  /** The identity token's, as is the expiry. */
  readonly issuedAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
  readonly jobId: string | null;
  readonly jobBound: boolean;
  readonly deadline: EpochSeconds | null;
}

/** An identity that passed every check. Having one is the proof. */
class VerifiedToken {
  readonly #facts: VerifiedFacts;

  constructor(mint: typeof MINT, facts: VerifiedFacts) {
    if (mint !== MINT) throw new TypeError('only the verifier makes a VerifiedToken');
    this.#facts = facts;
    Object.freeze(this);
  }

  /** Throws for anything but a token that this module made; a brand cannot be forged by shape. */
  static factsOf(token: VerifiedToken): VerifiedFacts {
    return token.#facts;
  }
}

export type { VerifiedToken };

/** Precondition: every check held. */
export const mintVerified = (facts: VerifiedFacts): VerifiedToken => new VerifiedToken(MINT, facts);

/** What was verified. Throws a TypeError for an object that only looks like a VerifiedToken. */
export const verifiedFacts = (token: VerifiedToken): VerifiedFacts => VerifiedToken.factsOf(token);
