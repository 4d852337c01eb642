// What the fronts have in common: an id for each request and one way to refuse; and for guard and check, one reading of what
// is asked for and one decision. It forwards nothing and knows no front's answers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Failure, failure, type Reason } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Log } from '../base/ports/log.ts';
import type { Authority, Permit, Refusal } from './authorize.ts';
import { authorizeRequest } from './bearer.ts';
import type { Entrance } from './entrance.ts';
import { carriesCredential, type Headers, refuseHeaders } from './headers.ts';
import type { FrontName, GatewayObserver } from './observer.ts';
import { readTarget, type Target } from './path.ts';
import type { RefusalDesk } from './refusal.ts';

export type Handler = (req: IncomingMessage, res: ServerResponse) => void;

export interface RequestDependencies {
  readonly authority: Authority;
  readonly entrance: Entrance;
  /** Told how each request ended. */
  readonly observer?: GatewayObserver;
  readonly newDecisionId: () => string;
  readonly desk: RefusalDesk;
  readonly log: Log;
}

/** What a caller asks for, readable in one way only. */
export interface Asked {
  readonly method: string;
  readonly target: Target;
  readonly headers: Headers;
}

/** One request and its answer under one decision id. */
export interface Exchange<R extends Refusal = Refusal> {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly decision: string;
  /** Writes the refusal down and answers it. `asked` once it was accepted. */
  refuse(refusal: R, asked?: { readonly method: string; readonly path: string }): void;
}

/** What the fronts do differently. `R` is a refusal as the front's own protocol tells it. */
export interface Side<R extends Refusal = Refusal> {
  readonly front: FrontName;
  serve(exchange: Exchange<R>): Promise<void>;
  /** Answers a refusal that was written down; the answer may have begun, and the caller may be gone. Throwing ends the connection. */
  sayNo(exchange: Exchange<R>, refusal: R): void;
  /** A failure that nobody expected, as a refusal of this front. */
  broken(unexpected: Failure): R;
  /** Who connects: callers, whose requests are counted before they are looked at, or the proxy that asks for all of them. */
  readonly peers?: 'callers' | 'proxy';
}

/** The handler of a side. Whatever goes wrong unexpectedly is a refusal too. */
export function handlerOf<R extends Refusal>(
  d: Pick<RequestDependencies, 'newDecisionId' | 'desk' | 'entrance' | 'observer'>,
  side: Side<R>,
): Handler {
  const { peers = 'callers' } = side;
  return (req, res) => {
    const decision = d.newDecisionId();
    // Broken connections show as `close`; without listeners they would be uncaught.
    req.on('error', ignore);
    res.on('error', ignore);
    let refused: Reason | null = null;
    if (d.observer !== undefined) watch(res, () => d.observer?.answered(answerOf(side.front, res, refused)));
    const exchange: Exchange<R> = {
      req,
      res,
      decision,
      refuse: (refusal, asked) => {
        const { reason, detail, session } = refusal;
        refused = reason;
        d.desk.record({
          decision,
          failure: { reason, detail },
          method: asked?.method ?? req.method ?? '',
          ...(asked === undefined ? {} : { path: asked.path }),
          ...(session === undefined ? {} : { session }),
        });
        answerNo(d, side, { exchange, refusal });
      },
    };
    const limited = peers === 'callers' ? d.entrance.refuse(req) : undefined;
    if (limited !== undefined) {
      exchange.refuse(side.broken(limited));
      return;
    }
    side
      .serve(exchange)
      .catch((cause: unknown) => exchange.refuse(side.broken(failure('internal_failure', describe(cause)))));
  };
}

/** Answers a refusal. Nobody is left to hear of a fault in that, and a fault that nobody hears would end the gateway. */
function answerNo<R extends Refusal>(
  { desk }: Pick<RequestDependencies, 'desk'>,
  side: Side<R>,
  { exchange, refusal }: { readonly exchange: Exchange<R>; readonly refusal: R },
): void {
  try {
    side.sayNo(exchange, refusal);
  } catch (cause) {
    const { decision, req } = exchange;
    desk.record({ decision, failure: failure('internal_failure', describe(cause)), method: req.method ?? '' });
    req.socket.destroy();
  }
}

const ignore = (): void => {};

const watch = (res: ServerResponse, onOver: () => void): void => void res.once('close', onOver);

const answerOf = (front: FrontName, { statusCode: status }: ServerResponse, reason: Reason | null) => ({
  front,
  status,
  reason,
});

const describe = (cause: unknown): string => (cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown');

/**
 * Reads what is asked for. `path_refused`: a path, header or method that names a second resource or could be read in two ways.
 * `request_malformed`: too many or repeated headers, TRACE and CONNECT, a credential outside of the Authorization header.
 */
export function readAsked(asked: {
  readonly method: string;
  readonly uri: string;
  readonly headers: Headers;
}): Result<Asked, Failure> {
  const { method, uri, headers } = asked;
  const refusal = refuseHeaders(headers) ?? refuseMethod(method);
  if (refusal !== undefined) return err(refusal);
  const target = readTarget(uri);
  if (!target.ok) return target;
  return carriesCredential(uri, headers)
    ? err(failure('request_malformed', 'the credential also stands outside of the Authorization header'))
    : ok({ method, target: target.value, headers });
}

/**
 * Methods that act on a second resource, which a header (RFC 4918 §9.8, RFC 2068 §19.6.1) or the body (RFC 5842) names: the
 * decision would be about the other one alone.
 */
const TWO_RESOURCES = new Set(['BIND', 'COPY', 'LINK', 'MOVE', 'REBIND', 'UNBIND', 'UNLINK']);

/** TRACE would send the caller's headers back (RFC 9110 §9.3.8); CONNECT asks for a tunnel past every decision. */
function refuseMethod(method: string): Failure | undefined {
  if (TWO_RESOURCES.has(method)) return failure('path_refused', `method ${method} acts on a second resource`);
  return method === 'TRACE' || method === 'CONNECT'
    ? failure('request_malformed', `method ${method} is not served`)
    : undefined;
}

/** The decision about `asked`. Undefined: it was refused, or the caller left while we were deciding. */
export async function permitFor(
  d: RequestDependencies,
  exchange: Exchange,
  asked: Result<Asked, Failure>,
): Promise<Permit | undefined> {
  if (!asked.ok) {
    exchange.refuse(asked.error);
    return undefined;
  }
  const { method, target, headers } = asked.value;
  const decided = await authorizeRequest(d.authority, {
    authorization: headers.get('authorization') ?? [],
    method,
    pathForPolicy: target.pathForPolicy,
    query: target.query,
  });
  if (exchange.res.destroyed) return undefined;
  const refused = decided.ok ? d.entrance.refuseSession(decided.value.credential.session) : decided.error;
  if (!decided.ok || refused !== undefined) {
    if (refused !== undefined) exchange.refuse(refused, { method, path: target.path });
    return undefined;
  }
  logAllowed(d.log, exchange.decision, decided.value);
  return decided.value;
}

/** One line for what was allowed: by whom, what, and by which line of the role. */
export function logAllowed(log: Log, decision: string, { credential, asks, statement }: Permit): void {
  const { sessionId, role } = credential.session;
  const [first] = asks;
  const { action, resource } = first ?? {};
  log.info({ decision, session: sessionId, role, action, resource, line: statement.line }, 'allowed');
}
