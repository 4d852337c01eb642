// What a call needs: the same actions on the same resources as through the S3 front, because it is the same store. Whether somebody
// has it is the gateway's business.
import type { DeleteObjectCall, GcsCall, ObjectName, WriteConditions } from './call.ts';

/** One action on one resource. */
export interface GcsPermission {
  readonly action: `s3:${string}`;
  readonly resource: `arn:aws:s3:::${string}`;
}

/** All of them are needed. */
export type GcsPermissions = readonly [GcsPermission, ...GcsPermission[]];

/**
 * What a call needs; null for an upload whose body names the object: `writePermissions`, once it was read. A copy also reads its
 * source.
 */
export function permissionsFor(call: GcsCall): GcsPermissions | null {
  switch (call.operation) {
    case 'ListBuckets':
      return [{ action: 's3:ListAllMyBuckets', resource: 'arn:aws:s3:::*' }];
    case 'GetBucket':
    case 'GetStorageLayout':
      return [{ action: 's3:GetBucketLocation', resource: `arn:aws:s3:::${call.bucket}` }];
    case 'ListObjects':
      return [listPermission(call.bucket)];
    case 'GetObject':
    case 'ReadObject':
      return [on(call, 's3:GetObject')];
    case 'DeleteObject':
      return [on(call, 's3:DeleteObject'), ...readsToDelete(call)];
    case 'InsertObject':
    case 'StartUpload':
      return call.key === null ? null : writePermissions({ bucket: call.bucket, key: call.key }, call.conditions);
    case 'ContinueUpload':
      return [on(call, 's3:PutObject')];
    case 'RewriteObject':
      return [...writePermissions(call, call.conditions), on(call.source, 's3:GetObject')];
  }
}

/** What writing an object needs. */
export const writePermissions = (object: ObjectName, conditions: WriteConditions): GcsPermissions => [
  on(object, 's3:PutObject'),
  ...readsToCompare(object, conditions),
];

/** Who has it, with the object's name as prefix, may learn that there is no such object. */
export const listPermission = (bucket: string): GcsPermission => ({
  action: 's3:ListBucket',
  resource: `arn:aws:s3:::${bucket}`,
});

const on = (object: ObjectName, action: `s3:${string}`): GcsPermission => ({
  action,
  resource: `arn:aws:s3:::${object.bucket}/${object.key}`,
});

/** A condition on a generation tells whether the object is the expected one; on none at all, only whether a write succeeded. */
const readsToCompare = (object: ObjectName, { ifGenerationMatch = 0 }: WriteConditions): readonly GcsPermission[] =>
  ifGenerationMatch === 0 ? [] : [on(object, 's3:GetObject')];

/** The generation of nothing makes of a deletion a question whether there is an object: it never changes anything. */
const readsToDelete = (call: DeleteObjectCall): readonly GcsPermission[] =>
  call.generation === 0 || call.conditions.ifGenerationMatch !== undefined ? [on(call, 's3:GetObject')] : [];

/** What conditions may ask about, by IAM's names in lower case. */
export function conditionKeysOf(call: GcsCall): ReadonlyMap<string, string> {
  if (call.operation !== 'ListObjects') return new Map();
  return new Map([
    ['s3:prefix', call.prefix],
    ['s3:max-keys', String(call.maxResults)],
    ...(call.delimiter === null ? [] : [['s3:delimiter', call.delimiter] as const]),
  ]);
}
