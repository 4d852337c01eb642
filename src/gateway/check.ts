// Answers a proxy that asks before it serves (nginx `auth_request`). It forwards nothing, and answers 200, 401 and 403 only:
// nginx makes an error of its own out of everything else. What a proxy streams it cannot cut; the guard can.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { Log } from '../base/ports/log.ts';
import { type Authority, authorizeRequest, type Refusal } from './authorize.ts';
import {
  carriesCredential,
  type Headers,
  identityHeaders,
  readHeaders,
  refuseHeaders,
  singleHeader,
} from './headers.ts';
import { readTarget } from './path.ts';
import { logRefusal, refusalStatus, writeRefusal } from './refusal.ts';

/** Set by nginx itself from `$request_uri` and `$request_method`, over whatever the caller sent under these names. */
const ORIGINAL_URI = 'x-original-uri';
const ORIGINAL_METHOD = 'x-original-method';

export interface CheckDependencies {
  readonly authority: Authority;
  readonly newDecisionId: () => string;
  readonly log: Log;
}

interface Question {
  readonly authorization: readonly string[];
  readonly method: string;
  readonly path: string;
  readonly pathForPolicy: string;
}

/** The handler of the check listener. It must be reachable by the proxy alone: it believes the proxy's two headers. */
export function createCheck(d: CheckDependencies): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    const decision = d.newDecisionId();
    req.on('error', ignore);
    res.on('error', ignore);
    answer(d, { req, res, decision }).catch((cause: unknown) => {
      const detail = cause instanceof Error ? `${cause.name}: ${cause.message}` : 'unknown';
      refuse(d, { req, res, decision }, { failure: failure('internal_failure', detail) });
    });
  };
}

interface Asked {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly decision: string;
}

async function answer(d: CheckDependencies, asked: Asked): Promise<void> {
  const question = readQuestion(asked.req);
  if (!question.ok) return refuse(d, asked, { failure: question.error });
  const decided = await authorizeRequest(d.authority, question.value);
  if (asked.res.destroyed) return;
  if (!decided.ok) return refuse(d, asked, { failure: decided.error, question: question.value });
  const { token, action, resource, statement } = decided.value;
  const { decision, res } = asked;
  d.log.info(
    { decision, session: token.sessionId, role: token.role, action, resource, line: statement.line },
    'allowed',
  );
  res.writeHead(200, {
    'content-length': '0',
    'cache-control': 'no-store',
    'x-jobpass-decision': decision,
    ...identityHeaders(token),
  });
  res.end();
}

function readQuestion(req: IncomingMessage): Result<Question, Failure> {
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
  return readOriginal({ uri, method, headers });
}

function readOriginal(original: { uri: string; method: string; headers: Headers }): Result<Question, Failure> {
  const { uri, method, headers } = original;
  const refusal = refuseHeaders(headers);
  if (refusal !== undefined) return err(refusal);
  if (carriesCredential(uri, headers)) {
    return err(failure('request_malformed', 'the credential also stands outside of the Authorization header'));
  }
  const target = readTarget(uri);
  if (!target.ok) return target;
  const { path, pathForPolicy } = target.value;
  return ok({ authorization: headers.get('authorization') ?? [], method, path, pathForPolicy });
}

function refuse(
  d: CheckDependencies,
  { req, res, decision }: Asked,
  about: { readonly failure: Refusal; readonly question?: Question },
): void {
  const { token, ...reason } = about.failure;
  logRefusal(d.log, {
    decision,
    failure: reason,
    method: about.question?.method ?? req.method ?? '',
    ...(about.question === undefined ? {} : { path: about.question.path }),
    ...(token === undefined ? {} : { token }),
  });
  if (res.headersSent || res.destroyed) return;
  const status = refusalStatus(reason.reason) === 401 ? 401 : 403;
  writeRefusal(res, { reason: reason.reason, decision, status });
}

const ignore = (): void => {};
