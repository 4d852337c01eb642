// The answers of a granted exchange (RFC 8693 §2.2.1, RFC 6749 §5.1), both directions. It decides nothing.
import { type JsonObject, stringMember } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { type HttpResponse, jsonResponse, NEVER_KEPT } from '../../base/ports/http.ts';
import type { TokenGrant } from './request.ts';

/** What a granted exchange hands out. */
export interface TokenResponse {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly sessionId: string;
  readonly decisionId: string;
  /** False: the session ends by its expiry alone, because the STS does not hear when its job ends. */
  readonly jobBound: boolean;
}

/** How the answer is told. */
export interface AnswerForm {
  readonly grant: TokenGrant;
  /** The token type that was asked for. */
  readonly issuedType: string;
  /** What the session is narrowed to, where that is not what was asked for; undefined: nothing to tell. */
  readonly scope: string | undefined;
}

/**
 * RFC 8693 §2.2.1, and the ids of session and decision as members of our own (RFC 6749 §5.1 lets clients ignore them); `job_bound` only
 * where it is false: then `expires_in` is how long the session lives, whatever becomes of its job.
 * `issued_token_type` is an exchange's alone.
 */
export function encodeTokenResponse(response: TokenResponse, { grant, issuedType, scope }: AnswerForm): HttpResponse {
  const body = {
    access_token: response.accessToken,
    ...(grant === 'token_exchange' ? { issued_token_type: issuedType } : {}),
    token_type: 'Bearer',
    expires_in: response.expiresInSeconds,
    ...(scope === undefined ? {} : { scope }),
    session_id: response.sessionId,
    decision_id: response.decisionId,
    ...(response.jobBound ? {} : { job_bound: false }),
  };
  return jsonResponse(200, body, NEVER_KEPT);
}

/** The client's side of a 200 answer. Errors: request_malformed. */
export function decodeTokenResponse(body: JsonObject): Result<TokenResponse, Failure> {
  const accessToken = stringMember(body, 'access_token');
  const sessionId = stringMember(body, 'session_id');
  const decisionId = stringMember(body, 'decision_id');
  const expiresInSeconds = body.expires_in;
  const isBearer = stringMember(body, 'token_type')?.toLowerCase() === 'bearer';
  if (!accessToken || !sessionId || !decisionId || typeof expiresInSeconds !== 'number' || !isBearer) {
    return err(failure('request_malformed', 'the answer is not a token response'));
  }
  return ok({ accessToken, expiresInSeconds, sessionId, decisionId, jobBound: body.job_bound !== false });
}
