// What Azure's clients read before they sign in: a tenant's OpenID configuration, the instance's discovery, the cloud's endpoints.
// Every URL in them begins with the authority that the operator configured; nothing depends on who asks or on what is there.
import { err, ok, type Result } from '../../base/core/result.ts';
import { type AzureRefusal, openRefusal } from './fault.ts';
import { readTenant } from './token-request.ts';

/**
 * The OpenID configuration of a tenant (OIDC Discovery §3), the same for every name that a tenant may have. MSAL wants an issuer on
 * the host that it asked. Nothing is signed under that name: access tokens are this server's own, and their `iss` is its URL.
 * Precondition: `tenant` is one that `readTenant` gave.
 */
export const openIdConfiguration = (authority: string, tenant: string) => ({
  token_endpoint: `${authority}/${tenant}/oauth2/v2.0/token`,
  token_endpoint_auth_methods_supported: ['private_key_jwt'],
  jwks_uri: `${authority}/.well-known/jwks`,
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
  response_types_supported: [],
  grant_types_supported: ['client_credentials'],
  issuer: `${authority}/${tenant}/v2.0`,
  // Nobody signs in here by hand: MSAL wants the member, and nothing is served under it.
  authorization_endpoint: authorizationEndpoint(authority, tenant),
});

const authorizationEndpoint = (authority: string, tenant: string): string =>
  `${authority}/${tenant}/oauth2/v2.0/authorize`;

/**
 * Where the authority of an authorization endpoint has its OpenID configuration. Only this server's own: whoever vouches for
 * another host sends somebody's tokens there.
 */
export function instanceDiscovery(authority: string, endpoint: string | undefined): Result<object, AzureRefusal> {
  const [, segment = ''] =
    /^\/+([^/]+)\/oauth2\/v2\.0\/authorize$/.exec((endpoint ?? '').slice(authority.length)) ?? [];
  const tenant = readTenant(segment);
  if (!endpoint?.startsWith(`${authority}/`) || !tenant.ok) {
    return err(openRefusal('request_malformed', 'instance_unknown', 'Unknown or invalid instance'));
  }
  const { host } = new URL(authority);
  return ok({
    tenant_discovery_endpoint: `${authority}/${tenant.value}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  });
}

/** A name that nobody can own (RFC 6761 §6.4): a client that goes on to these services reaches no stranger with its token. */
const NOBODY = 'jobpass.invalid';

/** The endpoints of the cloud, one object as Terraform wants it (cloud-wire §3.1). Of Azure's services there are none here. */
export const cloudEndpoints = (authority: string) => ({
  name: 'Jobpass',
  portal: authority,
  resourceManager: `https://management.${NOBODY}`,
  microsoftGraphResourceId: `https://graph.${NOBODY}/`,
  authentication: {
    loginEndpoint: authority,
    audiences: [`https://management.${NOBODY}`],
    tenant: 'common',
    identityProvider: 'AAD',
  },
  suffixes: { storage: NOBODY, keyVaultDns: `vault.${NOBODY}`, acrLoginServer: `registry.${NOBODY}` },
});
