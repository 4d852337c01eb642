// A request of Microsoft Entra's token endpoint with a client assertion (RFC 7523 §2.2; cloud-wire §3.1). It verifies no token and
// finds no role.
import { err, ok, type Result } from '../../base/core/result.ts';
import { isReservedAzureTenant, parseAzureGuid, parseAzureTenant } from '../../base/credential/azure-names.ts';
import { withoutTrailingSpace } from '../../base/jwt/pasted.ts';
import { byName, FORM_TYPE, isOfType } from '../form.ts';
import { parseQuery } from '../query.ts';
import { decodePairs } from '../urlencoded.ts';
import { type AzureRefusal, openRefusal } from './fault.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The parts of a request that say what is asked for. */
export interface AzureRequest {
  /** The path's first segment, decoded. */
  readonly tenant: string;
  /** Raw, without "?". */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a request asks for. */
export interface AzureTokenRequest {
  /** A GUID or a domain name, in lower case. */
  readonly tenant: string;
  /** A GUID in lower case. */
  readonly clientId: string;
  /** One identity token, without the white space that files and shells leave at its end. */
  readonly assertion: string;
}

/** Every parameter that says who asks for what. None may stand in the URL, because URLs end up in logs (RFC 6749 §2.3.1). */
const IN_BODY_ONLY = [
  'assertion',
  'client_assertion',
  'client_assertion_type',
  'client_id',
  'client_secret',
  'grant_type',
  'resource',
  'scope',
];

/** One scope token (RFC 6749 §3.3) of a length that Entra takes. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,600}$/;
/** A resource, and Entra's word for everything that the application may do there. */
const DEFAULT_SCOPE = /.\/\.default$/;

/**
 * The request. Every parameter stands at most once: two readers could pick different ones. One without a value counts as omitted,
 * an unknown one is ignored (RFC 6749 §3.2). Every refusal may be told whole: it speaks of the request alone, and quotes no value.
 * Precondition: the body is within MAX_BODY_BYTES.
 */
export function decodeAzureTokenRequest(request: AzureRequest): Result<AzureTokenRequest, AzureRefusal> {
  const tenant = readTenant(request.tenant);
  if (!tenant.ok) return tenant;
  const form = readForm(request);
  if (!form.ok) return form;
  const value = (name: string): string | undefined => form.value.get(name) || undefined;
  const problem = grantProblem(value) ?? scopeProblem(value('scope'));
  if (problem !== undefined) return err(problem);
  const clientId = readClientId(value('client_id'));
  if (!clientId.ok) return clientId;
  const assertion = readAssertion(value);
  return assertion.ok ? ok({ tenant: tenant.value, clientId: clientId.value, assertion: assertion.value }) : assertion;
}

/** The tenant in a path. What is no tenant's name is refused openly; whether a tenant is known, this does not tell. */
export function readTenant(segment: string): Result<string, AzureRefusal> {
  const tenant = parseAzureTenant(segment);
  if (tenant !== undefined) return ok(tenant);
  const message = isReservedAzureTenant(segment)
    ? 'The tenant in the path is a reserved word: a job signs in to one tenant, by its GUID or domain name'
    : 'The tenant in the path is neither a GUID nor a domain name';
  return err(openRefusal('target_malformed', 'tenant_malformed', message));
}

function readForm({ body, headers, query }: AzureRequest): Result<ReadonlyMap<string, string>, AzureRefusal> {
  if (!isOfType(headers, FORM_TYPE)) return malformed(`The body is not ${FORM_TYPE}`);
  if (headers.authorization !== undefined) return malformed('The client assertion is the only client authentication');
  const inUrl = parseQuery(query);
  if (!inUrl.ok) return malformed(`The query cannot be read: ${inUrl.error.detail}`);
  const misplaced = IN_BODY_ONLY.find((name) => inUrl.value.has(name));
  if (misplaced !== undefined) return malformed(`${misplaced} belongs into the body: URLs end up in logs`);
  const pairs = decodePairs(body);
  if (!pairs.ok) return malformed(`The body cannot be read: ${pairs.error.detail}`);
  const form = byName(pairs.value);
  return form.ok ? form : refused('parameter_repeated', 'A parameter is duplicated');
}

type Value = (name: string) => string | undefined;

/** What Entra's other flows have and this one has not is refused, where the caller would else get something it did not ask for. */
function grantProblem(value: Value): AzureRefusal | undefined {
  const grantType = value('grant_type');
  if (grantType === undefined) return missing('grant_type');
  if (grantType !== 'client_credentials') {
    const message = 'The grant type is not served: jobs sign in with client_credentials and a client assertion';
    return openRefusal('grant_type_unsupported', 'grant_type_unsupported', message);
  }
  if (value('resource') !== undefined) {
    return openRefusal('request_malformed', 'resource_given', "The 'resource' request parameter is not supported");
  }
  if (value('client_secret') !== undefined) {
    return openRefusal('request_malformed', 'assertion_missing', 'Secrets are not taken, only a client_assertion');
  }
  if ((value('token_type') ?? 'bearer').toLowerCase() !== 'bearer') {
    return openRefusal('request_malformed', 'request_malformed', 'The only token type given here is Bearer');
  }
  return undefined;
}

function scopeProblem(scope: string | undefined): AzureRefusal | undefined {
  if (scope === undefined) return missing('scope');
  if (!SCOPE.test(scope)) {
    const message =
      "The provided value for the input parameter 'scope' is not valid: wanted one resource with /.default";
    return openRefusal('request_malformed', 'scope_invalid', message);
  }
  if (DEFAULT_SCOPE.test(scope)) return undefined;
  const message =
    'The provided value for scope is not valid: client credentials need a resource with /.default behind it';
  return openRefusal('request_malformed', 'scope_not_default', message);
}

function readClientId(text: string | undefined): Result<string, AzureRefusal> {
  if (text === undefined) return err(missing('client_id'));
  const clientId = parseAzureGuid(text);
  if (clientId !== undefined) return ok(clientId);
  const message = 'client_id is not a valid application identifier: wanted a GUID';
  return err(openRefusal('target_malformed', 'application_malformed', message));
}

function readAssertion(value: Value): Result<string, AzureRefusal> {
  const type = value('client_assertion_type');
  const assertion = withoutTrailingSpace(value('client_assertion') ?? '');
  if (assertion === '') {
    const message = "The request body must contain the following parameter: 'client_assertion'";
    return err(openRefusal('token_missing', 'assertion_missing', message));
  }
  if (type === undefined) return err(missing('client_assertion_type'));
  return type === JWT_BEARER ? ok(assertion) : malformed(`client_assertion_type is not ${JWT_BEARER}`);
}

/**
 * The id by which the client finds its own request again: `client-request-id`, a GUID, in the URL or among the headers. Null when
 * it gave none that is one.
 */
export function correlationIdOf({ headers, query }: Pick<AzureRequest, 'headers' | 'query'>): string | null {
  const inUrl = parseQuery(query);
  const [given = headers['client-request-id'] ?? ''] = (inUrl.ok && inUrl.value.get('client-request-id')) || [];
  return parseAzureGuid(given) ?? null;
}

const missing = (name: string): AzureRefusal =>
  openRefusal(
    'request_malformed',
    'parameter_missing',
    `The request body must contain the following parameter: '${name}'`,
  );

const malformed = (message: string): Result<never, AzureRefusal> => refused('request_malformed', message);

const refused = (kind: 'request_malformed' | 'parameter_repeated', message: string): Result<never, AzureRefusal> =>
  err(openRefusal('request_malformed', kind, message));
