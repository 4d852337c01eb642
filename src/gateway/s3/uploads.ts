// Carries out the operations of multipart uploads, each for the upload's owner alone.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type {
  CreateMultipartUploadCall,
  ListPartsCall,
  S3Call,
  UploadPartCall,
  UploadPartCopyCall,
} from '../../wire/s3/call.ts';
import { s3Error } from '../../wire/s3/errors.ts';
import { writeHeaders } from '../../wire/s3/object-headers.ts';
import { encodeCopy, encodeParts, encodeUpload } from '../../wire/s3/results.ts';
import type { UploadRef } from '../objects/store.ts';
import { uploadOwner } from '../store-front/owner.ts';
import { refusalOf, type S3Refusal } from './refusal.ts';
import { openUploadId, sealUploadId } from './upload-ids.ts';
import { failed, type Outcome, type Work } from './work.ts';

/** CreateMultipartUpload: the id in the answer is good for this role and job only. */
export async function createUpload(work: Work, call: CreateMultipartUploadCall): Promise<Outcome> {
  const { bucket, key, attributes, checksumAlgorithm } = call;
  const created = await work.store.createUpload({ bucket, key }, { attributes, checksumAlgorithm });
  if (!created.ok) return failed(work, call, created.error);
  const { uploadId } = created.value;
  const sealed = sealUploadId(work.groupKeys, uploadOwner(work.session), { bucket, key, uploadId });
  const headers = checksumAlgorithm === null ? {} : { 'x-amz-checksum-algorithm': checksumAlgorithm.toUpperCase() };
  return ok({ status: 200, headers, body: encodeUpload(call, sealed) });
}

/** UploadPart: nothing is stored unless the whole body is what the request said. */
export async function uploadPart(work: Work, call: UploadPartCall): Promise<Outcome> {
  const { store, content, signal } = work;
  const upload = ownUpload(work, call);
  if (!upload.ok) return upload;
  const stored = await store.putPart(upload.value, call.partNumber, { content, signal });
  if (!stored.ok) return failed(work, call, stored.error);
  return ok({ status: 200, headers: writeHeaders(stored.value), body: null });
}

/** UploadPartCopy. Precondition: reading the source was permitted too. */
export async function copyPart(work: Work, call: UploadPartCopyCall): Promise<Outcome> {
  const { source, sourceConditions, range } = call;
  const upload = ownUpload(work, call);
  if (!upload.ok) return upload;
  const options = { source, sourceConditions, signal: work.signal, ...(range === undefined ? {} : { range }) };
  const copied = await work.store.copyPart(upload.value, call.partNumber, options);
  if (!copied.ok) return failed(work, call, copied.error);
  return ok({ status: 200, headers: {}, body: encodeCopy('CopyPartResult', copied.value) });
}

/** ListParts. */
export async function listParts(work: Work, call: ListPartsCall): Promise<Outcome> {
  const upload = ownUpload(work, call);
  if (!upload.ok) return upload;
  const listed = await work.store.listParts(upload.value, { after: call.after, limit: call.maxParts });
  if (!listed.ok) return failed(work, call, listed.error);
  return ok({ status: 200, headers: {}, body: encodeParts(call, listed.value, work.owner) });
}

type AbortCall = Extract<S3Call, { readonly operation: 'AbortMultipartUpload' }>;

/** AbortMultipartUpload. */
export async function abortUpload(work: Work, call: AbortCall): Promise<Outcome> {
  const upload = ownUpload(work, call);
  if (!upload.ok) return upload;
  const aborted = await work.store.abortUpload(upload.value);
  return aborted.ok ? ok({ status: 204, headers: {}, body: null }) : failed(work, call, aborted.error);
}

/** The upload as the store knows it, for its owner; for anybody else there is none. */
export function ownUpload({ groupKeys, session }: Work, presented: UploadRef): Result<UploadRef, S3Refusal> {
  const { bucket, key } = presented;
  const uploadId = openUploadId(groupKeys, uploadOwner(session), presented);
  if (uploadId !== undefined) return ok({ bucket, key, uploadId });
  const why = failure('upload_unknown', `the id is not one of this role and job for ${JSON.stringify(key)}`);
  return err(
    refusalOf(why, { session, error: s3Error('NoSuchUpload', undefined, [['UploadId', presented.uploadId]]) }),
  );
}
