// What the operator decides about the STS. app/config makes it from jobpass.yaml.
import type { JsonObject } from '../base/core/json.ts';
import type { Statement } from '../base/core/permissions.ts';
import type { Secret } from '../base/core/secret.ts';
import type { NetworkScope } from '../base/ports/fetch.ts';
import type { Ceiling } from '../policy/role.ts';

/** How the STS learns that a job is over. */
type JobStatusSource =
  | { readonly kind: 'feed' | 'introspect'; readonly client: string; readonly secret: Secret }
  | { readonly kind: 'none' };

export interface TrustedIssuer {
  /** Compared with `iss` byte for byte. */
  readonly issuer: string;
  /** Never empty: a token must name one of these as its only audience. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly network: NetworkScope;
  readonly jobStatus: JobStatusSource;
  /** The longest session on its tokens; null: no bound of its own. */
  readonly maxSessionSeconds: number | null;
}

/** A gateway as the STS knows it: its client entry, where it is, and the public keys its group key is wrapped to. */
export interface RegisteredGateway {
  readonly name: string;
  readonly group: string;
  /** Its resource identifier (RFC 9728), by which exchanges may name it; null: none. */
  readonly url: string | null;
  readonly publicKeys: readonly JsonObject[];
}

export interface StsSettings {
  /** The STS URL: `iss` of what it signs and the audience of client assertions; no trailing slash. */
  readonly url: string;
  /** The URL under which Azure's clients reach it; they ask over https alone. No trailing slash. */
  readonly azureAuthority: string;
  readonly trustedIssuers: readonly TrustedIssuer[];
  readonly tenants: readonly Ceiling[];
  /** By tenant, then by ARN: the policies that AWS clients may name to narrow their sessions. */
  readonly awsPolicies: ReadonlyMap<string, ReadonlyMap<string, readonly Statement[]>>;
  readonly gateways: readonly RegisteredGateway[];
  readonly policiesFolder: string;
  readonly clockSkewSeconds: number;
}
