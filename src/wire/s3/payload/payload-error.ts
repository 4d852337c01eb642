// The one error by which a request's body is refused while it is being read.
import { JobpassError } from '../../../base/core/errors.ts';
import { type S3Error, type S3ErrorCode, s3Error } from '../errors.ts';

/**
 * Thrown out of a body that is not what was announced or signed: in the middle, or in place of its end. Whoever stores the
 * body must discard what it has of it.
 */
export class PayloadError extends JobpassError {
  /** What the sender is told. */
  readonly refusal: S3Error;

  constructor(refusal: S3Error) {
    super('ERR_PAYLOAD_REFUSED', `${refusal.code}: ${refusal.message}`);
    this.name = 'PayloadError';
    this.refusal = refusal;
  }
}

/** A PayloadError with the usual message of `code`, or another. */
export const payloadError = (code: S3ErrorCode, message?: string, elements?: S3Error['elements']): PayloadError =>
  new PayloadError(s3Error(code, message, elements));
