// Who is told how a gateway answers, for counting. It changes nothing.
import type { Reason } from '../base/core/reasons.ts';

/** The ways in. */
export type FrontName = 'guard' | 'check' | 's3' | 'blob' | 'gcs';

/** Told of every request, for the metrics. */
export interface GatewayObserver {
  /** A request is over. `reason`: why it was refused; null when it was not. */
  answered(answer: { readonly front: FrontName; readonly status: number; readonly reason: Reason | null }): void;
}
