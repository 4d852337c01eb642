// What the operations of the Blob front work with, and how they tell what the store said. They decide nothing: that was done before.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import type { AzureBlobCall, BlobName } from '../../wire/blob/call.ts';
import { type BlobPermission, listPermission } from '../../wire/blob/permissions.ts';
import { refuseStored } from '../../wire/blob/refusals.ts';
import { validators } from '../../wire/blob/results.ts';
import type { Content, ObjectFailure, ObjectRef, ObjectStore } from '../objects/store.ts';
import { LOGGED_PROBLEMS } from '../store-front/refusal.ts';
import type { BlobAnswer, BlobNo } from './answer.ts';
import type { BlockUploads } from './block-uploads.ts';
import { type BlobRefusal, refusalOf } from './refusal.ts';

/** One permitted call, ready to be carried out. */
export interface Work {
  readonly store: ObjectStore;
  readonly uploads: BlockUploads;
  /** The URL of the account, with a slash at its end. */
  readonly endpoint: string;
  readonly session: CarriedSession;
  /** Aborted when nothing may be stored or sent any more. */
  readonly signal: AbortSignal;
  /** The body of the request, verified while it is read; nothing of it is read before. */
  readonly content: Content;
  /** Whether the caller may do this too, at this moment. */
  permits(permission: BlobPermission): boolean;
}

/** What became of a call: an answer, an ordinary no, or a refusal, which is logged. */
export type Outcome = Result<BlobAnswer | BlobNo, BlobRefusal>;

/** A blob as the store knows it. */
export const objectOf = ({ container, blob }: BlobName): ObjectRef => ({ bucket: container, key: blob });

/** The outcome of a call that the store did not carry out. */
export function failed(work: Work, call: AzureBlobCall, problem: ObjectFailure): Outcome {
  const { session } = work;
  const error = refuseStored(problem, call);
  const reason = LOGGED_PROBLEMS[problem.problem];
  if (reason !== undefined) return err(refusalOf(failure(reason, problem.detail), { session, error }));
  if (error.code === 'BlobNotFound' && !mayKnow(work, call)) {
    return err(refusalOf(failure('permission_denied', 'the caller may not learn which blobs exist'), { session }));
  }
  return ok({ error, headers: headersOf(problem) });
}

/** As at the S3 front, only who may list a container learns that it does not hold a blob. */
export const mayKnow = ({ permits }: Work, { container }: AzureBlobCall): boolean => permits(listPermission(container));

function headersOf({ problem, current }: ObjectFailure): Readonly<Record<string, string>> {
  if (current === undefined) return {};
  if (problem === 'not_modified') return validators(current);
  // RFC 9110 §15.5.17: the size tells what could have been asked for.
  return problem === 'range_unsatisfiable' ? { 'content-range': `bytes */${current.size}` } : {};
}
