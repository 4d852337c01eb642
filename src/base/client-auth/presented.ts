// What a request presents of its client: exactly one method, read strictly. Whether it is right is authenticate's business.
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import type { HttpRequest } from '../ports/http.ts';

/** RFC 7523 §2.2. */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A claim to be a client, not checked in any way. */
export type Presented =
  | { readonly kind: 'secret'; readonly name: string; readonly secret: Secret }
  /** `name` is the form's `client_id`, when it has one. */
  | { readonly kind: 'assertion'; readonly assertion: string; readonly name: string | undefined };

export type Form = ReadonlyMap<string, string>;

/** Enough for a name and a secret of several hundred characters each, wholly percent-encoded. */
const MAX_BASIC_CHARS = 4096;

const refuse = (detail: string): Result<never, Failure> => err(failure('client_unknown', detail));

/** `application/x-www-form-urlencoded` of one value; undefined for a stray `%`, broken UTF-8, a control, or nothing. */
function formDecode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '));
    return decoded === '' || /[\x00-\x1f\x7f]/.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

/** RFC 7617 §2 with the encoding of RFC 6749 §2.3.1: both parts are form-encoded before they are joined. */
function readBasic(credentials: string): Result<Presented, Failure> {
  if (credentials.length > MAX_BASIC_CHARS) return refuse('the Basic credentials are too long');
  const bytes = Buffer.from(credentials, 'base64');
  if (bytes.toString('base64') !== credentials) return refuse('the Basic credentials are not canonical base64');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('the Basic credentials are not UTF-8');
  }
  const colon = text.indexOf(':');
  const name = colon < 0 ? undefined : formDecode(text.slice(0, colon));
  const secret = colon < 0 ? undefined : formDecode(text.slice(colon + 1));
  if (name === undefined || secret === undefined)
    return refuse('the Basic credentials are not name:secret, form-encoded');
  return ok({ kind: 'secret', name, secret: new Secret(secret) });
}

function readHeader(header: string, form: Form | undefined): Result<Presented, Failure> {
  const [, scheme = '', credentials = ''] = /^([A-Za-z]+) (\S+)$/.exec(header) ?? [];
  // RFC 9110 §11.1: schemes are compared without case.
  if (scheme.toLowerCase() === 'basic') return readBasic(credentials);
  if (scheme.toLowerCase() === 'bearer' && form === undefined) {
    return ok({ kind: 'assertion', assertion: credentials, name: undefined });
  }
  return refuse('the Authorization header has no method for clients of this route');
}

/** The methods that `form` uses: none, one, or the failure of the one that cannot be read. */
function readForm(form: Form): Result<Presented, Failure>[] {
  const found: Result<Presented, Failure>[] = [];
  const [name, secret] = [form.get('client_id'), form.get('client_secret')];
  const [assertion, type] = [form.get('client_assertion'), form.get('client_assertion_type')];
  if (secret !== undefined) {
    const isComplete = name !== undefined && name !== '' && secret !== '';
    found.push(
      isComplete
        ? ok({ kind: 'secret', name, secret: new Secret(secret) })
        : refuse('client_id or client_secret is empty'),
    );
  }
  if (assertion !== undefined || type !== undefined) {
    const isComplete = assertion !== undefined && type === ASSERTION_TYPE;
    found.push(
      isComplete ? ok({ kind: 'assertion', assertion, name }) : refuse('client_assertion_type is not jwt-bearer'),
    );
  }
  return found;
}

/** Whether a request claims to be some client's. A `client_id` alone proves nothing and claims nothing. */
export const presentsClient = (request: HttpRequest, form: Form): boolean =>
  request.headers.authorization !== undefined || form.has('client_secret') || form.has('client_assertion');

/**
 * The one way in which a request names its client: HTTP Basic; `client_secret` or `client_assertion` of the form; or,
 * on routes without a form, `Authorization: Bearer` with an assertion. RFC 6749 §2.3: more than one is refused, and so
 * is a `client_id` beside Basic that names another client.
 * Failure: `client_unknown`.
 */
export function presentedClient(request: HttpRequest, form: Form | undefined): Result<Presented, Failure> {
  const header = request.headers.authorization;
  const found = form === undefined ? [] : readForm(form);
  if (header !== undefined) found.push(readHeader(header, form));
  const [presented, ...others] = found;
  if (presented === undefined) return refuse('the request names no client');
  if (others.length > 0) return refuse(`the request uses ${found.length} methods of client authentication`);
  const name = form?.get('client_id');
  if (presented.ok && presented.value.kind === 'secret' && name !== undefined && name !== presented.value.name) {
    return refuse('client_id and Authorization name different clients');
  }
  return presented;
}
