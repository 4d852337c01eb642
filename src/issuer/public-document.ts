// Documents that anyone may fetch and keep for a while: serialised once, with an entity tag. They never touch the
// store.
import { createHash } from 'node:crypto';
import type { JsonObject } from '../base/core/json.ts';
import type { HttpRequest, HttpResponse } from '../base/ports/http.ts';

/** Five minutes: a new key is published that long before it signs; a revoked one lives no longer in caches. */
const PUBLIC_CACHE_SECONDS = 300;

export interface PublicDocument {
  readonly body: string;
  /** A strong entity tag (RFC 9110 §8.8.3), with its quotes. */
  readonly entityTag: string;
}

/** Serialises `value` once. */
export function publicDocument(value: JsonObject): PublicDocument {
  const body = JSON.stringify(value);
  return { body, entityTag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

/** The document, or 304 when the caller has it already. */
export function serveDocument(document: PublicDocument, request: HttpRequest): HttpResponse {
  const headers = { 'cache-control': `public, max-age=${PUBLIC_CACHE_SECONDS}`, etag: document.entityTag };
  if (isCurrent(request.headers['if-none-match'], document.entityTag)) return { status: 304, headers, body: '' };
  return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: document.body };
}

/** RFC 9110 §13.1.2: weak comparison, so `W/` is ignored; a proxy adds it when it compresses. */
function isCurrent(ifNoneMatch: string | undefined, entityTag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((tag) => {
    const plain = tag.trim().replace(/^W\//, '');
    return plain === '*' || plain === entityTag;
  });
}
