// The list of blocks, which is read whole before anything happens. Bounded, and verified like every body.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { blobError } from '../../wire/blob/errors.ts';
import { BlobPayloadError } from '../../wire/blob/payload.ts';
import { type BlobRefusal, refusalOf } from './refusal.ts';
import type { Work } from './work.ts';

/** The whole body, verified. Precondition: its announced length is within bounds. Refused with `payload_mismatch`. */
export async function readSmallBody({ content, session }: Work): Promise<Result<Uint8Array, BlobRefusal>> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of content.body) chunks.push(chunk);
  } catch (cause) {
    const error =
      cause instanceof BlobPayloadError ? cause.refusal : blobError('InvalidInput', 'The body ended early.');
    return err(refusalOf(failure('payload_mismatch', String(cause)), { session, error }));
  }
  return ok(Buffer.concat(chunks));
}
