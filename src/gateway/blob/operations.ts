// Which function carries out which operation.
import type { AzureBlobCall } from '../../wire/blob/call.ts';
import { deleteBlob, getBlob, getProperties, putBlob } from './blobs.ts';
import { putBlock, putBlockList } from './blocks.ts';
import { getContainer, listBlobs } from './containers.ts';
import type { Outcome, Work } from './work.ts';

/** Carries out a call. Precondition: it was permitted. */
export function perform(work: Work, call: AzureBlobCall): Promise<Outcome> {
  switch (call.operation) {
    case 'GetContainerProperties':
      return getContainer(work, call);
    case 'ListBlobs':
      return listBlobs(work, call);
    case 'GetBlob':
      return getBlob(work, call);
    case 'GetBlobProperties':
      return getProperties(work, call);
    case 'PutBlob':
      return putBlob(work, call);
    case 'PutBlock':
      return putBlock(work, call);
    case 'PutBlockList':
      return putBlockList(work, call);
    case 'DeleteBlob':
      return deleteBlob(work, call);
  }
}
