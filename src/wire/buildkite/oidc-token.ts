// Buildkite's OIDC token request (`buildkite-agent oidc request-token`, cosign): decoding and the answer. It knows
// nothing of jobs.
import type { JsonObject, JsonValue } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';

/** What the agent may ask for. All of it only narrows what the job's record allows. */
export interface OidcTokenRequest {
  readonly audience: string;
  /** Seconds; undefined: the server's default. */
  readonly lifetimeSeconds: number | undefined;
  /** Optional claims wanted in the token. */
  readonly claims: readonly string[];
  /** Undefined: all that the job's record names. */
  readonly awsSessionTags: readonly string[] | undefined;
  /** A claim to use as `sub`. */
  readonly subjectClaim: string | undefined;
}

/** More names than any token has claims. */
const MAX_NAMES = 50;

/**
 * Reads the body of `POST /v3/jobs/{id}/oidc/tokens`. Empty members mean omitted ones, as the agent treats them;
 * unknown members are ignored so that newer agents work. Fails with `request_malformed`; `duration_invalid` for a
 * lifetime that is no whole number.
 */
export function decodeOidcTokenRequest(body: JsonObject): Result<OidcTokenRequest, Failure> {
  const audience = member(body, 'audience');
  if (typeof audience !== 'string' || audience === '') {
    return err(failure('request_malformed', 'no audience was asked for; there is no default one'));
  }
  const lifetime = member(body, 'lifetime') ?? 0;
  if (typeof lifetime !== 'number' || !Number.isSafeInteger(lifetime) || lifetime < 0) {
    return err(failure('duration_invalid', 'lifetime is not a whole number of seconds'));
  }
  const claims = names(member(body, 'claims'));
  const awsSessionTags = names(member(body, 'aws_session_tags'));
  const subjectClaim = member(body, 'subject_claim') ?? '';
  if (claims === undefined || awsSessionTags === undefined || typeof subjectClaim !== 'string') {
    return err(failure('request_malformed', 'claims, aws_session_tags or subject_claim has the wrong type'));
  }
  return ok({
    audience,
    lifetimeSeconds: lifetime === 0 ? undefined : lifetime,
    claims,
    awsSessionTags: awsSessionTags.length === 0 ? undefined : awsSessionTags,
    subjectClaim: subjectClaim === '' ? undefined : subjectClaim,
  });
}

/** The answer's body. */
export const encodeOidcTokenResponse = (idToken: string): { readonly token: string } => ({ token: idToken });

const member = (body: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(body, name) ? body[name] : undefined;

function names(value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MAX_NAMES) return undefined;
  return value.every((name): name is string => typeof name === 'string') ? value : undefined;
}
