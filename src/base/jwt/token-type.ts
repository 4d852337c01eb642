// The `typ` of a token, which keeps one kind from passing for another (RFC 8725 §3.11).
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import { quote } from '../json/quote.ts';
import type { JwsHeader } from './jws.ts';

/**
 * Refuses (`token_type_refused`) a header whose `typ` is not `wanted`. Media types are compared without case and with
 * or without the `application/` prefix (RFC 7515 §4.1.9). Absent is refused.
 */
export function checkType(header: JwsHeader, wanted: string): Result<null, Failure> {
  if (header.typ !== undefined && normalType(header.typ) === normalType(wanted)) return ok(null);
  return err(failure('token_type_refused', `"typ" is ${quote(header.typ)}; wanted: ${quote(wanted)}`));
}

/**
 * Refuses (`token_type_refused`) a header that says it is anything but a plain JWT. ID tokens of third parties have
 * `typ` absent or `JWT` in any spelling (RFC 7519 §5.1).
 */
export function checkPlainType(header: JwsHeader): Result<null, Failure> {
  return header.typ === undefined ? ok(null) : checkType(header, 'JWT');
}

function normalType(type: string): string {
  const lower = type.toLowerCase();
  return lower.includes('/') ? lower : `application/${lower}`;
}
