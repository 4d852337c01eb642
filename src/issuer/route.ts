// Turns a handler that answers or refuses into a route. Whatever goes wrong unexpectedly becomes 503, and nothing is
// granted.
import type { Result } from '../base/core/result.ts';
import type { HttpRequest, HttpResponse, Route } from '../base/ports/http.ts';
import type { IssuerContext } from './context.ts';
import { encodeRefusal, type Refusal } from './refusal.ts';

/** An answer, or why not. */
export type Outcome = Result<HttpResponse, Refusal>;

/** Answers one request; a rejection is an unexpected failure. */
export type Handler = (context: IssuerContext, request: HttpRequest) => Promise<Outcome>;

/** A route as it is listed: `path` is relative to the issuer's URL. */
export interface RouteDefinition {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly handler: Handler;
  /** The wire's own form of a refusal; JSON with `message` unless given. */
  readonly encode?: (refusal: Refusal, decisionId: string) => HttpResponse;
}

/** The route under the path of the issuer's URL (`https://ci.example.com/acme` serves under `/acme`). */
export function makeRoute(context: IssuerContext, definition: RouteDefinition): Route {
  const { method, handler } = definition;
  const encode = definition.encode ?? encodeRefusal;
  const name = `${method} ${definition.path}`;
  return {
    method,
    path: `${pathPrefix(context.settings.url)}${definition.path}`,
    handle: async (request) => {
      try {
        const outcome = await handler(context, request);
        if (outcome.ok) return outcome.value;
        return encode(outcome.error, context.refusals.record(name, outcome.error));
      } catch (cause) {
        const { refusal, decisionId } = context.refusals.recordFailure(name, cause);
        return encode(refusal, decisionId);
      }
    },
  };
}

/** The path of the issuer's URL, empty for the root. */
function pathPrefix(issuerUrl: string): string {
  const { pathname } = new URL(issuerUrl);
  return pathname === '/' ? '' : pathname;
}
