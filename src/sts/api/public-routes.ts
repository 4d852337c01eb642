// What anyone may read of the STS: its metadata and its public keys. Made once, served as bytes.
import { createHash } from 'node:crypto';
import { ASSERTION_ALGORITHMS } from '../../base/client-auth/assertion.ts';
import type { HttpRequest, Route } from '../../base/ports/http.ts';
import type { KeyRing } from '../../keys/ring.ts';
import { JWT_BEARER_GRANT, TOKEN_EXCHANGE_GRANT } from '../../wire/rfc8693/request.ts';

/** As long as readers refresh keys anyway (design, section 8). */
const MAX_AGE_SECONDS = 300;

/** RFC 8414 metadata and the JWKS. URLs come from the configuration, never from the request. */
export function publicRoutes(o: {
  readonly stsUrl: string;
  readonly keys: Pick<KeyRing, 'publicJwks'>;
}): readonly Route[] {
  return [
    documentRoute('/.well-known/oauth-authorization-server', 'application/json', metadata(o.stsUrl)),
    documentRoute('/.well-known/jwks', 'application/jwk-set+json', o.keys.publicJwks()),
  ];
}

const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];

/** RFC 8414 §2. There is no authorization endpoint, so `response_types_supported` is empty. */
const metadata = (stsUrl: string) => ({
  issuer: stsUrl,
  token_endpoint: `${stsUrl}/token`,
  jwks_uri: `${stsUrl}/.well-known/jwks`,
  response_types_supported: [],
  grant_types_supported: [TOKEN_EXCHANGE_GRANT, JWT_BEARER_GRANT],
  token_endpoint_auth_methods_supported: ['none', ...AUTH_METHODS],
  token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  introspection_endpoint: `${stsUrl}/introspect`,
  introspection_endpoint_auth_methods_supported: AUTH_METHODS,
  introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  revocation_endpoint: `${stsUrl}/revoke`,
  revocation_endpoint_auth_methods_supported: ['none', ...AUTH_METHODS],
  revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
});

function documentRoute(path: string, contentType: string, document: unknown): Route {
  const body = JSON.stringify(document);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  const headers = { 'content-type': contentType, 'cache-control': `public, max-age=${MAX_AGE_SECONDS}`, etag };
  return {
    method: 'GET',
    path,
    handle: async (request) =>
      isKnown(request, etag) ? { status: 304, headers, body: '' } : { status: 200, headers, body },
  };
}

/** RFC 9110 §13.1.2, weak comparison. */
function isKnown(request: HttpRequest, etag: string): boolean {
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return known.includes(etag) || known.includes('*');
}
