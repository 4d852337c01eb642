// The body of an OAuth request: strict application/x-www-form-urlencoded with every name at most once.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import { decodePairs } from './urlencoded.ts';

const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Whether a Content-Type header says that the body is a form. */
export const isForm = (contentType: string | undefined): boolean =>
  contentType?.split(';')[0]?.trim().toLowerCase() === FORM_TYPE;

/**
 * The parameters of a form body by name. RFC 6749 §3.2: a repeated parameter is refused (`request_malformed`), because
 * two readers could pick different ones. A parameter without a value is present with the empty string; the route
 * treats it as omitted. Precondition: the body is within MAX_BODY_BYTES. The detail holds names of parameters, no
 * values.
 */
export function parseForm(body: Uint8Array): Result<ReadonlyMap<string, string>, Failure> {
  const pairs = decodePairs(body);
  if (!pairs.ok) return pairs;
  const form = new Map<string, string>();
  for (const { name, value } of pairs.value) {
    if (form.has(name)) {
      return err(failure('request_malformed', `parameter ${JSON.stringify(name.slice(0, 64))} stands twice`));
    }
    form.set(name, value);
  }
  return ok(form);
}
