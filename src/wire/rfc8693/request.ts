// The requests of the token endpoint, both directions: OAuth 2.0 Token Exchange (RFC 8693 §2.1) and the JWT bearer grant
// (RFC 7523 §2.1). It verifies no token and finds no role.
import { formatRoleRef, parseRoleRef, type RoleRef } from '../../base/core/decision.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { withoutTrailingSpace } from '../../base/jwt/pasted.ts';
import type { TokenForm } from './token-form.ts';

export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** RFC 8693 §3. */
export const ACCESS_TOKEN_URN = 'urn:ietf:params:oauth:token-type:access_token';
const ID_TOKEN_URN = 'urn:ietf:params:oauth:token-type:id_token';
const JWT_URN = 'urn:ietf:params:oauth:token-type:jwt';

const ROLE_PREFIX = 'urn:jobpass:role:';
/** RFC 8707 §2: an absolute URI without a fragment. What it names is compared, never fetched. */
const RESOURCE = /^[A-Za-z][A-Za-z0-9+.-]*:[!-"$-~]{1,2000}$/;

/** What every exchange asks for. */
export interface TokenRequest {
  /** One identity token, without the white space that files and shells leave at its end. */
  readonly subjectToken: string;
  readonly role: RoleRef;
  /** Undefined: as long as the role allows. */
  readonly askedSeconds: number | undefined;
}

/** What a client may ask for besides. */
export interface TokenQuestion extends TokenRequest {
  readonly grant: TokenGrant;
  /** What the issued token is called in the answer; it is one and the same. */
  readonly issuedType: string;
  /** As it stands in the request; undefined: none. */
  readonly scope: string | undefined;
  /** Where the token is to be used; each must be a place where the role's tokens are good. */
  readonly resources: readonly string[];
}

export type TokenGrant = 'token_exchange' | 'jwt_bearer';

/** `urn:jobpass:role:<tenant>/<role>`. */
export const roleAudience = (role: RoleRef): string => `${ROLE_PREFIX}${formatRoleRef(role)}`;

/** The role named by an audience; undefined for anything that is not exactly such a name. */
export const parseRoleAudience = (audience: string): RoleRef | undefined =>
  audience.startsWith(ROLE_PREFIX) ? parseRoleRef(audience.slice(ROLE_PREFIX.length)) : undefined;

/** The client's side of an exchange: the form body. */
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

/** Looks a parameter up. RFC 6749 §3.1: one without a value counts as omitted. */
type Value = (name: string) => string | undefined;

/** The grants: where each has its token, and which parameters belong to others of them. */
const GRANTS: Readonly<
  Record<string, { readonly grant: TokenGrant; readonly token: string; readonly foreign: readonly string[] }>
> = {
  [TOKEN_EXCHANGE_GRANT]: { grant: 'token_exchange', token: 'subject_token', foreign: ['assertion'] },
  [JWT_BEARER_GRANT]: {
    grant: 'jwt_bearer',
    token: 'assertion',
    foreign: ['subject_token', 'subject_token_type', 'requested_token_type'],
  },
};

/** The grant that a form asks for, as far as it is one of ours: its answers differ. */
export const grantOf = (form: TokenForm): TokenGrant | undefined => grantNamed(form.single.get('grant_type'))?.grant;

const grantNamed = (name = '') => (Object.hasOwn(GRANTS, name) ? GRANTS[name] : undefined);

/**
 * What a form asks for. RFC 6749 §3.1: an unknown parameter is ignored. What the standards offer and this server does not do is
 * refused rather than ignored, because the caller would get something else than it asked for: actor tokens, other token types,
 * the other grant's parameters. `requested_lifetime` is ours: RFC 8693 has no parameter for a lifetime. `expires_in` is a member
 * of answers (RFC 6749 §5.1); a request that carries it means a lifetime and would get the role's whole one, so it is refused too.
 * Details quote no value: people put tokens into the wrong parameter, and callers read them.
 * Errors: request_malformed, grant_type_unsupported, target_malformed, token_missing, duration_invalid.
 */
export function decodeTokenRequest(form: TokenForm): Result<TokenQuestion, Failure> {
  const value: Value = (name) => form.single.get(name) || undefined;
  const grantType = value('grant_type');
  if (grantType === undefined) return err(failure('request_malformed', 'grant_type is missing'));
  const known = grantNamed(grantType);
  if (known === undefined) return err(failure('grant_type_unsupported', 'grant_type is none of ours'));
  const problem =
    unservedParameter(value, known) ?? (known.grant === 'token_exchange' ? typeProblem(value) : undefined);
  if (problem !== undefined) return err(failure('request_malformed', problem));
  const subjectToken = withoutTrailingSpace(value(known.token) ?? '');
  if (subjectToken === '') return err(failure('token_missing', `${known.token} is missing`));
  const target = readTarget(value('audience'), form.resources);
  if (!target.ok) return target;
  const asked = readLifetime(value('requested_lifetime'));
  if (!asked.ok) return asked;
  const issuedType = value('requested_token_type') ?? ACCESS_TOKEN_URN;
  return ok({
    subjectToken,
    ...target.value,
    askedSeconds: asked.value,
    grant: known.grant,
    issuedType,
    scope: value('scope'),
  });
}

function unservedParameter(value: Value, { foreign }: { readonly foreign: readonly string[] }): string | undefined {
  for (const name of ['actor_token', 'actor_token_type']) {
    if (value(name) !== undefined) return `${name} is not served: a job acts for nobody but itself`;
  }
  const stray = foreign.find((name) => value(name) !== undefined);
  if (stray !== undefined) return `${stray} belongs to another grant`;
  return value('expires_in') === undefined
    ? undefined
    : 'expires_in belongs to answers; requested_lifetime asks for a shorter life';
}

/** RFC 8693 §2.1 and §3: an access token is given, which is a JWT whoever asks for either. */
function typeProblem(value: Value): string | undefined {
  const subjectType = value('subject_token_type');
  if (subjectType !== ID_TOKEN_URN && subjectType !== JWT_URN) {
    return `subject_token_type is not ${ID_TOKEN_URN} or ${JWT_URN}`;
  }
  const requested = value('requested_token_type');
  if (requested === undefined || requested === ACCESS_TOKEN_URN || requested === JWT_URN) return undefined;
  return `requested_token_type is not ${ACCESS_TOKEN_URN} or ${JWT_URN}`;
}

function readTarget(
  audience: string | undefined,
  resources: readonly string[],
): Result<Pick<TokenQuestion, 'role' | 'resources'>, Failure> {
  const role = audience === undefined ? undefined : parseRoleAudience(audience);
  if (role === undefined) {
    return err(failure('target_malformed', `audience is not exactly one ${ROLE_PREFIX}<tenant>/<role>`));
  }
  const wrong = resources.find((resource) => !RESOURCE.test(resource));
  if (wrong === undefined) return ok({ role, resources });
  return err(failure('target_malformed', 'resource is not an absolute URI without a fragment'));
}

function readLifetime(asked: string | undefined): Result<number | undefined, Failure> {
  if (asked === undefined) return ok(undefined);
  if (/^[1-9][0-9]{0,8}$/.test(asked)) return ok(Number(asked));
  return err(failure('duration_invalid', 'requested_lifetime is not a whole number of seconds, at least 1'));
}
