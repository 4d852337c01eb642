// What anyone may know of the issuer: OIDC discovery, the key set, and where events are fetched.
import type { JsonObject } from '../base/core/json.ts';
import { ok } from '../base/core/result.ts';
import { CLAIM_NAMES } from '../base/identity/profile.ts';
import type { IssuerContext, IssuerKeys } from './context.ts';
import { type PublicDocument, publicDocument, serveDocument } from './public-document.ts';
import type { Handler, RouteDefinition } from './route.ts';
import type { IssuerSettings } from './settings.ts';

/**
 * OpenID Connect Discovery 1.0 §3. There is no authorization endpoint to name: tokens are given to jobs, not to
 * browsers (the same departure as GitHub's and Kubernetes' documents).
 */
function openidConfiguration(settings: IssuerSettings): JsonObject {
  return {
    issuer: settings.url,
    jwks_uri: `${settings.url}/.well-known/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [settings.algorithm],
    scopes_supported: ['openid'],
    claims_supported: CLAIM_NAMES[settings.profile],
    introspection_endpoint: `${settings.url}/v1/introspect`,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  };
}

/**
 * SSF 1.0 §7.1. Streams are set up by the operator (`clients:`), so only the poll endpoint is named, as an addition of
 * ours.
 */
function ssfConfiguration(settings: IssuerSettings): JsonObject {
  return {
    spec_version: '1_0',
    issuer: settings.url,
    jwks_uri: `${settings.url}/.well-known/jwks`,
    delivery_methods_supported: ['urn:ietf:rfc:8936'],
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:7617' }, { spec_urn: 'urn:ietf:rfc:7523' }],
    default_subjects: 'ALL',
    poll_endpoint: `${settings.url}/v1/events/poll`,
  };
}

/** What relying parties read, by the path below the issuer's URL: all that a static web host needs. */
export const publicFiles = (settings: IssuerSettings, keys: IssuerKeys): ReadonlyMap<string, string> => {
  const keySet = JSON.stringify({ keys: keys.publicJwks().keys });
  return new Map([
    ['.well-known/openid-configuration', JSON.stringify(openidConfiguration(settings))],
    ['.well-known/jwks', keySet],
    ['.well-known/jwks.json', keySet],
  ]);
};

/** Routes without authentication. */
export function discoveryRoutes(context: IssuerContext): readonly RouteDefinition[] {
  const { settings } = context;
  const serve = (document: PublicDocument): Handler => {
    return async (_, request) => ok(serveDocument(document, request));
  };
  const keySet = keySetDocument(context.keys);
  const jwks: Handler = async (_, request) => ok(serveDocument(keySet(), request));
  const ssf = serve(publicDocument(ssfConfiguration(settings)));
  return [
    {
      method: 'GET',
      path: '/.well-known/openid-configuration',
      handler: serve(publicDocument(openidConfiguration(settings))),
    },
    { method: 'GET', path: '/.well-known/jwks', handler: jwks },
    { method: 'GET', path: '/.well-known/jwks.json', handler: jwks },
    { method: 'GET', path: '/.well-known/ssf-configuration', handler: ssf },
  ];
}

/** The key set as a document; serialised again only when the ring shows other keys. */
function keySetDocument(ring: IssuerKeys): () => PublicDocument {
  let shown: readonly JsonObject[] = [];
  let document = publicDocument({ keys: [] });
  return () => {
    const { keys } = ring.publicJwks();
    if (keys.length !== shown.length || keys.some((key, at) => key !== shown[at])) {
      document = publicDocument({ keys });
      shown = keys;
    }
    return document;
  };
}
