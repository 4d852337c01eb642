// Answers of the Blob service: the headers that tell of a blob, and errors as XML. It writes no body of a blob.
import type { EpochMs } from '../../base/core/time.ts';
import { textElement } from '../xml/write.ts';
import type { ContentDigest } from './call.ts';
import type { BlobError } from './errors.ts';

/** What headers tell of a blob. The words are those of the gateway's port. */
export interface DescribedBlob {
  /** Bytes. */
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly modifiedAt: EpochMs;
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly contentDisposition?: string;
  readonly contentLanguage?: string;
  readonly cacheControl?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

type Headers = Readonly<Record<string, string>>;

export const XML_PROLOG = '<?xml version="1.0" encoding="utf-8"?>';
const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** The head of a read's answer. `range`: the bytes that follow, both ends included; null: all of them. */
export function readHead(
  blob: DescribedBlob,
  range: { readonly first: number; readonly last: number } | null,
): { readonly status: number; readonly headers: Headers } {
  const length = range === null ? blob.size : range.last - range.first + 1;
  const md5 = md5Of(blob.etag);
  // With a range, Content-MD5 would speak of the range; the whole blob's has a name of its own.
  const md5Header = range === null ? 'content-md5' : 'x-ms-blob-content-md5';
  const headers = {
    ...validators(blob),
    ...properties(blob),
    ...(md5 === undefined ? {} : { [md5Header]: md5 }),
    'accept-ranges': 'bytes',
    'content-length': String(length),
    ...(range === null ? {} : { 'content-range': `bytes ${range.first}-${range.last}/${blob.size}` }),
    'x-ms-blob-type': 'BlockBlob',
    'x-ms-lease-state': 'available',
    'x-ms-lease-status': 'unlocked',
  };
  return { status: range === null ? 200 : 206, headers };
}

/** What a stored blob is answered with. */
export const writeHeaders = (
  blob: Pick<DescribedBlob, 'etag' | 'modifiedAt'>,
  digest: ContentDigest | null,
): Headers => ({
  ...validators(blob),
  ...digestHeaders(digest),
});

/** The digest that was announced and that holds, for the sender to see that it was heeded. */
export function digestHeaders(digest: ContentDigest | null): Headers {
  if (digest === null) return {};
  return { [digest.algorithm === 'md5' ? 'content-md5' : 'x-ms-content-crc64']: digest.value };
}

export const validators = ({ etag, modifiedAt }: Pick<DescribedBlob, 'etag' | 'modifiedAt'>): Headers => ({
  etag: `"${etag}"`,
  'last-modified': new Date(modifiedAt).toUTCString(),
});

/** The MD5 in base64, where the ETag is one: of what came in one piece. */
export const md5Of = (etag: string): string | undefined =>
  /^[0-9a-f]{32}$/.test(etag) ? Buffer.from(etag, 'hex').toString('base64') : undefined;

function properties(blob: DescribedBlob): Headers {
  const { cacheControl, contentDisposition, contentEncoding, contentLanguage } = blob;
  const told = {
    'cache-control': cacheControl,
    'content-disposition': contentDisposition,
    'content-encoding': contentEncoding,
    'content-language': contentLanguage,
    'content-type': blob.contentType ?? DEFAULT_CONTENT_TYPE,
  };
  const headers = Object.entries(told).flatMap(([name, value]) => (canStand(value) ? [[name, value]] : []));
  const metadata = Object.entries(blob.metadata).flatMap(([name, value]) =>
    FIELD_NAME.test(name) && canStand(value) ? [[`x-ms-meta-${name.toLowerCase()}`, value]] : [],
  );
  return Object.fromEntries([...headers, ...metadata]);
}

/** RFC 9110 §5.1: what a name may hold. Other fronts of the store may have written names and values that cannot stand here. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const canStand = (value: string | undefined): boolean => value !== undefined && /^[\x20-\x7e]*$/.test(value);

/** An error as the Blob service answers it. HEAD has no body, so that the code is also a header. */
export function encodeError(
  error: BlobError,
  context: { readonly requestId: string; readonly nowMs: EpochMs; readonly isHead: boolean },
): { readonly status: number; readonly headers: Headers; readonly body: string | null } {
  const { code, status, message, elements, retryAfterSeconds } = error;
  const headers = {
    'x-ms-error-code': code,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  };
  // RFC 9110 §15.4.5: a 304 has none either.
  if (context.isHead || status === 304) return { status, headers, body: null };
  const whole = `${message}\nRequestId:${context.requestId}\nTime:${new Date(context.nowMs).toISOString()}`;
  const more = elements.map(([name, value]) => textElement(name, value)).join('');
  const body = `${XML_PROLOG}<Error>${textElement('Code', code)}${textElement('Message', whole)}${more}</Error>`;
  return { status, headers: { ...headers, 'content-type': 'application/xml' }, body };
}
