// The body of an OAuth request: strict application/x-www-form-urlencoded with every name at most once.
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { HttpRequest } from '../base/ports/http.ts';
import { decodePairs, type Parameter } from './urlencoded.ts';

/** Parameters by name. */
type Form = ReadonlyMap<string, string>;

/** The media type of forms. */
export const FORM_TYPE = 'application/x-www-form-urlencoded';

/** Whether the body says that it is of this media type, given in lower case, whatever its parameters are. */
export function isOfType(headers: HttpRequest['headers'], mediaType: string): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  return type.trim().toLowerCase() === mediaType;
}

/** What is wrong with the body before it is read. Parameters in the URL are refused: they end up in logs (RFC 6749 §2.3.1). */
export function formProblem({ headers, query }: Pick<HttpRequest, 'headers' | 'query'>): Failure | undefined {
  if (!isOfType(headers, FORM_TYPE)) return failure('request_malformed', `the body is not ${FORM_TYPE}`);
  return query === '' ? undefined : failure('request_malformed', 'parameters belong into the body');
}

/** The parameters of a request whose body must be a form. Failure: `request_malformed`. */
export function readForm(request: Pick<HttpRequest, 'headers' | 'query' | 'body'>): Result<Form, Failure> {
  const problem = formProblem(request);
  return problem === undefined ? parseForm(request.body) : err(problem);
}

/**
 * The parameters of a form body by name. RFC 6749 §3.2: a repeated parameter is refused (`request_malformed`), because
 * two readers could pick different ones. A parameter without a value is present with the empty string; the route
 * treats it as omitted. Precondition: the body is within MAX_BODY_BYTES. The detail holds names of parameters, no
 * values.
 */
export function parseForm(body: Uint8Array): Result<Form, Failure> {
  const pairs = decodePairs(body);
  if (!pairs.ok) return pairs;
  const form = byName(pairs.value);
  if (form.ok) return form;
  return err(failure('request_malformed', `parameter ${JSON.stringify(form.error.slice(0, 64))} stands twice`));
}

/** The parameters by name, or the first name that stands twice: two readers could pick different ones. */
export function byName(pairs: readonly Parameter[]): Result<Form, string> {
  const form = new Map<string, string>();
  for (const { name, value } of pairs) {
    if (form.has(name)) return err(name);
    form.set(name, value);
  }
  return ok(form);
}
