// The audit record of one decision: what was asked, by whom, what came out, and why. It holds no token and no secret.
import type { RoleRef, Trace } from '../core/decision.ts';
import type { Claims } from '../core/json.ts';
import type { Reason } from '../core/reasons.ts';
import type { EpochMs } from '../core/time.ts';

/** The protocols that requests come in by; a store keeps each of them. */
export const WIRES = ['rfc8693', 'aws', 'gcp', 'azure'] as const;
export type Wire = (typeof WIRES)[number];

/** One decision of the STS on a token whose signature was verified. */
export interface DecisionRecord {
  readonly id: string;
  readonly at: EpochMs;
  readonly outcome: 'granted' | 'refused';
  readonly wire: Wire;
  /** The asked role; null when the request named none that could be read. */
  readonly role: RoleRef | null;
  readonly issuer: string;
  readonly subject: string;
  readonly jobId: string | null;
  /** The token's `jti`; null when the issuer gives none. */
  readonly tokenId: string | null;
  /** Null when granted. */
  readonly reason: Reason | null;
  readonly detail: string;
  /** Null when refused. */
  readonly sessionId: string | null;
  readonly remoteAddress: string;
  readonly claims: Claims;
  readonly trace: Trace;
}
