// The audit record of one decision: what was asked, by whom, what came out, and why. It holds no token and no secret.
import type { RoleRef, Trace } from '../core/decision.ts';
import type { Claims, JsonObject } from '../core/json.ts';
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

/** What is recorded when somebody, or the server by itself, changes what others rely on. */
const ACTIONS = [
  'session.end',
  'job.end',
  'session.repeat',
  'token.revoke',
  'epoch.raise',
  'freeze.on',
  'freeze.off',
  'key.prepare',
  'key.activate',
  'key.retire',
  'key.revoke',
  'key.rewrap',
  'audit.prune',
  'store.begin_anew',
  'policy.activate',
] as const;
type Action = (typeof ACTIONS)[number];

/** One action, durable together with what it changed. */
export interface ActionRecord {
  readonly kind: 'action';
  readonly id: string;
  readonly at: EpochMs;
  /** Operators are clients; the server itself for what happens automatically. */
  readonly actor: { readonly kind: 'client' | 'server'; readonly name: string };
  readonly action: Action;
  readonly tenant: string | null;
  /** What was acted on: a session id, `role main/publish-web`, `ring id-token key KID`. */
  readonly target: string;
  /** Never a secret. */
  readonly detail: JsonObject;
}
