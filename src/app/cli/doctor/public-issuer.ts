// What an issuer shows to everybody: its discovery document, its key set and its certificates, fetched as an STS would. What it
// means for one token is issuer-findings.ts's business.
import { type JsonObject, stringMember } from '../../../base/core/json.ts';
import { MAX_JWKS_BYTES } from '../../../base/core/limits.ts';
import { err, ok, type Result } from '../../../base/core/result.ts';
import { parseJsonObject } from '../../../base/json/parse.ts';
import type { FetchFailure, GuardedFetch, NetworkScope } from '../../../base/ports/fetch.ts';
import type { FetchError } from '../../net/response.ts';
import type { ShownCertificate } from '../../net/server-certificates.ts';

/** As long as an STS waits. */
const TIMEOUT_MS = 5000;

/** How the world is reached. */
export interface Reach {
  readonly fetch: GuardedFetch;
  readonly certificates: (
    url: URL,
    o: { readonly network: NetworkScope; readonly timeoutMs: number },
  ) => Promise<Result<readonly ShownCertificate[], FetchError>>;
}

/** Why a document was not had; `bad_answer`: the server answered, with something else. */
export interface NoDocument {
  readonly kind: FetchFailure | 'bad_answer';
  readonly detail: string;
}

/** Everything that was fetched; a part is absent where the one before it failed. */
export interface PublicIssuer {
  /** Where its addresses lie, as far as was found out. */
  readonly network: NetworkScope;
  readonly discovery: Result<JsonObject, NoDocument>;
  readonly jwksUri?: string;
  readonly jwks?: Result<JsonObject, NoDocument>;
  /** The chain of the server of the key set; absent over http. */
  readonly certificates?: Result<readonly ShownCertificate[], FetchError>;
}

const LOOPBACK = /^(?:localhost|127\.[0-9.]+|\[::1\])$/;

/**
 * Fetches what `issuer` publishes. OpenID Connect Discovery 1.0 §4. A name is looked for at public addresses first, then at
 * private ones: who can reach which is for the findings to say. Precondition: somebody chose this issuer, not a token alone.
 */
export async function fetchPublicIssuer(issuer: string, reach: Reach): Promise<PublicIssuer> {
  const discoveryUrl = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let network: NetworkScope = LOOPBACK.test(hostOf(issuer)) ? 'loopback' : 'public';
  let discovery = await getJson(discoveryUrl, network, reach);
  if (network === 'public' && !discovery.ok && discovery.error.kind === 'address_refused') {
    const again = await getJson(discoveryUrl, 'private', reach);
    if (again.ok || again.error.kind !== 'address_refused') [network, discovery] = ['private', again];
  }
  const jwksUri = discovery.ok ? stringMember(discovery.value, 'jwks_uri') : undefined;
  if (jwksUri === undefined || !URL.canParse(jwksUri)) return { network, discovery };
  const jwks = await getJson(jwksUri, network, reach);
  const url = new URL(jwksUri);
  if (url.protocol !== 'https:') return { network, discovery, jwksUri, jwks };
  const certificates = await reach.certificates(url, { network, timeoutMs: TIMEOUT_MS });
  return { network, discovery, jwksUri, jwks, certificates };
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname : '');

async function getJson(url: string, network: NetworkScope, { fetch }: Reach): Promise<Result<JsonObject, NoDocument>> {
  const headers = { accept: 'application/json' };
  const answer = await fetch({ url, method: 'GET', headers, network, maxBytes: MAX_JWKS_BYTES, timeoutMs: TIMEOUT_MS });
  if (!answer.ok) return err({ kind: answer.error.kind, detail: answer.error.detail });
  if (answer.value.status !== 200) return err({ kind: 'bad_answer', detail: `${url} answers ${answer.value.status}` });
  const parsed = parseJsonObject(answer.value.body);
  if (parsed.ok) return ok(parsed.value);
  return err({ kind: 'bad_answer', detail: `${url} is no JSON object: ${parsed.error.problem}` });
}
