// What a refusal tells on every wire, whatever its form: when to come back, and where the operator finds the reason.
import type { SafeReason } from '../core/reasons.ts';

/** What is unavailable is retried at this pace, in seconds. */
const RETRY_AFTER = { 'retry-after': '1' } as const;

/** The header that makes a client ask again; none where the same request would be refused again. */
export const retryHeaders = (safe: SafeReason): Readonly<Record<string, string>> =>
  safe === 'unavailable' || safe === 'limited' ? RETRY_AFTER : {};

/** A bland text together with the way to its reason, for wires whose clients show people nothing but a text. */
export const withWayToReason = (text: string, decisionId: string): string =>
  `${text.replace(/\.? *$/, '')}. The operator sees why with: jobpass decisions show ${decisionId}`;
