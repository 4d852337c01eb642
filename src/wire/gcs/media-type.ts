// The boundary of a multipart/related body (RFC 2046 §5.1.1, RFC 2387).
import { ok, type Result } from '../../base/core/result.ts';
import { type GcsError, invalid } from './errors.ts';

/** RFC 2046 §5.1.1: what may stand between the parts, 1 to 70 characters, no space at the end. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/** The boundary that a Content-Type names. gcloud puts it between single quotes, which RFC 2045 would take for a part of it. */
export function readBoundary(contentType: string): Result<string, GcsError> {
  const match = /^multipart\/related *; *boundary=(?:"([^"]*)"|'([^']*)'|([^\s;"']+))$/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? match?.[3] ?? '';
  return BOUNDARY.test(boundary)
    ? ok(boundary)
    : invalid('Content-Type', 'multipart/related with a boundary is wanted');
}
