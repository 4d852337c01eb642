// Asks an issuer whether a token of it is still active, as its registered client. It asks no one else and keeps nothing.

import { err, ok, type Result } from '../../base/core/result.ts';
import type { Secret } from '../../base/core/secret.ts';
import type { GuardedFetch } from '../../base/ports/fetch.ts';
import { basicAuthorization } from '../../wire/authorization.ts';
import {
  type ActiveToken,
  decodeIntrospectionResponse,
  encodeIntrospectionRequest,
} from '../../wire/introspection/introspection.ts';
import type { TrustedIssuer } from '../settings.ts';
import { type DiscoveredIssuer, discoverIssuer } from './discovery.ts';
import { fetchJsonObject } from './outbound.ts';

/** The STS's own account at an issuer. */
export interface IssuerClient {
  readonly client: string;
  readonly secret: Secret;
}

/** What the issuer says of a token of its own: null when it is not active. The error is for the operator. */
export type Introspect = (
  issuer: TrustedIssuer,
  client: IssuerClient,
  token: string,
) => Promise<Result<ActiveToken | null, string>>;

/**
 * Introspection (RFC 7662) at the endpoint that the issuer's own discovery document names, on its own origin. `known` is
 * what was discovered with the keys; without it the document is fetched.
 */
export const introspectOver =
  (fetch: GuardedFetch, known: (issuer: string) => DiscoveredIssuer | null): Introspect =>
  async (issuer, client, token) => {
    const before = known(issuer.issuer);
    const discovered = before === null ? await discoverIssuer(fetch, issuer) : ok(before);
    if (!discovered.ok) return err(discovered.error.detail);
    const url = discovered.value.introspectionEndpoint;
    if (url === null) return err(`${issuer.issuer}: no introspection_endpoint on the issuer's own origin`);
    const answer = await fetchJsonObject(fetch, {
      url,
      network: issuer.network,
      body: encodeIntrospectionRequest(token),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: basicAuthorization(client.client, client.secret),
      },
    });
    if (!answer.ok) return err(answer.error.detail);
    const decoded = decodeIntrospectionResponse(answer.value);
    return decoded.ok ? ok(decoded.value) : err(`${url}: ${decoded.error.detail}`);
  };
