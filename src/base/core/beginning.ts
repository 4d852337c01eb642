// A store's beginnings: it begins anew when what it holds may not be all that was acknowledged. Words and a part of two ports.
import type { EpochSeconds } from './time.ts';

/** Where a store stands. */
export interface Beginning {
  /** How often it began anew; it only grows. */
  readonly generation: number;
  /** When it did last: of what happened before, it may know nothing. Null: it never had to. */
  readonly at: EpochSeconds | null;
  /** The history that it began for, as `history` named it. */
  readonly history: string | null;
  /** An older copy was put in its place, and it has not begun anew since. */
  readonly isRestored: boolean;
  /** When a server that knows the store last said so; null: none ever did. */
  readonly vouchedAt: EpochSeconds | null;
}

/** What the stores of issuer and STS have in common about it. Beginning anew itself is their own business. */
export interface BeginningStore {
  /**
   * Which history of which database this is: another one when the database is another, or went on from an earlier moment of itself
   * (PostgreSQL: system identifier, timeline, ids of database and schema). While it is not the one that was accepted last, everything
   * else rejects with ERR_STORE_HISTORY; at first, the one found at opening is accepted.
   */
  history(): Promise<string>;
  acceptHistory(history: string): void;
  beginning(): Promise<Beginning>;
  /** From now on, for all replicas, the store is an older copy of itself. */
  markRestored(): Promise<void>;
  /** A server that knows the store says so; never back. */
  vouch(at: EpochSeconds): Promise<void>;
}
