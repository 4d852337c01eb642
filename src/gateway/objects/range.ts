// From a range as asked for to the bytes that exist (RFC 9110 §14.1.2). Pure.
import { ok, type Result } from '../../base/core/result.ts';
import { objectFailure } from './failure.ts';
import type { ByteRange, ObjectFailure, ObjectInfo } from './store.ts';

/** Both ends included. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** The bytes of `info` that `range` names, or `range_unsatisfiable`. Precondition: whole numbers, `last` not below `first`. */
export function resolveRange(range: ByteRange, info: ObjectInfo): Result<Span, ObjectFailure> {
  const last = info.size - 1;
  const first = 'suffix' in range ? Math.max(0, info.size - range.suffix) : range.first;
  if (first > last) return objectFailure('range_unsatisfiable', `the object has ${info.size} bytes`, { current: info });
  const asked = 'suffix' in range ? null : range.last;
  return ok({ first, last: asked === null ? last : Math.min(asked, last) });
}
