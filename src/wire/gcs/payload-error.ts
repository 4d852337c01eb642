// The one error by which a request's body is refused while it is being read.
import { JobpassError } from '../../base/core/errors.ts';
import type { GcsError } from './errors.ts';

/** Thrown out of a body that is not what was announced: in the middle, or in place of its end. Whoever stores it must discard what it has. */
export class PayloadError extends JobpassError {
  /** What the sender is told. */
  readonly refusal: GcsError;

  constructor(refusal: GcsError) {
    super('ERR_PAYLOAD_REFUSED', `${refusal.reason}: ${refusal.message}`);
    this.name = 'PayloadError';
    this.refusal = refusal;
  }
}
