// What the refusals of Google's APIs have in common, whatever their form: who is told what, and the headers.
import type { Reason, SafeReason } from '../../base/core/reasons.ts';

/** RFC 6749 §5.1: neither may be missing from an answer that holds a token. */
export const NEVER_KEPT = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

/** A refusal on its way out. */
export interface GcpRefusal {
  readonly reason: Reason;
  readonly decisionId: string;
  /** Tells the caller everything: only where it speaks of the caller's own request, and holds no value. Absent: nothing is told. */
  readonly open?: string;
}

/** What the caller is told: everything, or where the operator finds it. */
export const refusalText = (bland: string, { decisionId, open }: GcpRefusal): string =>
  open ?? `${bland}. The operator sees why with: jobpass decisions show ${decisionId}`;

/** What a status says of a request that nobody read. */
export const safeOfStatus = (status: number): SafeReason => (status >= 500 ? 'unavailable' : 'request_invalid');

/** What is unavailable is retried at this pace. */
export const retryHeaders = (safe: SafeReason): Readonly<Record<string, string>> =>
  safe === 'unavailable' || safe === 'limited' ? { 'retry-after': '1' } : {};
