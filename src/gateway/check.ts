// Answers a proxy that asks before it serves (nginx `auth_request`). It forwards nothing, and answers 200, 401 and 403 only:
// nginx makes an error of its own out of everything else. What a proxy streams it cannot cut; the guard can.
import type { IncomingMessage } from 'node:http';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, type Result } from '../base/core/result.ts';
import type { Refusal } from './authorize.ts';
import { identityHeaders, readHeaders, singleHeader } from './headers.ts';
import { refusalStatus, writeRefusal } from './refusal.ts';
import {
  type Asked,
  type Exchange,
  type Handler,
  handlerOf,
  permitFor,
  type RequestDependencies,
  readAsked,
} from './request.ts';

/** Set by nginx itself from `$request_uri` and `$request_method`, over whatever the caller sent under these names. */
const ORIGINAL_URI = 'x-original-uri';
const ORIGINAL_METHOD = 'x-original-method';

/** The handler of the check listener. It must be reachable by the proxy alone: it believes the proxy's two headers. */
export const createCheck = (d: RequestDependencies): Handler =>
  handlerOf(d, {
    front: 'check',
    serve: (exchange) => serve(d, exchange),
    sayNo,
    broken: (unexpected) => unexpected,
    peers: 'proxy',
  });

async function serve(d: RequestDependencies, exchange: Exchange): Promise<void> {
  const permit = await permitFor(d, exchange, readQuestion(exchange.req));
  if (permit === undefined) return;
  exchange.res.writeHead(200, {
    'content-length': '0',
    'cache-control': 'no-store',
    'x-jobpass-decision': exchange.decision,
    ...identityHeaders(permit.credential.session),
  });
  exchange.res.end();
}

function readQuestion(req: IncomingMessage): Result<Asked, Failure> {
  if (req.method !== 'GET' || req.url !== '/check') {
    return err(failure('request_malformed', 'the check listener serves GET /check only'));
  }
  const headers = new Map(readHeaders(req.rawHeaders));
  const uri = singleHeader(headers, ORIGINAL_URI);
  const method = singleHeader(headers, ORIGINAL_METHOD);
  if (uri === undefined || method === undefined || !/^[A-Z]{1,32}$/.test(method)) {
    return err(failure('request_malformed', `the proxy must set ${ORIGINAL_URI} and ${ORIGINAL_METHOD} once each`));
  }
  headers.delete(ORIGINAL_URI);
  headers.delete(ORIGINAL_METHOD);
  return readAsked({ method, uri, headers });
}

function sayNo({ res, decision }: Exchange, { reason }: Refusal): void {
  if (res.headersSent || res.destroyed) return;
  writeRefusal(res, { reason, decision, status: refusalStatus(reason) === 401 ? 401 : 403 });
}
