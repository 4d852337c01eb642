// Introspection at Google's STS, `POST /v1/introspect`: gcloud asks it who its token is (cloud-wire §2.5). Whether a token is
// active is the STS's business.
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import { withoutTrailingSpace } from '../../base/jwt/pasted.ts';
import { type HttpResponse, jsonResponse, NEVER_KEPT } from '../../base/ports/http.ts';
import type { Parameters } from './parameters.ts';

/** What whoever holds a token may know of it. */
export interface GcpActiveToken {
  /** `principal://…`, or the address of a service account; gcloud takes it for the account's name. */
  readonly username: string;
  readonly issuer: string;
  readonly subject: string;
  readonly issuedAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
}

/** The presented token (RFC 7662 §2.1), without white space at its end. The hint changes nothing. Error: request_malformed. */
export function decodeGcpIntrospection(parameters: Parameters): Result<string, Failure> {
  const token = withoutTrailingSpace(parameters.get('token') ?? '');
  return token !== '' ? ok(token) : err(failure('request_malformed', 'token is missing'));
}

/** RFC 7662 §2.2: of a token that is not active (null), nothing else is said, not even why. */
export function encodeGcpIntrospection(token: GcpActiveToken | null): HttpResponse {
  if (token === null) return jsonResponse(200, { active: false }, NEVER_KEPT);
  const { expiresAt, issuedAt, issuer, subject, username } = token;
  const body = {
    active: true,
    username,
    token_type: 'Bearer',
    iss: issuer,
    sub: subject,
    iat: issuedAt,
    exp: expiresAt,
  };
  return jsonResponse(200, body, NEVER_KEPT);
}
