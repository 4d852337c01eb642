// Turns what operators may ask of a server into routes of its operator listener.
import type { ClientRegistry } from '../client-auth/authenticate.ts';
import type { Client } from '../client-auth/client.ts';
import { type Failure, failure, REASONS } from '../core/reasons.ts';
import { err, type Result } from '../core/result.ts';
import type { HttpRequest, HttpResponse, Route } from '../ports/http.ts';
import type { RefusalDesk } from './desk.ts';
import { encodeRefusal, type Refusal, refuse } from './refusal.ts';
import { answeringRoute, type Outcome } from './route.ts';

/** What every operator route needs. `Grant` is what the server lets its clients do. */
export interface OperatorDeps<Grant> {
  readonly clients: ClientRegistry<Grant>;
  readonly refusals: RefusalDesk;
}

/** Answers an operator, who is authenticated; what the operator may is the handler's business. */
export type OperatorHandler<Grant> = (
  request: HttpRequest,
  operator: Client<Grant>,
) => Promise<Result<HttpResponse, Failure>>;

/** Authenticates before anything else; what is refused after that is told to the operator whole. */
export const operatorRoute = <Grant>(
  { clients, refusals }: OperatorDeps<Grant>,
  { method, path }: Pick<Route, 'method' | 'path'>,
  handler: OperatorHandler<Grant>,
): Route =>
  answeringRoute(refusals, {
    method,
    path,
    encode: encodeForOperator,
    handler: async (request): Promise<Outcome> => {
      const operator = await clients.authenticate(request);
      if (!operator.ok) return err(refuse(operator.error, null));
      const answer = await handler(request, operator.value);
      return answer.ok ? answer : err(refuse(answer.error, `client:${operator.value.name}`));
    },
  });

/** Operators may read the whole reason; strangers read what every caller does. */
function encodeForOperator(refusal: Refusal, decisionId: string): HttpResponse {
  if (refusal.who === null) return encodeRefusal(refusal, decisionId);
  return encodeRefusal(refusal, decisionId, `${REASONS[refusal.reason][1]}: ${refusal.detail}`);
}

/** The operator's entry lacks this grant. */
export const notPermitted = (grant: string): Failure => failure('client_not_permitted', `this needs may.${grant}`);
