// The job's side of the delegation: an ID token from the issuer, an access token from the STS.
// Start-up time counts here (`jobpass token`): no schema library, no YAML, no JOSE. Nothing received is verified here; the STS does.
import { Buffer } from 'node:buffer';
import type { RoleRef } from '../base/core/decision.ts';
import type { Claims } from '../base/core/json.ts';
import { isJsonObject } from '../base/core/json.ts';
import { MAX_TOKEN_BYTES } from '../base/core/limits.ts';
import type { Result } from '../base/core/result.ts';
import { err, ok } from '../base/core/result.ts';
import { Secret } from '../base/core/secret.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import { decodeIdTokenResponse, encodeIdTokenRequest, idTokenRequestUrl } from '../wire/github/id-token.ts';
import { encodeTokenRequest, parseRoleAudience, roleAudience } from '../wire/rfc8693/request.ts';
import { decodeTokenResponse } from '../wire/rfc8693/response.ts';
import type { RunnerFailure } from './failure.ts';
import { callJson, type Transport } from './http.ts';

export type { Transport } from './http.ts';

/** The variables by which a CI hands a job its right to ask for ID tokens (GitHub's names, so that every SDK finds them). */
export const REQUEST_URL_VARIABLE = 'ACTIONS_ID_TOKEN_REQUEST_URL';
export const REQUEST_TOKEN_VARIABLE = 'ACTIONS_ID_TOKEN_REQUEST_TOKEN';

/** Environment variables by name, as the process got them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where and with what a job asks for ID tokens. */
export interface JobEnvironment {
  readonly requestUrl: string;
  readonly requestToken: Secret;
}

/** An ID token and what it says. The claims are decoded, NOT verified: for display and for choosing, never for trusting. */
export interface IdToken {
  readonly token: Secret;
  readonly claims: Claims;
  readonly expiresAt: EpochSeconds;
}

/** The credential a role gave. */
export interface ExchangedToken {
  readonly accessToken: Secret;
  readonly expiresAt: EpochSeconds;
  readonly sessionId: string;
  /** Under which the operator finds the grant. */
  readonly decisionId: string;
}

/** Finds the job's identity in `env`. `usage` when the process does not run inside a job that may have one. */
export function readJobEnvironment(env: Environment): Result<JobEnvironment, RunnerFailure> {
  const requestUrl = env[REQUEST_URL_VARIABLE] ?? '';
  const requestToken = env[REQUEST_TOKEN_VARIABLE] ?? '';
  if (requestUrl === '' && requestToken === '') {
    return usage(
      'not inside a job: there is no ACTIONS_ID_TOKEN_REQUEST_URL in the environment',
      'run this in a step of a job that asks for an audience; on this machine: jobpass run PIPELINE',
    );
  }
  if (requestUrl === '' || requestToken === '') {
    const missing = requestUrl === '' ? REQUEST_URL_VARIABLE : REQUEST_TOKEN_VARIABLE;
    return usage(`half a job environment: ${missing} is missing`, 'hand both variables to the step');
  }
  if (!isHttpUrl(requestUrl)) return usage(`${REQUEST_URL_VARIABLE} is not an http or https URL`);
  // A header value; anything else would make fetch throw with the token in its message.
  if (!/^[\x21-\x7e]+$/.test(requestToken))
    return usage(`${REQUEST_TOKEN_VARIABLE} holds a character that no token has`);
  return ok({ requestUrl, requestToken: new Secret(requestToken) });
}

/**
 * Asks the job's issuer for an ID token for one audience (GitHub's wire: `GET …&audience=A` → `{"value"}`). The URL comes from
 * the environment and may or may not carry a query already. `denied` when the job may not have that audience or is over.
 */
export async function requestIdToken(
  transport: Transport,
  request: { readonly env: Environment; readonly audience: string },
): Promise<Result<IdToken, RunnerFailure>> {
  const environment = readJobEnvironment(request.env);
  if (!environment.ok) return environment;
  if (request.audience === '') return usage('no audience given', 'name who the token is for: --audience URL');
  const { requestUrl, requestToken } = environment.value;
  const asked = encodeIdTokenRequest(requestUrl.includes('?') ? requestUrl : idTokenRequestUrl(requestUrl), {
    requestToken,
    audience: request.audience,
  });
  const answer = await callJson(transport, { ...asked, method: 'GET', peer: 'the issuer' });
  if (!answer.ok) return answer;
  return readIdToken(decodeIdTokenResponse(answer.value));
}

function readIdToken(token: string | undefined): Result<IdToken, RunnerFailure> {
  const claims = token === undefined ? undefined : decodeClaims(token);
  const expiresAt = claims?.exp;
  if (token === undefined || claims === undefined || typeof expiresAt !== 'number') {
    return err({ kind: 'failed', message: 'the issuer answered with something else than an ID token' });
  }
  return ok({ token: new Secret(token), claims, expiresAt });
}

/**
 * Exchanges an ID token for an access token of one role at `stsUrl` (RFC 8693). `role` is `tenant/name`; the token's audience
 * must be one that the STS accepts, by default the STS URL itself. `askedSeconds` can only shorten the session. A refusal is
 * `denied`, with the safe reason and the decision id under which the operator reads the rest.
 */
export async function exchangeToken(
  transport: Transport,
  request: {
    readonly stsUrl: string;
    readonly role: string;
    readonly token: Secret;
    readonly askedSeconds?: number;
    /** Now, to make an instant of `expires_in`. */
    readonly nowSeconds: EpochSeconds;
  },
): Promise<Result<ExchangedToken, RunnerFailure>> {
  const role = checkExchange(request);
  if (!role.ok) return role;
  const answer = await callJson(transport, {
    url: `${request.stsUrl.replace(/\/$/, '')}/token`,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: encodeTokenRequest({
      subjectToken: request.token.reveal(),
      role: role.value,
      askedSeconds: request.askedSeconds,
    }),
    peer: 'the STS',
  });
  if (!answer.ok) return answer;
  const response = decodeTokenResponse(answer.value);
  if (!response.ok) {
    return err({ kind: 'failed', message: 'the STS answered with something else than an access token' });
  }
  const { accessToken, expiresInSeconds, sessionId, decisionId } = response.value;
  return ok({
    accessToken: new Secret(accessToken),
    expiresAt: request.nowSeconds + expiresInSeconds,
    sessionId,
    decisionId,
  });
}

/** The named role, when an exchange could work at all. */
function checkExchange(request: {
  readonly stsUrl: string;
  readonly role: string;
  readonly askedSeconds?: number;
}): Result<RoleRef, RunnerFailure> {
  if (!isHttpUrl(request.stsUrl)) {
    return usage('the STS URL is not an http or https URL', 'name it with --sts URL or JOBPASS_STS');
  }
  const role = parseRoleName(request.role);
  if (role === undefined) return usage('the role is not of the form tenant/name', 'for example main/publish-web');
  const seconds = request.askedSeconds;
  if (seconds !== undefined && !(Number.isSafeInteger(seconds) && seconds > 0)) {
    return usage('the asked lifetime is not a whole positive number of seconds');
  }
  return ok(role);
}

/** `main/publish-web` as people write roles. */
function parseRoleName(name: string): RoleRef | undefined {
  const [tenant = '', role = '', ...more] = name.split('/');
  return more.length > 0 ? undefined : parseRoleAudience(roleAudience({ tenant, name: role }));
}

/** The payload of a compact JWS, unverified; undefined when it is not one. */
function decodeClaims(token: string): Claims | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined;
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isHttpUrl = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);

const usage = (message: string, hint?: string): Result<never, RunnerFailure> =>
  err(hint === undefined ? { kind: 'usage', message } : { kind: 'usage', message, hint });
