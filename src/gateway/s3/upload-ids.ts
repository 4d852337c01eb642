// Multipart uploads belong to whoever began them: the id that clients see is the store's own, bound to its owner and its key.
// It keeps nothing; the store knows no owners.
import { timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../base/core/secret.ts';
import type { UploadRef } from '../objects/store.ts';
import { purposeMac } from '../store-front/owner.ts';

/** Keeps this use of the group key apart from every other. */
const PURPOSE = 'jobpass s3 upload id';

/** `<the store's id>.<mac>`: the id as its owner sees it. */
export const sealUploadId = (groupKey: Secret<Uint8Array>, owner: string, upload: UploadRef): string =>
  `${upload.uploadId}.${macOf(groupKey, owner, upload)}`;

/** The store's id, or undefined when the presented one was not made for this owner, bucket and key. */
export function openUploadId(groupKey: Secret<Uint8Array>, owner: string, presented: UploadRef): string | undefined {
  const split = presented.uploadId.lastIndexOf('.');
  const uploadId = presented.uploadId.slice(0, Math.max(0, split));
  // Compared as text: decoders take several spellings for the same bytes.
  const mac = Buffer.from(presented.uploadId.slice(split + 1));
  const wanted = Buffer.from(macOf(groupKey, owner, { ...presented, uploadId }));
  return mac.length === wanted.length && timingSafeEqual(mac, wanted) ? uploadId : undefined;
}

const macOf = (groupKey: Secret<Uint8Array>, owner: string, { bucket, key, uploadId }: UploadRef): string =>
  purposeMac(groupKey, PURPOSE, [bucket, key, owner, uploadId]);
