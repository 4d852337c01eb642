// The guard in front of an HTTP resource: reads the head of a request, asks for the decision, and lets it through or says
// no. No byte of a body is read, and none reaches the upstream, before the decision.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Log } from '../base/ports/log.ts';
import { type Authority, authorizeRequest, type Permit, standingOf } from './authorize.ts';
import {
  type BodyFraming,
  carriesCredential,
  framingOf,
  type Headers,
  readHeaders,
  refuseHeaders,
  upstreamHeaders,
} from './headers.ts';
import type { LiveRequests } from './live-requests.ts';
import { drain, Passage } from './passage.ts';
import { readTarget, type Target } from './path.ts';
import { logRefusal, type RefusalRecord, writeRefusal } from './refusal.ts';
import type { Upstream } from './upstream.ts';

export interface GuardDependencies {
  readonly authority: Authority;
  readonly upstream: Upstream;
  readonly live: LiveRequests;
  readonly newDecisionId: () => string;
  readonly log: Log;
}

/** The head of a request that can be read in one way only. */
interface Head {
  readonly target: Target;
  readonly headers: Headers;
  readonly framing: BodyFraming;
}

/**
 * The request handler of the guard, for `request` and `checkContinue` of its server: on the latter, `100 Continue` is sent
 * when the upstream asks for the body, never before the decision.
 */
export function createGuard(d: GuardDependencies): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    const decision = d.newDecisionId();
    // Broken connections show as `close`; without listeners they would be uncaught.
    req.on('error', ignore);
    res.on('error', ignore);
    serve(d, { req, res, decision }).catch((cause: unknown) => {
      refuse(d, { req, res, decision }, { failure: failure('internal_failure', describe(cause)) });
    });
  };
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly decision: string;
}

async function serve(d: GuardDependencies, exchange: Exchange): Promise<void> {
  const { req, res } = exchange;
  const head = readHead(req);
  if (!head.ok) return refuse(d, exchange, { failure: head.error });
  const { target, headers } = head.value;
  const decided = await authorizeRequest(d.authority, {
    authorization: headers.get('authorization') ?? [],
    method: methodOf(req),
    pathForPolicy: target.pathForPolicy,
  });
  // Gone while we were deciding: the upstream must not hear of it.
  if (res.destroyed) return;
  if (!decided.ok) {
    const { token, ...reason } = decided.error;
    const about = { failure: reason, path: target.path, ...(token === undefined ? {} : { token }) };
    return refuse(d, exchange, about);
  }
  letThrough(d, exchange, head.value, decided.value);
}

function readHead(req: IncomingMessage): Result<Head, Failure> {
  const headers = readHeaders(req.rawHeaders);
  const refusal = refuseHeaders(headers) ?? refuseMethod(req);
  if (refusal !== undefined) return err(refusal);
  const framing = framingOf(headers);
  if (!framing.ok) return framing;
  const target = readTarget(req.url ?? '');
  if (!target.ok) return target;
  return carriesCredential(req.url ?? '', headers)
    ? err(failure('request_malformed', 'the credential also stands outside of the Authorization header'))
    : ok({ target: target.value, headers, framing: framing.value });
}

/** TRACE would send the caller's headers back (RFC 9110 §9.3.8); CONNECT asks for a tunnel past every decision. */
function refuseMethod(req: IncomingMessage): Failure | undefined {
  const method = methodOf(req);
  return method === 'TRACE' || method === 'CONNECT'
    ? failure('request_malformed', `method ${method} is not served`)
    : undefined;
}

const methodOf = (req: IncomingMessage): string => req.method ?? '';

function letThrough(d: GuardDependencies, exchange: Exchange, head: Head, permit: Permit): void {
  const { req, res, decision } = exchange;
  const { token, action, resource, statement } = permit;
  d.log.info(
    { decision, session: token.sessionId, role: token.role, action, resource, line: statement.line },
    'allowed',
  );
  const headers = upstreamHeaders(head.headers, { host: d.upstream.host, framing: head.framing, token });
  let forget: () => void = ignore;
  const passage = new Passage({
    req,
    res,
    framing: head.framing,
    decision,
    open: () => d.upstream.open({ method: methodOf(req), target: head.target.raw, headers }),
    refuse: (reason) => refuse(d, exchange, { failure: reason, path: head.target.path, token }),
    onClose: () => forget(),
  });
  forget = d.live.add({
    check: () => standingOf(token, d.authority.knowledge),
    abort: (reason) => {
      d.log.warn({ decision, session: token.sessionId, role: token.role, reason: reason.reason }, 'cut off');
      passage.abort(reason);
    },
  });
  passage.start();
}

function refuse(
  d: GuardDependencies,
  { req, res, decision }: Exchange,
  about: Pick<RefusalRecord, 'failure' | 'path' | 'token'>,
): void {
  logRefusal(d.log, { decision, method: methodOf(req), ...about });
  if (res.destroyed) return;
  if (res.headersSent) {
    req.socket.destroy();
    return;
  }
  // A body that waits for `100 Continue` will not come: this connection has no next request.
  if (req.headers.expect !== undefined) res.setHeader('connection', 'close');
  drain(req);
  writeRefusal(res, { reason: about.failure.reason, decision });
}

const ignore = (): void => {};

const describe = (cause: unknown): string => (cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown');
