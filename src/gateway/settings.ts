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
  /** The origin that callers reach the guard at, its resource identifier (RFC 9728); null: it is not told. */
  readonly url: string | null;
  /** The http or https origin of the resource behind the guard; null: there is no guard. Never together with `s3`. */
  readonly upstream: string | null;
  /** The object store and its S3 front; null: there is none. */
  readonly s3: S3Settings | null;
  /** Further fronts of the same store, each at an address of its own. Never without `s3`. */
  readonly doors: DoorSettings;
}

/** Other clouds' ways to the objects of an S3 front; null: not served. */
interface DoorSettings {
  readonly blob: BlobSettings | null;
  readonly gcs: GcsSettings | null;
}

/** Which of the doors. */
export type Door = keyof DoorSettings;

/** The Azure Blob API. */
export interface BlobSettings {
  /** The first segment of every path. */
  readonly account: string;
  /** Where clients reach it, without the account. */
  readonly url: string;
}

/** The Cloud Storage JSON API. */
export interface GcsSettings {
  /** Where clients reach it, without a slash at the end; the links in its answers begin with it. */
  readonly url: string;
}

export interface S3Settings {
  /** The region that requests must be signed for. */
  readonly region: string;
  /** Every bucket there is; requests for others end at the gateway. */
  readonly buckets: readonly { readonly name: string; readonly quotaBytes: number | null }[];
  readonly store: DiskStoreSettings | UpstreamStoreSettings;
}

/** Objects in a folder of this machine. */
interface DiskStoreSettings {
  readonly kind: 'disk';
  readonly folder: string;
}

/** Objects of another S3, reached with a key pair of the gateway's own. */
interface UpstreamStoreSettings {
  readonly kind: 'upstream';
  readonly url: string;
  readonly region: string;
  readonly network: NetworkScope;
  readonly accessKeyId: string;
  readonly secret: Secret;
}
