// Bodies that are read whole before anything happens: lists of keys and of parts. Bounded, and verified like every other.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { s3Error } from '../../wire/s3/errors.ts';
import { PayloadError } from '../../wire/s3/payload/payload-error.ts';
import { refusalOf, type S3Refusal } from './refusal.ts';
import type { Work } from './work.ts';

/** The whole body, verified. Refused with `request_too_large` and `payload_mismatch`. */
export async function readSmallBody(
  { content, session }: Work,
  maxBytes: number,
): Promise<Result<Uint8Array, S3Refusal>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of content.body) {
      size += chunk.length;
      if (size > maxBytes) {
        const why = failure('request_too_large', `the body is longer than ${maxBytes} bytes`);
        return err(refusalOf(why, { session, error: s3Error('MaxMessageLengthExceeded') }));
      }
      chunks.push(chunk);
    }
  } catch (cause) {
    const error = cause instanceof PayloadError ? cause.refusal : s3Error('IncompleteBody');
    return err(refusalOf(failure('payload_mismatch', `${error.code}: ${String(cause)}`), { session, error }));
  }
  return ok(Buffer.concat(chunks));
}
