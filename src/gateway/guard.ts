// The guard in front of an HTTP resource: reads the head of a request, asks for the decision, and lets it through or says
// no. No byte of a body is read, and none reaches the upstream, before the decision.
import type { IncomingMessage } from 'node:http';
import type { Failure } from '../base/core/reasons.ts';
import { ok, type Result } from '../base/core/result.ts';
import { type Permit, type Refusal, withdrawalOf } from './authorize.ts';
import { drain } from './connection.ts';
import { type BodyFraming, framingOf, readHeaders, upstreamHeaders } from './headers.ts';
import type { LiveRequests } from './live-requests.ts';
import { Passage } from './passage.ts';
import { writeRefusal } from './refusal.ts';
import {
  type Asked,
  type Exchange,
  type Handler,
  handlerOf,
  permitFor,
  type RequestDependencies,
  readAsked,
} from './request.ts';
import { asksForMetadata, type ResourceMetadata, writeMetadata } from './resource-metadata.ts';
import { callerOf } from './turns.ts';
import type { Upstream } from './upstream.ts';

export interface GuardDependencies extends RequestDependencies {
  readonly upstream: Upstream;
  readonly live: LiveRequests;
  /** Null: nothing is told of the resource. */
  readonly metadata: ResourceMetadata | null;
}

/** What is asked for, and how the body that comes with it is delimited. */
interface Head extends Asked {
  readonly framing: BodyFraming;
}

/**
 * The request handler of the guard, for `request` and `checkContinue` of its server: on the latter, `100 Continue` is sent
 * when the upstream asks for the body, never before the decision.
 */
export const createGuard = (d: GuardDependencies): Handler =>
  handlerOf(d, {
    front: 'guard',
    serve: (exchange) => serve(d, exchange),
    sayNo: (exchange, refusal) => sayNo(d, exchange, refusal),
    broken: (unexpected) => unexpected,
  });

async function serve(d: GuardDependencies, exchange: Exchange): Promise<void> {
  if (d.metadata !== null && asksForMetadata(exchange.req)) {
    drain(exchange.req);
    writeMetadata(exchange, d.metadata);
    return;
  }
  const head = readHead(exchange.req);
  const permit = await permitFor(d, exchange, head);
  if (head.ok && permit !== undefined) letThrough(d, exchange, { head: head.value, permit });
}

function readHead(req: IncomingMessage): Result<Head, Failure> {
  const asked = readAsked({ method: req.method ?? '', uri: req.url ?? '', headers: readHeaders(req.rawHeaders) });
  if (!asked.ok) return asked;
  const framing = framingOf(asked.value.headers);
  return framing.ok ? ok({ ...asked.value, framing: framing.value }) : framing;
}

function letThrough(
  d: GuardDependencies,
  exchange: Exchange,
  { head, permit }: { readonly head: Head; readonly permit: Permit },
): void {
  const { req, res, decision } = exchange;
  const { session } = permit.credential;
  const headers = upstreamHeaders(head.headers, { host: d.upstream.host, framing: head.framing, session });
  let forget: () => void = () => {};
  const passage = new Passage({
    req,
    res,
    framing: head.framing,
    decision,
    take: (turn) => d.upstream.take(callerOf(session), turn),
    open: () => d.upstream.open({ method: head.method, target: head.target.raw, headers }),
    refuse: (reason) => exchange.refuse({ ...reason, session }, { method: head.method, path: head.target.path }),
    onClose: () => forget(),
  });
  forget = d.live.add({
    check: () => withdrawalOf(permit, d.authority.knowledge),
    abort: (reason) => {
      d.log.warn({ decision, session: session.sessionId, role: session.role, reason: reason.reason }, 'cut off');
      passage.abort(reason);
    },
  });
  passage.start();
}

function sayNo(
  { metadata }: Pick<GuardDependencies, 'metadata'>,
  { req, res, decision }: Exchange,
  { reason }: Refusal,
): void {
  if (res.destroyed) return;
  if (res.headersSent) {
    req.socket.destroy();
    return;
  }
  // A body that waits for `100 Continue` will not come: this connection has no next request.
  if (req.headers.expect !== undefined) res.setHeader('connection', 'close');
  drain(req);
  writeRefusal(res, { reason, decision, ...(metadata === null ? {} : { resourceMetadata: metadata.url }) });
}
