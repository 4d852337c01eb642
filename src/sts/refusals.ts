// Refusals of exchanges: durable ones of authentic tokens, and those in memory that anyone can cause. It decides nothing.
import { createHash } from 'node:crypto';
import type { DecisionRecord } from '../base/audit/record.ts';
import type { CheckTrace } from '../base/core/decision.ts';
import { type Failure, failure, type Reason } from '../base/core/reasons.ts';
import type { Log } from '../base/ports/log.ts';
import type { Case } from './records.ts';
import type { RefusalRing } from './refusal-ring.ts';
import { MAX_DURABLE_REPEATS, REPEAT_WINDOW_MS, type RepeatedRefusals } from './repeated-refusals.ts';
import type { StsStore } from './store.ts';

/** A refusal. The caller learns `safeReason(reason)` and the id. */
export interface Refused {
  readonly ok: false;
  readonly decisionId: string;
  readonly reason: Reason;
  /** Of `session_policy_too_large`: how much of their room session tags and session policy would take. */
  readonly packedPolicyPercent?: number;
}

export interface RefusalDeps {
  readonly store: Pick<StsStore, 'recordRefusal'>;
  readonly ring: RefusalRing;
  readonly repeated: RepeatedRefusals;
  readonly log: Log;
}

/** Refuses in memory: what it is about was not verified, or is not worth more. */
export function refuseUnverified(
  deps: Pick<RefusalDeps, 'ring'>,
  opened: Case,
  refused: { readonly failure: Failure; readonly checks: readonly CheckTrace[] },
): Refused {
  const { reason, detail } = refused.failure;
  deps.ring.add({ ...opened, reason, detail, checks: refused.checks });
  return { ok: false, decisionId: opened.id, reason };
}

/**
 * A refusal about an authentic token that is meant for us is durable before it is answered; without the store not even that
 * is answered. What the same token was refused for many times already goes to the ring: whoever holds one token could
 * otherwise fill the audit store with it.
 */
export async function refuseDurably(deps: RefusalDeps, record: DecisionRecord, token: string): Promise<Refused> {
  const { at, id, reason, remoteAddress, role, trace, wire } = record;
  const opened = { id, at, wire, role, remoteAddress };
  const repeats = deps.repeated.count(repeatKey(record, token));
  if (repeats > MAX_DURABLE_REPEATS) {
    const note = `refusal ${repeats} of this token for this reason within ${REPEAT_WINDOW_MS / 60_000} min, in memory only`;
    const again = failure(reason ?? 'internal_failure', `${record.detail} (${note})`);
    return refuseUnverified(deps, opened, { failure: again, checks: trace.checks });
  }
  try {
    await deps.store.recordRefusal(record);
    return { ok: false, decisionId: id, reason: reason ?? 'internal_failure' };
  } catch (error) {
    deps.log.error({ decision: id, err: error }, 'a refusal could not be made durable');
    const detail = `the store did not take the refusal for ${reason}: ${record.detail}`;
    return refuseUnverified(deps, opened, { failure: failure('store_unavailable', detail), checks: trace.checks });
  }
}

/** One token and one reason. The hash stands for a token without a usable `jti`. */
function repeatKey({ issuer, reason, tokenId }: DecisionRecord, token: string): string {
  const name = tokenId ?? createHash('sha256').update(token).digest('base64url');
  return JSON.stringify([issuer, tokenId === null ? 'hash' : 'jti', name, reason]);
}
