// Carries out CompleteMultipartUpload: makes one object of the parts that the body names.

import { CHECKSUM_ALGORITHMS } from '../../base/checksum/checksum.ts';
import { ok } from '../../base/core/result.ts';
import { decodeCompletion, MAX_XML_BYTES } from '../../wire/s3/bodies.ts';
import type { CompleteMultipartUploadCall } from '../../wire/s3/call.ts';
import { encodeCompletion } from '../../wire/s3/results.ts';
import { wholeChecksums } from '../../wire/s3/upload-checksums.ts';
import type { Checksums, PartInfo } from '../objects/store.ts';
import { readSmallBody } from './small-body.ts';
import { ownUpload } from './uploads.ts';
import { failed, type Outcome, type Work } from './work.ts';

/** CompleteMultipartUpload, for the upload's owner. */
export async function completeUpload(work: Work, call: CompleteMultipartUploadCall): Promise<Outcome> {
  const upload = ownUpload(work, call);
  if (!upload.ok) return upload;
  const body = await readSmallBody(work, MAX_XML_BYTES);
  if (!body.ok) return body;
  const parts = decodeCompletion(body.value);
  if (!parts.ok) return ok({ error: parts.error });
  const { conditions } = call;
  const options = { parts: parts.value, conditions, checksums: checksumsOf, signal: work.signal };
  const completed = await work.store.completeUpload(upload.value, options);
  if (!completed.ok) return failed(work, call, completed.error);
  return ok({ status: 200, headers: {}, body: encodeCompletion(call, completed.value, locationOf(call)) });
}

/** By the first algorithm that the parts have. */
function checksumsOf(parts: readonly PartInfo[]): Checksums {
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => parts[0]?.checksums[known] !== undefined);
  return algorithm === undefined ? {} : wholeChecksums(algorithm, parts);
}

/** The object's path: the gateway does not know by which of its names the caller reached it, and never believes Host. */
const locationOf = ({ bucket, key }: CompleteMultipartUploadCall): string =>
  `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
