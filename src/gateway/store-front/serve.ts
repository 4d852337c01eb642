// What every front of a store does with a request, in order: head, credential and decision, how often the job asks, the call itself.
import type { IncomingMessage } from 'node:http';
import type { Failure } from '../../base/core/reasons.ts';
import type { Result } from '../../base/core/result.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import type { Refusal } from '../authorize.ts';
import { type Exchange, logAllowed, type RequestDependencies } from '../request.ts';
import type { CallPermit } from './decide.ts';
import { type Head, readHead } from './head.ts';

/** A call that may be carried out, for as long as its permit is not withdrawn. */
export interface Allowed {
  readonly permit: CallPermit;
}

/** What a front does in its own way. `A` is an allowed call, `R` a refusal of that front. */
export interface FrontParts<A extends Allowed, R extends Refusal> {
  /** Everything that must hold before anything happens. */
  judge(req: IncomingMessage, head: Head): Promise<Result<A, R>>;
  refusalOf(failure: Failure, more?: { readonly session?: CarriedSession | undefined }): R;
  carryOut(exchange: Exchange<R>, task: A & { readonly head: Head }): Promise<void>;
}

/** Serves one request: it is refused, or its call is carried out. */
export async function serveCall<A extends Allowed, R extends Refusal>(
  { entrance, log }: Pick<RequestDependencies, 'entrance' | 'log'>,
  exchange: Exchange<R>,
  front: FrontParts<A, R>,
): Promise<void> {
  const head = readHead(exchange.req);
  if (!head.ok) {
    exchange.refuse(front.refusalOf(head.error));
    return;
  }
  const allowed = await front.judge(exchange.req, head.value);
  // The caller left while we were deciding.
  if (exchange.res.destroyed) return;
  if (!allowed.ok) {
    exchange.refuse(allowed.error, head.value);
    return;
  }
  const { permit } = allowed.value;
  const limited = entrance.refuseSession(permit.credential.session);
  if (limited !== undefined) {
    exchange.refuse(front.refusalOf(limited, limited), head.value);
    return;
  }
  if (permit.statement !== null) logAllowed(log, exchange.decision, { ...permit, statement: permit.statement });
  await front.carryOut(exchange, { ...allowed.value, head: head.value });
}
