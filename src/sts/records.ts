// Audit records of decisions on authentic tokens. Pure; making them durable is exchange's business.
import type { DecisionRecord, Wire } from '../base/audit/record.ts';
import type { RoleRef, Trace } from '../base/core/decision.ts';
import { type Claims, stringMember } from '../base/core/json.ts';
import { MAX_SUBJECT_CHARS } from '../base/core/limits.ts';
import type { Failure } from '../base/core/reasons.ts';
import type { EpochMs } from '../base/core/time.ts';
import type { FederatedSession, Session } from './store.ts';

/** A request on its way, with the id that its answer will carry. */
export interface Case {
  readonly id: string;
  readonly at: EpochMs;
  readonly wire: Wire;
  /** Null when the request named no role that could be read. */
  readonly role: RoleRef | null;
  readonly remoteAddress: string;
}

/** What a record tells of the token. Precondition: its signature was verified. */
export interface RecordedToken {
  readonly issuer: string;
  readonly claims: Claims;
  readonly jobId: string | null;
}

/** The record of a grant; it becomes durable together with its session. */
export const grantRecord = (
  opened: Case,
  token: RecordedToken,
  granted: { readonly session: Session | FederatedSession; readonly trace: Trace },
): DecisionRecord => ({
  ...head(opened, token),
  outcome: 'granted',
  reason: null,
  detail: `session ${granted.session.id} for ${granted.session.expiresAt - granted.session.issuedAt} s`,
  sessionId: granted.session.id,
  trace: granted.trace,
});

/** The record of a refusal after the signature was verified. */
export const refusalRecord = (
  opened: Case,
  token: RecordedToken,
  refused: { readonly failure: Failure; readonly trace: Trace },
): DecisionRecord => ({
  ...head(opened, token),
  outcome: 'refused',
  reason: refused.failure.reason,
  detail: refused.failure.detail,
  sessionId: null,
  trace: refused.trace,
});

function head(
  opened: Case,
  token: RecordedToken,
): Omit<DecisionRecord, 'outcome' | 'reason' | 'detail' | 'sessionId' | 'trace'> {
  // The claims of a refused token may be malformed; the whole of them is in the record anyway.
  const text = (name: string): string | null => stringMember(token.claims, name)?.slice(0, MAX_SUBJECT_CHARS) ?? null;
  const { claims, issuer, jobId } = token;
  return { ...opened, issuer, claims, jobId, subject: text('sub') ?? '', tokenId: text('jti') };
}
