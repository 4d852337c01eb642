// The exchange of Google's STS, `POST /v1/token` (cloud-wire §2.1). It verifies no token and finds no role.
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { parseGcpProvider } from '../../base/credential/gcp-names.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import { withoutTrailingSpace } from '../../base/jwt/pasted.ts';
import { ACCESS_TOKEN_URN, TOKEN_EXCHANGE_GRANT } from '../rfc8693/request.ts';
import type { Parameters } from './parameters.ts';
import { readScopes } from './scopes.ts';

/** What an exchange asks for. */
export interface GcpTokenRequest {
  /** One identity token, without the white space that files and shells leave at its end. */
  readonly subjectToken: string;
  /** `//iam.googleapis.com/projects/…/providers/…`. */
  readonly provider: string;
  readonly scopes: readonly string[];
}

const SUBJECT_TYPES: readonly string[] = [
  'urn:ietf:params:oauth:token-type:jwt',
  'urn:ietf:params:oauth:token-type:id_token',
];

/**
 * The request in parameters that stand once each. Of `options`, a project to bill is ignored; everything else is refused,
 * because it may narrow the token (an access boundary does) and the caller would get more than it asked for. Unknown parameters
 * are ignored (RFC 6749 §3.1).
 * Errors: request_malformed, grant_type_unsupported, target_malformed, token_missing; their details are fit for the caller.
 */
export function decodeGcpTokenRequest(parameters: Parameters): Result<GcpTokenRequest, Failure> {
  const problem = unserved(parameters);
  if (problem !== undefined) return err(problem);
  const audience = parameters.get('audience');
  if (audience === undefined) return malformed('audience is missing');
  const provider = parseGcpProvider(audience)?.name;
  if (provider === undefined) {
    const wanted =
      '//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER';
    return err(failure('target_malformed', `audience is not the full name of a provider: ${wanted}`));
  }
  const scopes = readScopes((parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== ''));
  if (!scopes.ok) return scopes;
  const subjectToken = withoutTrailingSpace(parameters.get('subject_token') ?? '');
  if (subjectToken === '') return err(failure('token_missing', 'subject_token is missing'));
  return ok({ subjectToken, provider, scopes: scopes.value });
}

function unserved(parameters: Parameters): Failure | undefined {
  const grantType = parameters.get('grant_type');
  if (grantType === undefined) return failure('request_malformed', 'grant_type is missing');
  if (grantType !== TOKEN_EXCHANGE_GRANT) return failure('grant_type_unsupported', 'grant_type is not token-exchange');
  if (!SUBJECT_TYPES.includes(parameters.get('subject_token_type') ?? '')) {
    return failure('request_malformed', `subject_token_type is not one of ${SUBJECT_TYPES.join(', ')}`);
  }
  if ((parameters.get('requested_token_type') ?? ACCESS_TOKEN_URN) !== ACCESS_TOKEN_URN) {
    return failure('request_malformed', `requested_token_type is not ${ACCESS_TOKEN_URN}`);
  }
  const unknown = ['actor_token', 'actor_token_type', 'resource'].find((name) => parameters.has(name));
  if (unknown !== undefined) return failure('request_malformed', `${unknown} is not served`);
  return areHarmless(parameters.get('options') ?? '{}')
    ? undefined
    : failure('request_malformed', 'options may hold userProject and nothing else');
}

function areHarmless(options: string): boolean {
  // Google's Python client percent-encodes the text once more than the form does.
  const text = options.startsWith('%7B') ? decoded(options) : options;
  const json = parseJsonObject(new TextEncoder().encode(text));
  return json.ok && Object.keys(json.value).every((name) => name === 'userProject');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

const malformed = (detail: string): Result<never, Failure> => err(failure('request_malformed', detail));
