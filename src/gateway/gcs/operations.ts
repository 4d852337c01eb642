// Which function carries out which call.
import type { GcsCall } from '../../wire/gcs/call.ts';
import { getBucket, listBuckets, listObjects } from './buckets.ts';
import { insertObject, rewriteObject } from './insert.ts';
import { deleteObject, getObject, readObject } from './objects.ts';
import { continueUpload, startUpload } from './uploads.ts';
import type { Outcome, Work } from './work.ts';

/** Carries out a call. Precondition: it was permitted, or it is an upload whose body names the object. */
export function perform(work: Work, call: GcsCall): Promise<Outcome> {
  switch (call.operation) {
    case 'ListBuckets':
      return listBuckets(work, call);
    case 'GetBucket':
    case 'GetStorageLayout':
      return getBucket(work, call);
    case 'ListObjects':
      return listObjects(work, call);
    case 'GetObject':
      return getObject(work, call);
    case 'ReadObject':
      return readObject(work, call);
    case 'DeleteObject':
      return deleteObject(work, call);
    case 'InsertObject':
      return insertObject(work, call);
    case 'StartUpload':
      return startUpload(work, call);
    case 'ContinueUpload':
      return continueUpload(work, call);
    case 'RewriteObject':
      return rewriteObject(work, call);
  }
}
