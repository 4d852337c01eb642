// Which bytes a request of a resumable upload carries (Cloud Storage, "Resumable uploads"; RFC 9110 §14.4), and how an answer says
// which have arrived.
import { ok, type Result } from '../../base/core/result.ts';
import type { UploadSpan } from './call.ts';
import { type GcsError, invalid } from './errors.ts';

const FORM = /^bytes (?:(\*)|([0-9]{1,15})-([0-9]{1,15}|\*))\/([0-9]{1,15}|\*)$/;

/**
 * The span of a `Content-Range`; without one the body is the whole object. `bytes N-*` is how Node's client says that it does not
 * know yet where the object ends. Errors: `invalid` for anything else, ends before their beginning, and totals that are not one.
 */
export function readUploadSpan(text: string | undefined): Result<UploadSpan, GcsError> {
  if (text === undefined) return ok({ kind: 'rest', first: 0 });
  const [match, star, from, to, whole] = FORM.exec(text) ?? [];
  if (match === undefined) return refused();
  const total = whole === undefined || whole === '*' ? null : Number(whole);
  if (star !== undefined) return ok({ kind: 'query', total });
  const first = Number(from);
  if (to === '*') return total === null ? ok({ kind: 'rest', first }) : upTo(first, total);
  const last = Number(to);
  return last < first || (total !== null && last >= total) ? refused() : ok({ kind: 'bytes', first, last, total });
}

/** A known total without a last byte: as far as the object goes, which may be nowhere. */
function upTo(first: number, total: number): Result<UploadSpan, GcsError> {
  if (first > total) return refused();
  return ok(first === total ? { kind: 'rest', first } : { kind: 'bytes', first, last: total - 1, total });
}

const refused = () => invalid('Content-Range', 'not one of a resumable upload');
