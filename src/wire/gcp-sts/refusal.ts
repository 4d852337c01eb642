// What the refusals of Google's APIs have in common, whatever their form: who is told what.
import type { Reason, SafeReason } from '../../base/core/reasons.ts';
import { withWayToReason } from '../../base/refusal/telling.ts';

/** A refusal on its way out. */
export interface GcpRefusal {
  readonly reason: Reason;
  readonly decisionId: string;
  /** Tells the caller everything: only where it speaks of the caller's own request, and holds no value. Absent: nothing is told. */
  readonly open?: string;
}

/** What the caller is told: everything, or where the operator finds it. */
export const refusalText = (bland: string, { decisionId, open }: GcpRefusal): string =>
  open ?? withWayToReason(bland, decisionId);

/** What a status says of a request that nobody read. */
export function safeOfStatus(status: number): SafeReason {
  if (status === 429) return 'limited';
  return status >= 500 ? 'unavailable' : 'request_invalid';
}
