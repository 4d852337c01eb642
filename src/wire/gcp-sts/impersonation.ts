// The call of Google's IAM Credentials API that takes on a service account, `generateAccessToken` (cloud-wire §2.2). It verifies no
// token and finds no role.
import type { JsonObject, JsonValue } from '../../base/core/json.ts';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { isGcpServiceAccount } from '../../base/credential/gcp-names.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import { isOfType } from '../form.ts';
import type { GcpRequest } from './parameters.ts';
import { readScopes } from './scopes.ts';

/** What a call asks for. */
export interface ImpersonationCall {
  readonly serviceAccount: string;
  readonly scopes: readonly string[];
  readonly askedSeconds: number;
}

const METHOD = 'generateAccessToken';
const MEMBERS: readonly string[] = ['scope', 'lifetime', 'delegates'];
/** What Google gives to whoever asks for no lifetime. */
const DEFAULT_LIFETIME_SECONDS = 3600;
/** The most that Google gives, and only where an organisation lets it. */
const MAX_LIFETIME_SECONDS = 43_200;

/**
 * The call. `resource` is the path's last segment, decoded: `EMAIL:generateAccessToken`. Unknown members are refused, as Google
 * does. Errors: request_malformed, target_malformed, duration_invalid, grant_type_unsupported (another method); their details are
 * fit for the caller.
 */
export function decodeImpersonation(resource: string, request: GcpRequest): Result<ImpersonationCall, Failure> {
  const colon = resource.lastIndexOf(':');
  if (resource.slice(colon + 1) !== METHOD) {
    return err(failure('grant_type_unsupported', `of the calls on service accounts only ${METHOD} is served`));
  }
  const serviceAccount = resource.slice(0, Math.max(colon, 0));
  if (!isGcpServiceAccount(serviceAccount)) {
    return err(failure('target_malformed', 'the URL does not hold the e-mail address of a service account'));
  }
  if (request.query !== '') return malformed('parameters belong into the body');
  if (!isOfType(request.headers, 'application/json')) return malformed('the body is not application/json');
  const body = parseJsonObject(request.body);
  if (!body.ok) return malformed(`the body is no JSON object: ${body.error.problem} at byte ${body.error.offset}`);
  return decodeBody(serviceAccount, body.value);
}

function decodeBody(serviceAccount: string, body: JsonObject): Result<ImpersonationCall, Failure> {
  if (!Object.keys(body).every((name) => MEMBERS.includes(name))) {
    return malformed(`the body may hold ${MEMBERS.join(', ')} and nothing else`);
  }
  const { delegates, lifetime, scope } = body;
  if (delegates !== undefined && delegates !== null && !isEmptyList(delegates)) {
    return malformed('delegates are not served: no chain of accounts is walked');
  }
  const askedSeconds = readLifetime(lifetime);
  if (!askedSeconds.ok) return askedSeconds;
  const scopes = readScopes(Array.isArray(scope) ? scope : []);
  return scopes.ok ? ok({ serviceAccount, scopes: scopes.value, askedSeconds: askedSeconds.value }) : scopes;
}

const isEmptyList = (value: JsonValue): boolean => Array.isArray(value) && value.length === 0;

/** Whole seconds in protobuf's form. More than the role allows is shortened; more than Google ever gives is refused, as it does. */
function readLifetime(lifetime: JsonValue | undefined): Result<number, Failure> {
  if (lifetime === undefined || lifetime === null) return ok(DEFAULT_LIFETIME_SECONDS);
  const [, digits] = (typeof lifetime === 'string' ? /^([1-9][0-9]{0,8})s$/.exec(lifetime) : null) ?? [];
  if (digits !== undefined && Number(digits) <= MAX_LIFETIME_SECONDS) return ok(Number(digits));
  return err(
    failure('duration_invalid', `lifetime is not of the form "3600s", from 1 to ${MAX_LIFETIME_SECONDS} seconds`),
  );
}

const malformed = (detail: string): Result<never, Failure> => err(failure('request_malformed', detail));
