// A request taken apart: its target, its query parameters, the headers that mean something. What each operation takes of them is
// in operations.ts.
import { ok, type Result } from '../../base/core/result.ts';
import { decodePairs } from '../urlencoded.ts';
import type { BlobRequest } from './call.ts';
import { type BlobError, refuse, unsupportedParameter } from './errors.ts';
import { readTarget, type Target } from './names.ts';

/** Room for a prefix, a delimiter and a marker of the largest size, every byte escaped. */
const MAX_QUERY_CHARS = 16 * 1024;

/** What a request says, every name once. */
export interface RequestParts {
  readonly method: string;
  readonly target: Target;
  readonly parameters: ReadonlyMap<string, string>;
  /** `x-ms-*` and MEANINGFUL. */
  readonly headers: ReadonlyMap<string, string>;
}

const MS_PREFIX = 'x-ms-';

/** Headers beside `x-ms-*` that change what an operation does, stores or answers. All others are HTTP's and the client's own. */
const MEANINGFUL = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'content-type',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
]);

/**
 * Takes a request apart. Errors: those of `readTarget`; InvalidUri (a query that cannot be decoded in one way only: broken
 * escapes, a raw `+`), InvalidInput (a name twice).
 */
export function readParts(request: BlobRequest, account: string): Result<RequestParts, BlobError> {
  const target = readTarget(request.path, account);
  if (!target.ok) return target;
  const parameters = readQuery(request.query);
  if (!parameters.ok) return parameters;
  const headers = readHeaders(request.headers);
  if (!headers.ok) return headers;
  return ok({ method: request.method, target: target.value, parameters: parameters.value, headers: headers.value });
}

function readQuery(raw: string): Result<ReadonlyMap<string, string>, BlobError> {
  if (raw.length > MAX_QUERY_CHARS) return refuse('InvalidUri');
  // A plus is a space to some readers and a plus to others; the SDKs escape both.
  if (!/^[\x21-\x7e]*$/.test(raw) || /[+#]/.test(raw)) return refuse('InvalidUri');
  const pairs = decodePairs(Buffer.from(raw));
  if (!pairs.ok) return refuse('InvalidUri');
  const parameters = new Map<string, string>();
  for (const { name, value } of pairs.value) {
    // Azure reads names in any case, so `Comp` and `comp` would be the same parameter twice.
    if (name !== name.toLowerCase()) return unsupportedParameter(name);
    if (parameters.has(name)) return twice(`query parameter ${JSON.stringify(name.slice(0, 64))}`);
    if (value.includes('\0')) return refuse('InvalidUri');
    parameters.set(name, value);
  }
  return ok(parameters);
}

function readHeaders(all: BlobRequest['headers']): Result<ReadonlyMap<string, string>, BlobError> {
  const headers = new Map<string, string>();
  for (const [name, values] of all) {
    if (!name.startsWith(MS_PREFIX) && !MEANINGFUL.has(name)) continue;
    const [value, ...others] = values;
    if (value === undefined) continue;
    if (others.length > 0) return twice(`header ${JSON.stringify(name.slice(0, 64))}`);
    headers.set(name, value);
  }
  return ok(headers);
}

const twice = (what: string): Result<never, BlobError> => refuse('InvalidInput', `The ${what} stands twice.`);
