// The issuer's routes as they are listed, and where they are served: under the path of its URL.
import type { HttpRequest, HttpResponse, Route } from '../base/ports/http.ts';
import type { Refusal } from '../base/refusal/refusal.ts';
import { answeringRoute, type Outcome } from '../base/refusal/route.ts';
import type { IssuerContext } from './context.ts';

export type { Outcome };

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
export const makeRoute = (context: IssuerContext, definition: RouteDefinition): Route =>
  answeringRoute(context.refusals, {
    ...definition,
    name: `${definition.method} ${definition.path}`,
    path: `${pathPrefix(context.settings.url)}${definition.path}`,
    handler: (request) => definition.handler(context, request),
  });

/** The path of the issuer's URL, empty for the root. */
function pathPrefix(issuerUrl: string): string {
  const { pathname } = new URL(issuerUrl);
  return pathname === '/' ? '' : pathname;
}
