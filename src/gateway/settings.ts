// What the operator decides about one gateway. app/config makes it from jobpass.yaml.
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
  };
  readonly clockSkewSeconds: number;
  /** The http or https origin of the resource behind the guard; null: there is no guard. */
  readonly upstream: string | null;
}
