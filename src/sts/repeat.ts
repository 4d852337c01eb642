// A token that may be used once and comes again: what it was used for, for the operator, and the same session once more for the
// client that did not get its answer.
import { isDeepStrictEqual } from 'node:util';
import { newAction } from '../base/audit/new-action.ts';
import type { ActionRecord } from '../base/audit/record.ts';
import type { AuditStore } from '../base/audit/store.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { Random } from '../base/ports/random.ts';
import type { CredentialRequest } from './exchange-request.ts';
import type { Case } from './records.ts';
import type { FederatedSession, KnownUse, Session, StsStore, TokenUse } from './store.ts';

/** A client that lost its answer asks again well within it; whoever found the token later gets nothing. */
export const REPEAT_SECONDS = 60;

/** What a repeat is looked up in and recorded by. */
export interface RepeatDeps {
  readonly store: Pick<StsStore, 'findUse' | 'findSession' | 'highWaterMark'> & Pick<AuditStore, 'recordAction'>;
  readonly clockSkewSeconds: number;
  readonly random: Random;
}

/** The grant that was refused because one of its uses was used before. */
interface Replay {
  readonly request: Pick<CredentialRequest, 'askedSeconds' | 'client'>;
  /** What would have been granted. */
  readonly session: Session | FederatedSession;
  readonly uses: readonly TokenUse[];
  readonly now: EpochSeconds;
}

/**
 * The session that the token was used for, when the client that used it asks for the same once more, soon enough: recorded before
 * it comes back. Else `token_replayed`, with what the operator may know of the first use, or
 * `clock_behind`. Rejects when the store does.
 */
export async function repeated(deps: RepeatDeps, opened: Case, replay: Replay): Promise<Result<Session, Failure>> {
  const use = await firstUse(deps, replay.uses);
  if (use === undefined) return err(failure('token_replayed', 'this token may be used once, and was used before'));
  const found = await deps.store.findSession(use.sessionId);
  const again = sameAgain(replay, use, found);
  if (typeof again === 'string') return err(failure('token_replayed', `${firstUseText(use, replay.now)}; ${again}`));
  // By a clock that was set back, both the token and these seconds last for as long again.
  const mark = await deps.store.highWaterMark();
  if (!(replay.now >= mark - deps.clockSkewSeconds))
    return err(failure('clock_behind', `the clock is ${mark - replay.now} s behind the latest time acted on`));
  await deps.store.recordAction(recordOf(deps, opened, { session: again, use }));
  return ok(again);
}

async function firstUse({ store }: RepeatDeps, uses: readonly TokenUse[]): Promise<KnownUse | undefined> {
  for (const use of uses) {
    const known = await store.findUse(use);
    if (known !== undefined) return known;
  }
  return undefined;
}

function firstUseText({ client, decisionId, usedAt }: KnownUse, now: EpochSeconds): string {
  const when = usedAt === 0 ? 'before' : `at ${new Date(usedAt * 1000).toISOString()}, ${now - usedAt} s ago`;
  const under = decisionId === null ? '' : `, under decision ${decisionId}`;
  return `this token may be used once, and was used ${when}${under}, by ${client === null ? 'nobody who authenticated' : `client ${client}`}`;
}

/** The session of the first use, or why this client does not get it again. */
function sameAgain(
  { now, request, session: wanted }: Replay,
  { client, usedAt }: KnownUse,
  found: Session | FederatedSession | undefined,
): Session | string {
  if (client === null || client !== request.client) return 'only the client that used it gets the same session again';
  if (now - usedAt > REPEAT_SECONDS) return `the client gets the same session again for ${REPEAT_SECONDS} s`;
  if (found === undefined || found.role === null || found.expiresAt <= now) return 'its session is over';
  if (!isDeepStrictEqual(sameOf(found), sameOf(wanted))) return 'this time something else is asked for';
  const { askedSeconds } = request;
  const isLonger = askedSeconds !== undefined && found.expiresAt - now > askedSeconds;
  return isLonger ? 'this time a shorter session is asked for' : found;
}

/** What two sessions of one request have in common. */
function sameOf(session: Session | FederatedSession): object {
  const { id: _id, decisionId: _decisionId, issuedAt: _issuedAt, expiresAt: _expiresAt, ...rest } = session;
  return rest;
}

const recordOf = (
  { random }: RepeatDeps,
  { at, remoteAddress }: Case,
  { session, use }: { readonly session: Session; readonly use: KnownUse },
): ActionRecord =>
  // At the moment of the request, by which everything else of it is judged.
  newAction(
    { clock: { nowMs: () => at }, random },
    {
      actor: { kind: 'client', name: use.client ?? '' },
      action: 'session.repeat',
      tenant: session.role.tenant,
      target: session.id,
      detail: { decision: session.decisionId, used_at: use.usedAt, remote_address: remoteAddress },
    },
  );
