// What the operator decides about one gateway. app/config makes it from jobpass.yaml.
import type { JsonObject } from '../base/core/json.ts';
import type { Secret } from '../base/core/secret.ts';
import type { NetworkScope } from '../base/ports/fetch.ts';

export interface GatewaySettings {
  readonly name: string;
  readonly group: string;
  readonly sts: {
    readonly url: string;
    readonly network: NetworkScope;
    readonly client: string;
    readonly secret: Secret;
    /** Keys the first feed message is checked with; null: fetched from the STS's own JWKS. */
    readonly pinnedJwks: JsonObject | null;
  };
  readonly clockSkewSeconds: number;
  /** The resource behind an HTTP guard. */
  readonly upstream: string | null;
  /** The proxy whose headers `/check` reads; null: no check listener. */
  readonly check: 'nginx' | null;
}
