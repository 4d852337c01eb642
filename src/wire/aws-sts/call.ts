// A request of AWS's query protocol as one of the calls that are served. It verifies no signature.
import { err, ok, type Result } from '../../base/core/result.ts';
import { byName, FORM_TYPE, isOfType } from '../form.ts';
import { decodePairs } from '../urlencoded.ts';
import { type AssumeRoleCall, decodeAssumeRole } from './assume-role.ts';
import { type AwsRefusal, openRefusal } from './fault.ts';

export type AwsCall = AssumeRoleCall | { readonly action: 'GetCallerIdentity' };

/** The parts of a request that say what is asked for. */
export interface AwsRequest {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const API_VERSION = '2011-06-15';

/** What AWS grants to holders of credentials. Here credentials come from identity tokens alone. */
const FROM_CREDENTIALS = new Set([
  'AssumeRole',
  'AssumeRoot',
  'GetDelegatedAccessToken',
  'GetFederationToken',
  'GetSessionToken',
  'GetWebIdentityToken',
]);

const SERVED = 'Served here: AssumeRoleWithWebIdentity, GetCallerIdentity';

/**
 * The call that a POST asks for. Every parameter stands once, in the body: of repeated ones AWS takes the first, which is not
 * what every other reader takes, and URLs end up in logs. Precondition: the body is within MAX_BODY_BYTES.
 */
export function decodeAwsCall(request: AwsRequest): Result<AwsCall, AwsRefusal> {
  const form = readForm(request);
  if (!form.ok) return form;
  const action = readAction(form.value);
  if (!action.ok) return action;
  if (action.value === 'GetCallerIdentity') return decodeGetCallerIdentity(form.value);
  if (request.headers.authorization !== undefined || request.headers['x-amz-security-token'] !== undefined) {
    return chainingRefused('AssumeRoleWithWebIdentity is not a signed call');
  }
  return decodeAssumeRole(form.value);
}

function readForm({ body, headers, query }: AwsRequest): Result<ReadonlyMap<string, string>, AwsRefusal> {
  if (!isOfType(headers, FORM_TYPE)) return malformed(`The body is not ${FORM_TYPE}`);
  if (query !== '') return malformed('Parameters belong into the body: URLs end up in logs');
  const pairs = decodePairs(body);
  if (!pairs.ok) return malformed(`The body cannot be read: ${pairs.error.detail}`);
  const form = byName(pairs.value);
  return form.ok ? form : malformed('A parameter stands twice');
}

function readAction(form: ReadonlyMap<string, string>): Result<AwsCall['action'], AwsRefusal> {
  const action = form.get('Action');
  if (action === undefined) {
    return err(openRefusal('request_malformed', 'MissingAction', `The request has no Action. ${SERVED}`));
  }
  const version = form.get('Version');
  const isVersion = version === API_VERSION;
  if (isVersion && (action === 'AssumeRoleWithWebIdentity' || action === 'GetCallerIdentity')) return ok(action);
  if (isVersion && FROM_CREDENTIALS.has(action)) return chainingRefused(`${action} is not served`);
  const asked = `operation ${plain(action)} for version ${version === undefined ? 'NO_VERSION_SPECIFIED' : plain(version)}`;
  return err(openRefusal('request_malformed', 'InvalidAction', `Could not find ${asked}. ${SERVED}`));
}

function decodeGetCallerIdentity(form: ReadonlyMap<string, string>): Result<AwsCall, AwsRefusal> {
  // Signatures of older protocols travel as parameters, and would be ignored.
  if (form.size === 2) return ok({ action: 'GetCallerIdentity' });
  return err(openRefusal('request_malformed', 'ValidationError', 'GetCallerIdentity has no parameters'));
}

/** Role chaining: a credential that makes credentials outlives its job and widens what it may do, one step at a time. */
const chainingRefused = (what: string): Result<never, AwsRefusal> => {
  const why =
    'credentials are given only for an identity token (AssumeRoleWithWebIdentity), never for other credentials';
  return err(openRefusal('chaining_refused', 'AccessDenied', `${what}: ${why}`));
};

const malformed = (message: string): Result<never, AwsRefusal> =>
  err(openRefusal('request_malformed', 'MalformedInput', message));

/** A value that may be shown to whoever sent it: anything but a plain word could be something put in the wrong place. */
const plain = (value: string): string => (/^[A-Za-z0-9._-]{0,64}$/.test(value) ? value : '(not a plain word)');
