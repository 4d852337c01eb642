// What a call needs: AWS's own action names and resources (Service Authorization Reference, "Actions, resources, and condition
// keys for Amazon S3"). Whether somebody has it is the gateway's business.
import type { SignatureClaim } from '../../base/sigv4/read.ts';
import type { ObjectName, S3Call } from './call.ts';

/** One action on one resource. */
export interface S3Permission {
  readonly action: `s3:${string}`;
  readonly resource: `arn:aws:s3:::${string}`;
}

/** All of them are needed. */
export type S3Permissions = readonly [S3Permission, ...S3Permission[]];

/**
 * What a call needs; null for DeleteObjects, which names its keys in the body: `deletePermission` for each. A copy also reads its source; a write or a deletion with `If-Match` also tells whether the object is
 * the expected one, which AWS lets only those know who may read it.
 */
export function permissionsFor(call: S3Call): S3Permissions | null {
  switch (call.operation) {
    case 'ListBuckets':
      return [{ action: 's3:ListAllMyBuckets', resource: 'arn:aws:s3:::*' }];
    case 'GetBucketLocation':
      return [{ action: 's3:GetBucketLocation', resource: `arn:aws:s3:::${call.bucket}` }];
    case 'HeadBucket':
    case 'ListObjects':
    case 'ListObjectsV2':
      return [listPermission(call.bucket)];
    case 'GetObject':
    case 'HeadObject':
      return [on(call, 's3:GetObject')];
    case 'PutObject':
    case 'CompleteMultipartUpload':
      return [on(call, 's3:PutObject'), ...readsToCompare(call)];
    case 'CreateMultipartUpload':
    case 'UploadPart':
      return [on(call, 's3:PutObject')];
    case 'CopyObject':
      return [on(call, 's3:PutObject'), on(call.source, 's3:GetObject'), ...readsToCompare(call)];
    case 'UploadPartCopy':
      return [on(call, 's3:PutObject'), on(call.source, 's3:GetObject')];
    case 'DeleteObjects':
      return null;
    case 'DeleteObject':
      return [deletePermission(call), ...readsToCompare(call)];
    case 'AbortMultipartUpload':
      return [on(call, 's3:AbortMultipartUpload')];
    case 'ListParts':
      return [on(call, 's3:ListMultipartUploadParts')];
  }
}

/** What deleting one object needs, alone or as one of many. */
export const deletePermission = (object: ObjectName): S3Permission => on(object, 's3:DeleteObject');

/** Who has it may learn that a key does not exist; AWS answers AccessDenied in place of NoSuchKey to everyone else. */
export const listPermission = (bucket: string): S3Permission => ({
  action: 's3:ListBucket',
  resource: `arn:aws:s3:::${bucket}`,
});

const on = (object: ObjectName, action: `s3:${string}`): S3Permission => ({
  action,
  resource: `arn:aws:s3:::${object.bucket}/${object.key}`,
});

const readsToCompare = (call: ObjectName & { readonly conditions: { readonly ifMatch?: unknown } }): S3Permission[] =>
  call.conditions.ifMatch === undefined ? [] : [on(call, 's3:GetObject')];

/** The condition keys that the signature gives. `nowMs` is the gateway's clock, epoch milliseconds. */
export function signatureConditionKeys(claim: SignatureClaim, nowMs: number): ReadonlyMap<string, string> {
  const keys = new Map([
    ['s3:authtype', claim.form === 'header' ? 'REST-HEADER' : 'REST-QUERY-STRING'],
    ['s3:signatureage', String(Math.max(0, nowMs - claim.signedAt * 1000))],
    ['s3:signatureversion', 'AWS4-HMAC-SHA256'],
  ]);
  // A presigned request without a hash is signed as if it said this.
  const payloadHash = claim.payloadHash ?? (claim.form === 'query' ? 'UNSIGNED-PAYLOAD' : null);
  if (payloadHash !== null) keys.set('s3:x-amz-content-sha256', payloadHash);
  return keys;
}
