// Who is told what the STS decides, for counting. It changes nothing, and it is told no token and no secret.
import type { Wire } from '../base/audit/record.ts';
import type { RoleRef } from '../base/core/decision.ts';
import type { Reason } from '../base/core/reasons.ts';
import type { ClaimDrift } from '../base/providers/drift.ts';

/** One decision. */
interface DecidedCase {
  readonly wire: Wire;
  readonly outcome: 'granted' | 'refused';
  /** Null: it was granted. */
  readonly reason: Reason | null;
  /** An active role; null: the request named none. Names that anybody may write are never passed on. */
  readonly role: RoleRef | null;
  /** How long it took; null: the request was refused before it became an exchange. */
  readonly ms: number | null;
}

/** Told of decisions and of claims that drift, for the metrics. */
export interface StsObserver {
  decided(decision: DecidedCase): void;
  /** The claims of a verified token differ from what is known of its issuer's CI provider. */
  drifted(issuer: string, drift: ClaimDrift): void;
}
