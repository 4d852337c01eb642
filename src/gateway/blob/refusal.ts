// A refusal of the Blob front: the reason for the log, and the Azure error that the caller gets.
import type { BlobError } from '../../wire/blob/errors.ts';
import { refuseReason } from '../../wire/blob/refusals.ts';
import { type FrontRefusal, refusalsBy } from '../store-front/refusal.ts';

/** A refusal with its answer. */
export type BlobRefusal = FrontRefusal<BlobError>;

/** `failure` as the refusal of `session`; `error` unless the reason's own answer will do. */
export const refusalOf = refusalsBy<BlobError>(refuseReason);
