// The body of a request as a store gets it: planned from the head alone, read and verified only while the store reads it.
import { ok, type Result } from '../../base/core/result.ts';
import { MAX_BLOCK_LIST_BYTES } from '../../wire/blob/block-list.ts';
import type { AzureBlobCall } from '../../wire/blob/call.ts';
import { type BlobError, refuse } from '../../wire/blob/errors.ts';
import { verifyBody } from '../../wire/blob/payload.ts';
import type { BodyFraming } from '../headers.ts';
import type { Content } from '../objects/store.ts';
import { type BodySource, readRequestBody } from '../store-front/request-body.ts';

const MIB = 1024 ** 2;
/** The most bytes that each operation with a body takes: Azure's own bounds. The others take none. */
const MAX_BYTES: Partial<Record<AzureBlobCall['operation'], number>> = {
  PutBlob: 5000 * MIB,
  PutBlock: 4000 * MIB,
  PutBlockList: MAX_BLOCK_LIST_BYTES,
};

const NOTHING: Content = { body: (async function* () {})(), size: 0, checksums: () => ({}) };

/**
 * The content of a request. Errors: MissingContentLengthHeader, RequestBodyTooLarge, InvalidInput (a body where none belongs);
 * what is wrong with the body itself shows when it is read.
 */
export function openPayload(call: AzureBlobCall, framing: BodyFraming, source: BodySource): Result<Content, BlobError> {
  const maxBytes = MAX_BYTES[call.operation];
  if (maxBytes === undefined) {
    const isEmpty = framing.kind === 'none' || (framing.kind === 'length' && Number(framing.length) === 0);
    return isEmpty ? ok(NOTHING) : refuse('InvalidInput', 'This request has no body.');
  }
  if (framing.kind !== 'length') return refuse('MissingContentLengthHeader');
  const size = Number(framing.length);
  if (size > maxBytes) return refuse('RequestBodyTooLarge');
  return ok(verifyBody(readRequestBody(source), { size, digest: 'digest' in call ? call.digest : null }));
}
