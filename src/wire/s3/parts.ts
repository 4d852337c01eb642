// A request taken apart: its target, the query parameters that ask for something, the headers that mean something. What each
// operation takes of them is in operations.ts.
import { err, ok, type Result } from '../../base/core/result.ts';
import { decodePairs } from '../urlencoded.ts';
import type { S3Request } from './call.ts';
import { refuse, type S3Error, s3Error } from './errors.ts';
import { readTarget, type Target } from './names.ts';

/** Room for a presigned URL with a session token of the largest size and metadata. */
const MAX_QUERY_CHARS = 32 * 1024;

/** What a request says, every name once. */
export interface RequestParts {
  readonly method: string;
  readonly target: Target;
  /** Query parameters but those of the signature. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Headers with a meaning here, those that stand in the query of a presigned URL among them. */
  readonly headers: ReadonlyMap<string, string>;
}

/** The parameters of a presigned URL's signature, spelt as AWS does. base/sigv4 reads them. */
const SIGNATURE_PARAMETERS = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Content-Sha256',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
]);

/** Names the operation for the client's own logs; every SDK for JavaScript sends it. */
const OPERATION_HINT = 'x-id';

const AMZ_PREFIX = 'x-amz-';

/** Headers beside `x-amz-*` that change what an operation does, stores or answers. All others are HTTP's and the client's own. */
const MEANINGFUL = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
]);

/** Headers that frame or authenticate a request: in the query they would mean nothing to those who read them. */
const NEVER_IN_QUERY = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-security-token',
  'x-amz-trailer',
]);

/**
 * Takes a request apart. Errors: those of `readTarget`; InvalidURI (a query that cannot be decoded in one way only: broken
 * escapes, a raw `+`), InvalidRequest (a name twice, also once as header and once in the query), NotImplemented (a header
 * in the query that may not stand there).
 */
export function readParts(request: S3Request): Result<RequestParts, S3Error> {
  const target = readTarget(request.path);
  if (!target.ok) return target;
  const query = readQuery(request.query);
  if (!query.ok) return query;
  const headers = readHeaders(request.headers, query.value.headers);
  if (!headers.ok) return headers;
  return ok({
    method: request.method,
    target: target.value,
    parameters: query.value.parameters,
    headers: headers.value,
  });
}

interface Query {
  readonly parameters: ReadonlyMap<string, string>;
  /** Presigning moves `x-amz-*` headers into the query. */
  readonly headers: ReadonlyMap<string, string>;
}

function readQuery(raw: string): Result<Query, S3Error> {
  if (raw.length > MAX_QUERY_CHARS) return refuse('RequestHeaderSectionTooLarge');
  // A plus is a space to some readers and a plus to others; every signer escapes both.
  if (!/^[\x21-\x7e]*$/.test(raw) || /[+#]/.test(raw)) return refuse('InvalidURI');
  const pairs = decodePairs(Buffer.from(raw));
  if (!pairs.ok) return refuse('InvalidURI');
  const parameters = new Map<string, string>();
  const headers = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, value } of pairs.value) {
    const header = name.toLowerCase();
    const isHeader = header.startsWith(AMZ_PREFIX);
    const key = isHeader ? header : name;
    if (seen.has(key)) return twice(`query parameter ${JSON.stringify(key.slice(0, 64))}`);
    seen.add(key);
    if (SIGNATURE_PARAMETERS.has(name) || name === OPERATION_HINT) continue;
    if (isHeader && NEVER_IN_QUERY.has(header)) {
      return refuse('NotImplemented', undefined, [['Header', header]]);
    }
    (isHeader ? headers : parameters).set(key, value);
  }
  return ok({ parameters, headers });
}

function readHeaders(
  all: S3Request['headers'],
  fromQuery: ReadonlyMap<string, string>,
): Result<ReadonlyMap<string, string>, S3Error> {
  const headers = new Map(fromQuery);
  for (const [name, values] of all) {
    if (!name.startsWith(AMZ_PREFIX) && !MEANINGFUL.has(name)) continue;
    const [value, ...others] = values;
    if (value === undefined) continue;
    if (others.length > 0 || headers.has(name)) return twice(`header ${JSON.stringify(name.slice(0, 64))}`);
    headers.set(name, value);
  }
  return ok(headers);
}

const twice = (what: string): Result<never, S3Error> => err(s3Error('InvalidRequest', `The ${what} stands twice`));
