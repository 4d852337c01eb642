// The request of an OAuth 2.0 Token Exchange (RFC 8693 §2.1), both directions. It verifies no token and finds no role.
import { formatRoleRef, parseRoleRef, type RoleRef } from '../../base/core/decision.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { quote } from '../../base/json/quote.ts';

export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
/** RFC 8693 §3. */
export const ACCESS_TOKEN_URN = 'urn:ietf:params:oauth:token-type:access_token';
const ID_TOKEN_URN = 'urn:ietf:params:oauth:token-type:id_token';
const JWT_URN = 'urn:ietf:params:oauth:token-type:jwt';

const ROLE_PREFIX = 'urn:jobpass:role:';

/** What an exchange asks for. */
export interface TokenRequest {
  /** One identity token, without the white space that files and shells leave at its end. */
  readonly subjectToken: string;
  readonly role: RoleRef;
  /** Undefined: as long as the role allows. */
  readonly askedSeconds: number | undefined;
}

/** `urn:jobpass:role:<tenant>/<role>`. */
export const roleAudience = (role: RoleRef): string => `${ROLE_PREFIX}${formatRoleRef(role)}`;

/** The role named by an audience; undefined for anything that is not exactly such a name. */
export const parseRoleAudience = (audience: string): RoleRef | undefined =>
  audience.startsWith(ROLE_PREFIX) ? parseRoleRef(audience.slice(ROLE_PREFIX.length)) : undefined;

/** The client's side: the form body. */
export function encodeTokenRequest(request: TokenRequest): string {
  const form = new URLSearchParams({
    grant_type: TOKEN_EXCHANGE_GRANT,
    audience: roleAudience(request.role),
    requested_token_type: ACCESS_TOKEN_URN,
    subject_token: request.subjectToken,
    subject_token_type: ID_TOKEN_URN,
  });
  if (request.askedSeconds !== undefined) form.set('requested_lifetime', String(request.askedSeconds));
  return form.toString();
}

/**
 * The request in a form whose names stand once each. RFC 6749 §3.1: a parameter without a value counts as omitted, an
 * unknown one is ignored. What RFC 8693 offers and this server does not do is refused rather than ignored, because the
 * caller would get something else than it asked for: `actor_token`, `resource`, `scope`, other token types.
 * `requested_lifetime` is ours: RFC 8693 has no parameter for a lifetime. `expires_in` is a member of answers (RFC 6749 §5.1);
 * a request that carries it means a lifetime and would get the role's whole one, so it is refused too.
 * Errors: request_malformed, grant_type_unsupported, target_malformed, token_missing, duration_invalid.
 */
export function decodeTokenRequest(form: ReadonlyMap<string, string>): Result<TokenRequest, Failure> {
  const value = (name: string): string | undefined => form.get(name) || undefined;
  const problem = unservedParameter(value);
  if (problem !== undefined) return err(problem);
  const subjectToken = value('subject_token')?.replace(/[ \t\r\n]+$/, '');
  if (!subjectToken) return err(failure('token_missing', 'subject_token is missing'));
  const audience = value('audience');
  const role = audience === undefined ? undefined : parseRoleAudience(audience);
  if (role === undefined) {
    const wanted = `${ROLE_PREFIX}<tenant>/<role>`;
    return err(failure('target_malformed', `audience is ${quote(audience)}; wanted exactly one ${wanted}`));
  }
  const asked = value('requested_lifetime');
  if (asked === undefined) return ok({ subjectToken, role, askedSeconds: undefined });
  if (!/^[1-9][0-9]{0,8}$/.test(asked)) {
    return err(failure('duration_invalid', `requested_lifetime is ${quote(asked)}; wanted whole seconds, at least 1`));
  }
  return ok({ subjectToken, role, askedSeconds: Number(asked) });
}

function unservedParameter(value: (name: string) => string | undefined): Failure | undefined {
  const grantType = value('grant_type');
  if (grantType === undefined) return failure('request_malformed', 'grant_type is missing');
  if (grantType !== TOKEN_EXCHANGE_GRANT) return failure('grant_type_unsupported', `grant_type ${quote(grantType)}`);
  const subjectType = value('subject_token_type');
  if (subjectType !== ID_TOKEN_URN && subjectType !== JWT_URN) {
    return failure(
      'request_malformed',
      `subject_token_type is ${quote(subjectType)}; wanted ${ID_TOKEN_URN} or ${JWT_URN}`,
    );
  }
  const requested = value('requested_token_type');
  if (requested !== undefined && requested !== ACCESS_TOKEN_URN) {
    return failure('request_malformed', `requested_token_type ${quote(requested)}; only ${ACCESS_TOKEN_URN} is issued`);
  }
  for (const name of ['actor_token', 'actor_token_type', 'scope']) {
    if (value(name) !== undefined) return failure('request_malformed', `${name} is not served`);
  }
  if (value('expires_in') !== undefined) {
    return failure('request_malformed', 'expires_in belongs to answers; requested_lifetime asks for a shorter life');
  }
  return value('resource') === undefined
    ? undefined
    : failure('target_malformed', 'resource is not served: audience names the role');
}
