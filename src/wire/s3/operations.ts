// The exact allow-list: which method, target, query parameters and headers make which operation. Whatever is not in these
// rows is NotImplemented: a parameter or header that nobody reads could mean something to its sender.
import { ok, type Result } from '../../base/core/result.ts';
import type { S3Operation } from './call.ts';
import {
  headerNotImplemented,
  invalidArgument,
  parameterNotImplemented,
  refuse,
  type S3Error,
  type S3ErrorCode,
} from './errors.ts';
import type { Target } from './names.ts';
import type { RequestParts } from './parts.ts';

/** One operation that is served. */
interface OperationRow {
  readonly operation: S3Operation;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly target: Target['kind'];
  /** Parameters that make it this operation, with the one value they may have; null: any. */
  readonly selectors: Readonly<Record<string, string | null>>;
  /** Whether it is the one with `x-amz-copy-source`. */
  readonly copies: boolean;
  /** Further parameters that it takes. */
  readonly parameters: readonly string[];
  /** Headers that it takes beside those of every operation. `x-amz-meta-` stands for all that begin so. */
  readonly headers: readonly string[];
}

/** Read by base/sigv4, or telling nothing but who the client is and that it would pay. */
const EVERYWHERE = [
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-request-payer',
  'x-amz-security-token',
  'x-amz-user-agent',
];
/** What a stored object gets told with; elsewhere they say nothing that could be wrong. */
const CONTENT = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];
const READ_CONDITIONS = ['if-match', 'if-modified-since', 'if-none-match', 'if-unmodified-since'];
const WRITE_CONDITIONS = ['if-match', 'if-none-match'];
const SOURCE_CONDITIONS = READ_CONDITIONS.map((name) => `x-amz-copy-source-${name}`);
/** The body's framing and its checksums (payload/plan.ts). */
const PAYLOAD = [
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-decoded-content-length',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-trailer',
];
/** The framing alone: a checksum header of CompleteMultipartUpload speaks of the object, which nobody would compare. */
const FRAMING = ['x-amz-decoded-content-length', 'x-amz-trailer'];
const STORED = ['x-amz-acl', 'x-amz-meta-', 'x-amz-storage-class'];
const OVERRIDES = [
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
];
/** `append-md5` is an offer, like TE: who takes it says so in its answer. */
const READ_HEADERS = [...READ_CONDITIONS, 'range', 'x-amz-checksum-mode', 'x-amz-te'];
const LISTING = ['delimiter', 'encoding-type', 'max-keys', 'prefix'];

type Path = `${OperationRow['method']} ${Target['kind']}`;
type Takes = Partial<Pick<OperationRow, 'selectors' | 'copies' | 'parameters' | 'headers'>>;

const row = (operation: S3Operation, path: Path, takes: Takes = {}): OperationRow => {
  const [method, target] = path.split(' ') as [OperationRow['method'], Target['kind']];
  return { operation, method, target, selectors: {}, copies: false, parameters: [], headers: [], ...takes };
};

const UPLOAD = { uploadId: null } as const;
const PART = { uploadId: null, partNumber: null } as const;

/** Every operation that is served. */
export const OPERATIONS: readonly OperationRow[] = [
  // The CLI's `s3 ls` sends max-buckets.
  row('ListBuckets', 'GET service', { parameters: ['continuation-token', 'max-buckets', 'prefix'] }),
  row('HeadBucket', 'HEAD bucket'),
  row('GetBucketLocation', 'GET bucket', { selectors: { location: '' } }),
  row('ListObjects', 'GET bucket', { parameters: [...LISTING, 'marker'] }),
  row('ListObjectsV2', 'GET bucket', {
    selectors: { 'list-type': '2' },
    parameters: [...LISTING, 'continuation-token', 'fetch-owner', 'start-after'],
  }),
  row('DeleteObjects', 'POST bucket', { selectors: { delete: '' }, headers: PAYLOAD }),
  row('GetObject', 'GET object', { parameters: OVERRIDES, headers: READ_HEADERS }),
  row('HeadObject', 'HEAD object', { parameters: OVERRIDES, headers: READ_HEADERS }),
  row('PutObject', 'PUT object', { headers: [...STORED, ...PAYLOAD, ...WRITE_CONDITIONS] }),
  row('CopyObject', 'PUT object', {
    copies: true,
    headers: [
      ...STORED,
      ...WRITE_CONDITIONS,
      ...SOURCE_CONDITIONS,
      'x-amz-copy-source',
      'x-amz-metadata-directive',
      'x-amz-tagging-directive',
    ],
  }),
  row('DeleteObject', 'DELETE object', { headers: ['if-match'] }),
  row('CreateMultipartUpload', 'POST object', {
    selectors: { uploads: '' },
    headers: [...STORED, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
  }),
  row('UploadPart', 'PUT object', { selectors: PART, headers: PAYLOAD }),
  row('UploadPartCopy', 'PUT object', {
    selectors: PART,
    copies: true,
    headers: [...SOURCE_CONDITIONS, 'x-amz-copy-source', 'x-amz-copy-source-range'],
  }),
  row('CompleteMultipartUpload', 'POST object', { selectors: UPLOAD, headers: [...FRAMING, ...WRITE_CONDITIONS] }),
  row('AbortMultipartUpload', 'DELETE object', { selectors: UPLOAD }),
  row('ListParts', 'GET object', { selectors: UPLOAD, parameters: ['max-parts', 'part-number-marker'] }),
];

/** Headers that are read only to see that they ask for what is done anyway, and the error of every other value. */
const ONE_MEANING: Readonly<Record<string, { readonly values: readonly string[]; readonly error: S3ErrorCode }>> = {
  // What every bucket here does. AWS asks for s3:PutObjectAcl only where an ACL could say more.
  'x-amz-acl': { values: ['bucket-owner-full-control', 'private'], error: 'AccessControlListNotSupported' },
  'x-amz-checksum-mode': { values: ['ENABLED'], error: 'InvalidArgument' },
  'x-amz-request-payer': { values: ['requester'], error: 'InvalidArgument' },
  'x-amz-storage-class': { values: ['STANDARD'], error: 'NotImplemented' },
  // No object has tags, so copying and replacing them by none are the same.
  'x-amz-tagging-directive': { values: ['COPY', 'REPLACE'], error: 'InvalidArgument' },
  'x-amz-te': { values: ['append-md5'], error: 'NotImplemented' },
};

/**
 * The operation that a request asks for. Errors: NotImplemented for everything that its row does not list, a POST of a form
 * among it; AccessControlListNotSupported, InvalidArgument for values of harmless headers that would not be harmless.
 */
export function findOperation(parts: RequestParts): Result<S3Operation, S3Error> {
  if (parts.method === 'POST' && /^multipart\/form-data/i.test(parts.headers.get('content-type') ?? '')) {
    return refuse('NotImplemented', 'Uploads by HTML form (presigned POST) are not implemented: presign a PUT');
  }
  const best = OPERATIONS.filter((candidate) => fits(candidate, parts)).sort(bySelectors)[0];
  if (best === undefined) return refuse('NotImplemented', 'This operation is not implemented');
  for (const [name, value] of parts.parameters) {
    if (!best.parameters.includes(name) && !selects(best, name, value)) return parameterNotImplemented(name);
  }
  for (const [name, value] of parts.headers) {
    const refusal = refuseHeader(best, name, value);
    if (refusal !== undefined) return refusal;
  }
  return ok(best.operation);
}

const fits = (candidate: OperationRow, parts: RequestParts): boolean =>
  candidate.method === parts.method &&
  candidate.target === parts.target.kind &&
  candidate.copies === parts.headers.has('x-amz-copy-source') &&
  Object.keys(candidate.selectors).every((name) => parts.parameters.has(name));

const selects = (candidate: OperationRow, name: string, value: string): boolean =>
  Object.hasOwn(candidate.selectors, name) && (candidate.selectors[name] ?? value) === value;

/** The row that explains most of the request first; what it does not explain is refused. */
const bySelectors = (one: OperationRow, other: OperationRow): number =>
  Object.keys(other.selectors).length - Object.keys(one.selectors).length;

function refuseHeader(taking: OperationRow, name: string, value: string): Result<never, S3Error> | undefined {
  const listed = name.startsWith('x-amz-meta-') ? 'x-amz-meta-' : name;
  const isTaken = [EVERYWHERE, CONTENT, taking.headers].some((names) => names.includes(listed));
  if (!isTaken) return headerNotImplemented(name);
  const meaning = Object.hasOwn(ONE_MEANING, name) ? ONE_MEANING[name] : undefined;
  if (meaning === undefined || meaning.values.includes(value)) return undefined;
  if (meaning.error === 'NotImplemented') return headerNotImplemented(name);
  return meaning.error === 'InvalidArgument'
    ? invalidArgument(name, value, `Invalid value of ${name}`)
    : refuse(meaning.error);
}
