// Where a registered issuer keeps its keys and answers questions. Everything it names must lie on its own origin.
import { type JsonObject, stringMember } from '../../base/core/json.ts';
import { ok, type Result } from '../../base/core/result.ts';
import type { GuardedFetch } from '../../base/ports/fetch.ts';
import type { TrustedIssuer } from '../settings.ts';
import { fetchJsonObject, lasting, type OutboundFailure } from './outbound.ts';

export interface DiscoveredIssuer {
  readonly jwksUri: string;
  /** RFC 7662 endpoint; null when the issuer offers none. */
  readonly introspectionEndpoint: string | null;
}

/** OpenID Connect Discovery 1.0 §4: the path is appended after any trailing slash is dropped. */
const discoveryUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

/**
 * Fetches the discovery document of a registered issuer. OIDC Discovery §4.3: its `issuer` must equal the registered one
 * exactly, else another party could slip in its keys. Nothing from a token has a part in any URL.
 */
export async function discoverIssuer(
  fetch: GuardedFetch,
  issuer: TrustedIssuer,
): Promise<Result<DiscoveredIssuer, OutboundFailure>> {
  const url = discoveryUrl(issuer.issuer);
  const document = await fetchJsonObject(fetch, { url, network: issuer.network });
  if (!document.ok) return document;
  if (stringMember(document.value, 'issuer') !== issuer.issuer) return lasting(`${url}: names another issuer`);
  const jwksUri = sameOriginMember(document.value, 'jwks_uri', issuer.issuer);
  if (jwksUri === null) return lasting(`${url}: jwks_uri is missing or not on the issuer's own origin`);
  return ok({
    jwksUri,
    introspectionEndpoint: sameOriginMember(document.value, 'introspection_endpoint', issuer.issuer),
  });
}

/** The URL in a member of a metadata document when it lies on the origin of `issuer`, else null. */
function sameOriginMember(document: JsonObject, member: string, issuer: string): string | null {
  const text = stringMember(document, member);
  if (text === undefined || !URL.canParse(text) || !URL.canParse(issuer)) return null;
  const url = new URL(text);
  // An opaque origin ("null": file, data) equals every other opaque one.
  if (url.origin !== new URL(issuer).origin || url.origin === 'null') return null;
  return url.username === '' && url.password === '' ? url.href : null;
}
