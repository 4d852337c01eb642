// Turns a handler that answers or refuses into a route. Whatever goes wrong unexpectedly becomes 503, and nothing is
// granted.
import { failure } from '../core/reasons.ts';
import type { Result } from '../core/result.ts';
import type { HttpRequest, HttpResponse, Route } from '../ports/http.ts';
import type { RefusalDesk } from './desk.ts';
import { encodeRefusal, type Refusal, refuse } from './refusal.ts';

/** An answer, or why not. */
export type Outcome = Result<HttpResponse, Refusal>;

/** A route as it is listed. */
export interface AnsweringRoute {
  readonly method: Route['method'];
  readonly path: string;
  /** What the log calls it; method and path unless given. */
  readonly name?: string;
  /** Answers one request; a rejection is an unexpected failure. */
  readonly handler: (request: HttpRequest) => Promise<Outcome>;
  /** The wire's own form of a refusal; JSON with `message` unless given. */
  readonly encode?: (refusal: Refusal, decisionId: string) => HttpResponse;
}

/** The route; each refusal of it is recorded at `desk` and carries the id that it got there. */
export function answeringRoute(desk: RefusalDesk, route: AnsweringRoute): Route {
  const { method, path, handler, name = `${method} ${path}`, encode = encodeRefusal } = route;
  return {
    method,
    path,
    handle: async (request) => {
      try {
        const outcome = await handler(request);
        return outcome.ok ? outcome.value : encode(outcome.error, desk.record(name, outcome.error));
      } catch (cause) {
        const { refusal, decisionId } = desk.recordFailure(name, cause);
        return encode(refusal, decisionId);
      }
    },
    refuse: (status, message) => {
      const refusal = refuse(failure(unreachedReason(status), message), null, status);
      return encode(refusal, desk.record(name, refusal));
    },
  };
}

/** What a status says of a request that never reached its handler. */
function unreachedReason(status: number): 'rate_limited' | 'internal_failure' | 'request_malformed' {
  if (status === 429) return 'rate_limited';
  return status >= 500 ? 'internal_failure' : 'request_malformed';
}
