// The jobs' routes: one ID token at a time, over GitHub's wire and Buildkite's.
import { failure } from '../base/core/reasons.ts';
import { err, ok } from '../base/core/result.ts';
import { parseJsonObject } from '../base/json/parse.ts';
import { type HttpRequest, jsonResponse } from '../base/ports/http.ts';
import { refuse } from '../base/refusal/refusal.ts';
import { authorizationToken } from '../wire/authorization.ts';
import { decodeOidcTokenRequest, encodeOidcTokenResponse } from '../wire/buildkite/oidc-token.ts';
import { decodeIdTokenRequest, encodeIdTokenResponse } from '../wire/github/id-token.ts';
import type { IssuerContext } from './context.ts';
import { findRunningJob, issueIdToken, whoOf } from './issue-id-token.ts';
import type { Outcome, RouteDefinition } from './route.ts';

/** The routes that need a request token of the job in the path. */
export const jobRoutes: readonly RouteDefinition[] = [
  { method: 'GET', path: '/v1/jobs/:id/id-token', handler: githubIdToken },
  { method: 'POST', path: '/v3/jobs/:id/oidc/tokens', handler: buildkiteOidcToken },
];

async function githubIdToken(context: IssuerContext, request: HttpRequest): Promise<Outcome> {
  const asked = decodeIdTokenRequest(request.query, request.headers);
  if (!asked.ok) return err(refuse(asked.error, null));
  const { requestToken, audience } = asked.value;
  const running = await findRunningJob(context, request.params.id ?? '', requestToken);
  if (!running.ok) return running;
  const issued = await issueIdToken(context, running.value, { audience });
  if (!issued.ok) return err(refuse(issued.error, whoOf(running.value.job)));
  return ok(jsonResponse(200, encodeIdTokenResponse(issued.value)));
}

async function buildkiteOidcToken(context: IssuerContext, request: HttpRequest): Promise<Outcome> {
  const requestToken = authorizationToken(request.headers.authorization, 'token');
  if (requestToken === undefined) {
    return err(refuse(failure('token_missing', 'no Authorization: Token header'), null));
  }
  const running = await findRunningJob(context, request.params.id ?? '', requestToken);
  if (!running.ok) return running;
  const who = whoOf(running.value.job);
  const body = parseJsonObject(request.body);
  if (!body.ok) return err(refuse(failure('request_malformed', `body: ${body.error.problem}`), who));
  const asked = decodeOidcTokenRequest(body.value);
  if (!asked.ok) return err(refuse(asked.error, who));
  const { audience, lifetimeSeconds, claims, awsSessionTags, subjectClaim } = asked.value;
  if (subjectClaim !== undefined) {
    return err(refuse(failure('request_malformed', 'subject_claim: a job cannot choose its subject'), who));
  }
  const issued = await issueIdToken(context, running.value, {
    audience,
    wantedClaims: claims,
    ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    ...(awsSessionTags === undefined ? {} : { awsSessionTags }),
  });
  return issued.ok ? ok(jsonResponse(200, encodeOidcTokenResponse(issued.value))) : err(refuse(issued.error, who));
}
