// Requests signed by our own signer with one fixed key, in both forms, for tests that then break them.
import { hash } from 'node:crypto';
import { canonicalRequest, stringToSign } from '../../src/base/sigv4/canonical-request.ts';
import type { SignableRequest } from '../../src/base/sigv4/request.ts';
import { scopeText } from '../../src/base/sigv4/scope.ts';
import { signRequest } from '../../src/base/sigv4/sign-request.ts';
import { sign, signingKey } from '../../src/base/sigv4/signature.ts';

export const ACCESS_KEY_ID = 'ASIAJOBPASSJOBPASS22';
export const SESSION_TOKEN = 'a.session+token/=';
export const AMZ_DATE = '20261123T010203Z';
/** The moment of AMZ_DATE. */
export const SIGNED_AT = Date.UTC(2026, 10, 23, 1, 2, 3) / 1000;
const REGION = 'us-east-1';
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
export const EMPTY_HASH = hash('sha256', '', 'hex');

type Service = 's3' | 'sts';
const encodingOf = (service: Service) => (service === 's3' ? 'single' : 'double');
const scopeOf = (service: Service) => ({ date: AMZ_DATE.slice(0, 8), region: REGION, service });
export const keyFor = (service: Service): Uint8Array => signingKey(SECRET, scopeOf(service));

const withHeaders = (
  request: SignableRequest,
  changes: Readonly<Record<string, readonly string[]>>,
): SignableRequest => ({ ...request, headers: new Map([...request.headers, ...Object.entries(changes)]) });

/** The host, and whatever else the request has. */
export const unsignedRequest = (changes: Partial<SignableRequest> = {}): SignableRequest => ({
  method: 'GET',
  path: '/',
  query: '',
  headers: new Map([['host', ['127.0.0.1:9000']]]),
  ...changes,
});

/** In the header form, with a body of no bytes. Every header of `changes` is signed. */
export function headerSigned(service: Service, changes: Partial<SignableRequest> = {}): SignableRequest {
  const request = unsignedRequest(changes);
  const added = signRequest(request, {
    accessKeyId: ACCESS_KEY_ID,
    key: keyFor(service),
    scope: scopeOf(service),
    amzDate: AMZ_DATE,
    securityToken: SESSION_TOKEN,
    payloadHash: EMPTY_HASH,
    pathEncoding: encodingOf(service),
  });
  return withHeaders(request, Object.fromEntries(Object.entries(added).map(([name, value]) => [name, [value]])));
}

/** In the query form, good for five minutes unless `expires` says otherwise. Every header of `changes` is signed. */
export function presigned(
  service: Service,
  changes: Partial<SignableRequest> = {},
  expires: string = '300',
): SignableRequest {
  const request = unsignedRequest(changes);
  const signedHeaders = [...request.headers.keys()].sort();
  const parameters = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${ACCESS_KEY_ID}/${scopeText(scopeOf(service))}`,
    'X-Amz-Date': AMZ_DATE,
    'X-Amz-Expires': expires,
    'X-Amz-Security-Token': SESSION_TOKEN,
    'X-Amz-SignedHeaders': signedHeaders.join(';'),
  };
  const added = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const query = [...(request.query === '' ? [] : [request.query]), ...added].join('&');
  const canonical = canonicalRequest(
    { ...request, query },
    {
      signedHeaders,
      payloadHash: service === 's3' ? 'UNSIGNED-PAYLOAD' : EMPTY_HASH,
      pathEncoding: encodingOf(service),
    },
  );
  if (!canonical.ok) throw new Error(canonical.error.detail);
  const signature = sign(keyFor(service), stringToSign(AMZ_DATE, scopeOf(service), canonical.value));
  return { ...request, query: `${query}&X-Amz-Signature=${signature}` };
}

/** `request` with headers set as given; an empty list takes one away. */
export function changeHeaders(
  request: SignableRequest,
  changes: Readonly<Record<string, readonly string[]>>,
): SignableRequest {
  const { headers } = withHeaders(request, changes);
  return { ...request, headers: new Map([...headers].filter(([, values]) => values.length > 0)) };
}

/** `request` with its Authorization header rewritten. Throws when that changes nothing. */
export function changeAuthorization(request: SignableRequest, from: string | RegExp, to: string): SignableRequest {
  const before = request.headers.get('authorization')?.[0] ?? '';
  const after = before.replace(from, to);
  if (after === before) throw new Error(`the Authorization header has no ${String(from)}`);
  return changeHeaders(request, { authorization: [after] });
}

/** `request` with its query rewritten. Throws when that changes nothing. */
export function changeQuery(request: SignableRequest, from: string | RegExp, to: string): SignableRequest {
  const query = request.query.replace(from, to);
  if (query === request.query) throw new Error(`the query has no ${String(from)}`);
  return { ...request, query };
}
