// What anyone may read of the STS: its metadata and its public keys. Serialised when they change, served as bytes, from memory.
import { createHash } from 'node:crypto';
import { ASSERTION_ALGORITHMS } from '../../base/client-auth/assertion.ts';
import type { JsonObject } from '../../base/core/json.ts';
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
  const serverMetadata = serialised(metadata(o.stsUrl));
  const keySet = keySetDocument(o.keys);
  return [
    documentRoute('/.well-known/oauth-authorization-server', 'application/json', () => serverMetadata),
    documentRoute('/.well-known/jwks', 'application/jwk-set+json', keySet),
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

interface Serialised {
  readonly body: string;
  readonly etag: string;
}

function serialised(document: unknown): Serialised {
  const body = JSON.stringify(document);
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

/** The key set; serialised again only when the ring shows other keys. */
function keySetDocument(ring: Pick<KeyRing, 'publicJwks'>): () => Serialised {
  let shown: readonly JsonObject[] = [];
  let document = serialised({ keys: [] });
  return () => {
    const { keys } = ring.publicJwks();
    if (keys.length !== shown.length || keys.some((key, at) => key !== shown[at])) {
      document = serialised({ keys });
      shown = keys;
    }
    return document;
  };
}

function documentRoute(path: string, contentType: string, document: () => Serialised): Route {
  return {
    method: 'GET',
    path,
    handle: async (request) => {
      const { body, etag } = document();
      const headers = { 'content-type': contentType, 'cache-control': `public, max-age=${MAX_AGE_SECONDS}`, etag };
      return isKnown(request, etag) ? { status: 304, headers, body: '' } : { status: 200, headers, body };
    },
  };
}

/** RFC 9110 §13.1.2, weak comparison. */
function isKnown(request: HttpRequest, etag: string): boolean {
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return known.includes(etag) || known.includes('*');
}
