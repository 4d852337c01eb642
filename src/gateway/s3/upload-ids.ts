// Multipart uploads belong to whoever began them: the id that clients see is the store's own, bound to its owner and its key.
// It keeps nothing; the store knows no owners.
import type { GroupKey, GroupKeys } from '../../keys/group-key.ts';
import type { UploadRef } from '../objects/store.ts';
import { isSameText, purposeMac } from '../store-front/owner.ts';

/** Keeps this use of the group key apart from every other. */
const PURPOSE = 'jobpass s3 upload id';

/** `<the store's id>.<mac>`: the id as its owner sees it. */
export const sealUploadId = ({ active }: GroupKeys, owner: string, upload: UploadRef): string =>
  `${upload.uploadId}.${macOf(active, owner, upload)}`;

/** The store's id, or undefined when the presented one was not made for this owner, bucket and key. */
export function openUploadId({ living }: GroupKeys, owner: string, presented: UploadRef): string | undefined {
  const split = presented.uploadId.lastIndexOf('.');
  const uploadId = presented.uploadId.slice(0, Math.max(0, split));
  const mac = presented.uploadId.slice(split + 1);
  // Made with whichever key was the active one then.
  const isOwn = living.some((key) => isSameText(mac, macOf(key, owner, { ...presented, uploadId })));
  return isOwn ? uploadId : undefined;
}

const macOf = (groupKey: GroupKey, owner: string, { bucket, key, uploadId }: UploadRef): string =>
  purposeMac(groupKey.key, PURPOSE, [bucket, key, owner, uploadId]);
