// What the operations of the S3 front work with, and how they tell what the store said. They decide nothing: that was done before.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';
import type { GroupKeys } from '../../keys/group-key.ts';
import type { S3Call } from '../../wire/s3/call.ts';
import { s3Error } from '../../wire/s3/errors.ts';
import type { Owner } from '../../wire/s3/listing-result.ts';
import { notModifiedHead } from '../../wire/s3/object-headers.ts';
import { listPermission, type S3Permission } from '../../wire/s3/permissions.ts';
import { refuseStored } from '../../wire/s3/refusals.ts';
import type { Content, ObjectFailure, ObjectStore } from '../objects/store.ts';
import { LOGGED_PROBLEMS } from '../store-front/refusal.ts';
import type { S3Answer, S3No } from './answer.ts';
import { refusalOf, type S3Refusal } from './refusal.ts';

/** One permitted call, ready to be carried out. */
export interface Work {
  readonly store: ObjectStore;
  /** The buckets there are. */
  readonly buckets: ReadonlySet<string>;
  readonly region: string;
  /** Whom answers call the owner of everything. */
  readonly owner: Owner;
  readonly session: CarriedSession;
  /** Binds the ids of uploads. */
  readonly groupKeys: GroupKeys;
  /** Aborted when nothing may be stored or sent any more. */
  readonly signal: AbortSignal;
  /** The body of the request, verified while it is read; nothing of it is read before. */
  readonly content: Content;
  /** Whether the caller may do this too, at this moment. */
  permits(permission: S3Permission): boolean;
  /** A line in the log about what `permits` let through. */
  report(fields: Readonly<Record<string, unknown>>): void;
}

/** What became of a call: an answer, an ordinary no, or a refusal, which is logged. */
export type Outcome = Result<S3Answer | S3No, S3Refusal>;

/** The outcome of a call that the store did not carry out. */
export function failed(work: Work, call: S3Call, problem: ObjectFailure): Outcome {
  const { session } = work;
  const error = refuseStored(problem, call);
  const reason = LOGGED_PROBLEMS[problem.problem];
  if (reason !== undefined) return err(refusalOf(failure(reason, problem.detail), { session, error }));
  if (problem.problem === 'key_unknown' && !mayKnow(work, call)) return ok({ error: s3Error('AccessDenied') });
  return ok({ error, headers: headersOf(problem) });
}

/** As at AWS, only who may list a bucket learns that it does not hold a key. */
const mayKnow = ({ permits }: Work, call: S3Call): boolean =>
  bucketsToMiss(call).every((bucket) => permits(listPermission(bucket)));

/** Where the key may be that is not there. A copy misses its source, or its target where If-Match expects one. */
function bucketsToMiss(call: S3Call): readonly string[] {
  if (!('bucket' in call)) return [];
  if (!('source' in call)) return [call.bucket];
  const { bucket: source } = call.source;
  return 'conditions' in call && call.conditions.ifMatch !== undefined ? [source, call.bucket] : [source];
}

function headersOf({ problem, current }: ObjectFailure): Readonly<Record<string, string>> {
  if (current === undefined) return {};
  if (problem === 'not_modified') return notModifiedHead(current).headers;
  // RFC 9110 §15.5.17: the size tells what could have been asked for.
  return problem === 'range_unsatisfiable' ? { 'content-range': `bytes */${current.size}` } : {};
}
