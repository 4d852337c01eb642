// Whether the conditions of a request hold for an object as it stands. Pure: the caller sees to the moment.
import { ok, type Result } from '../../base/core/result.ts';
import type { EpochMs } from '../../base/core/time.ts';
import { objectFailure } from './failure.ts';
import type { Conditions, ObjectFailure, ObjectInfo } from './store.ts';

type Check = Result<null, ObjectFailure>;
const HOLDS: Check = ok(null);

const names = (tags: readonly string[] | '*', etag: string): boolean => tags === '*' || tags.includes(etag);

/** HTTP dates have whole seconds: an object must not look newer than its own Last-Modified. */
const isAfter = (modifiedAt: EpochMs, date: EpochMs): boolean =>
  Math.floor(modifiedAt / 1000) > Math.floor(date / 1000);

const refused = (what: string): Check => objectFailure('precondition_failed', `${what} does not hold`);

/** RFC 9110 §13.2.2 steps 1 and 2: the date counts only where no ETag was given. */
function checkStanding(current: ObjectInfo, o: Conditions): Check {
  if (o.ifGenerationMatch !== undefined && o.ifGenerationMatch !== current.generation) return refused('the generation');
  if (o.ifMatch !== undefined) return names(o.ifMatch, current.etag) ? HOLDS : refused('If-Match');
  const since = o.ifUnmodifiedSince;
  return since !== undefined && isAfter(current.modifiedAt, since) ? refused('If-Unmodified-Since') : HOLDS;
}

/** RFC 9110 §13.2.2 steps 3 and 4. */
function isKnownToCaller(current: ObjectInfo, o: Conditions): boolean {
  if (o.ifNoneMatch !== undefined) return names(o.ifNoneMatch, current.etag);
  return o.ifModifiedSince !== undefined && !isAfter(current.modifiedAt, o.ifModifiedSince);
}

/** For a read of `current`: `precondition_failed`, or `not_modified` with the object that the caller already has. */
export function checkRead(current: ObjectInfo, conditions: Conditions): Check {
  const standing = checkStanding(current, conditions);
  if (!standing.ok) return standing;
  if (!isKnownToCaller(current, conditions)) return HOLDS;
  return objectFailure('not_modified', 'the caller has this object', { current });
}

/** For the source of a copy: every failure is `precondition_failed`, for nothing is read by the caller. */
export function checkSource(current: ObjectInfo, conditions: Conditions): Check {
  const standing = checkStanding(current, conditions);
  if (!standing.ok) return standing;
  return isKnownToCaller(current, conditions) ? refused('the condition on the source') : HOLDS;
}

/** For a write over `current`, or over nothing: `key_unknown` when an absent object should have matched. Dates are not heeded. */
export function checkWrite(current: ObjectInfo | undefined, conditions: Conditions): Check {
  const { ifMatch, ifNoneMatch, ifGenerationMatch } = conditions;
  if (ifGenerationMatch !== undefined && ifGenerationMatch !== (current?.generation ?? 0)) {
    return refused('the generation');
  }
  if (ifMatch !== undefined) {
    if (current === undefined) return objectFailure('key_unknown', 'If-Match names an object that does not exist');
    if (!names(ifMatch, current.etag)) return refused('If-Match');
  }
  const isForbidden = ifNoneMatch !== undefined && current !== undefined && names(ifNoneMatch, current.etag);
  return isForbidden ? refused('If-None-Match') : HOLDS;
}
