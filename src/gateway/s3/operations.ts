// Which function carries out which operation.
import type { S3Call } from '../../wire/s3/call.ts';
import { deleteObjects } from './bulk-delete.ts';
import { completeUpload } from './complete-upload.ts';
import { getBucketLocation, headBucket, listBuckets, listObjects } from './listings.ts';
import { copyObject, deleteObject, getObject, headObject, putObject } from './objects.ts';
import { abortUpload, copyPart, createUpload, listParts, uploadPart } from './uploads.ts';
import type { Outcome, Work } from './work.ts';

/** Carries out a call. Precondition: it was permitted. */
export function perform(work: Work, call: S3Call): Promise<Outcome> {
  switch (call.operation) {
    case 'ListBuckets':
      return listBuckets(work, call);
    case 'HeadBucket':
      return headBucket(work, call);
    case 'GetBucketLocation':
      return getBucketLocation(work);
    case 'ListObjects':
    case 'ListObjectsV2':
      return listObjects(work, call);
    case 'GetObject':
      return getObject(work, call);
    case 'HeadObject':
      return headObject(work, call);
    case 'PutObject':
      return putObject(work, call);
    case 'CopyObject':
      return copyObject(work, call);
    case 'DeleteObject':
      return deleteObject(work, call);
    case 'DeleteObjects':
      return deleteObjects(work, call);
    case 'CreateMultipartUpload':
      return createUpload(work, call);
    case 'UploadPart':
      return uploadPart(work, call);
    case 'UploadPartCopy':
      return copyPart(work, call);
    case 'CompleteMultipartUpload':
      return completeUpload(work, call);
    case 'AbortMultipartUpload':
      return abortUpload(work, call);
    case 'ListParts':
      return listParts(work, call);
  }
}
