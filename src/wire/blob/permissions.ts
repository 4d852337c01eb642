// What a call needs: the `s3:` actions on `arn:aws:s3:::<container>/<blob>`, so that one role says the same at every front of a
// store. Whether somebody has it is the gateway's business.
import type { AzureBlobCall, BlobName } from './call.ts';

/** One action on one resource. */
export interface BlobPermission {
  readonly action: `s3:${string}`;
  readonly resource: `arn:aws:s3:::${string}`;
}

/**
 * What a call needs, all of it. A write or a deletion with `If-Match` also tells whether the blob is the expected one, which
 * only those may learn who may read it.
 */
export function permissionsFor(call: AzureBlobCall): readonly [BlobPermission, ...BlobPermission[]] {
  switch (call.operation) {
    case 'GetContainerProperties':
    case 'ListBlobs':
      return [listPermission(call.container)];
    case 'GetBlob':
    case 'GetBlobProperties':
      return [on(call, 's3:GetObject')];
    case 'PutBlob':
    case 'PutBlockList':
      return [on(call, 's3:PutObject'), ...readsToCompare(call)];
    case 'PutBlock':
      return [on(call, 's3:PutObject')];
    case 'DeleteBlob':
      return [on(call, 's3:DeleteObject'), ...readsToCompare(call)];
  }
}

/** Who has it may learn that a blob does not exist. */
export const listPermission = (container: string): BlobPermission => ({
  action: 's3:ListBucket',
  resource: `arn:aws:s3:::${container}`,
});

const on = ({ container, blob }: BlobName, action: `s3:${string}`): BlobPermission => ({
  action,
  resource: `arn:aws:s3:::${container}/${blob}`,
});

const readsToCompare = (call: BlobName & { readonly conditions: { readonly ifMatch?: unknown } }): BlobPermission[] =>
  call.conditions.ifMatch === undefined ? [] : [on(call, 's3:GetObject')];
