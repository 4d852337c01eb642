// The exact allow-list: which method, target, query parameters and headers make which operation. These are the calls of
// @azure/storage-blob 12.34; whatever is not in these rows is refused: a parameter or header that nobody reads could mean
// something to its sender.
import { ok, type Result } from '../../base/core/result.ts';
import type { BlobOperation } from './call.ts';
import { isServedVersion, VERSIONS } from './common-headers.ts';
import { type BlobError, invalidHeader, refuse, unsupportedHeader, unsupportedParameter } from './errors.ts';
import type { Target } from './names.ts';
import type { RequestParts } from './parts.ts';

/** One operation that is served. */
interface OperationRow {
  readonly operation: BlobOperation;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly target: Target['kind'];
  /** Parameters that make it this operation, with their values. */
  readonly selectors: Readonly<Record<string, string>>;
  /** Further parameters that it takes. */
  readonly parameters: readonly string[];
  /** Headers that it takes beside those of every operation. `x-ms-meta-` stands for all that begin so. */
  readonly headers: readonly string[];
}

/** Who the client is, and which version of the protocol it speaks. */
const EVERYWHERE = ['x-ms-client-request-id', 'x-ms-version'];
const READ_CONDITIONS = ['if-match', 'if-modified-since', 'if-none-match', 'if-unmodified-since'];
const WRITE_CONDITIONS = ['if-match', 'if-none-match'];
/** What the body is, and what it is held to. */
const BODY = ['content-type', 'content-md5', 'x-ms-content-crc64'];
const STORED = [
  'x-ms-blob-cache-control',
  'x-ms-blob-content-disposition',
  'x-ms-blob-content-encoding',
  'x-ms-blob-content-language',
  'x-ms-blob-content-type',
  'x-ms-meta-',
];

type Path = `${OperationRow['method']} ${Target['kind']}`;
type Takes = Partial<Pick<OperationRow, 'selectors' | 'parameters' | 'headers'>>;

const row = (operation: BlobOperation, path: Path, takes: Takes = {}): OperationRow => {
  const [method, target] = path.split(' ') as [OperationRow['method'], Target['kind']];
  return { operation, method, target, selectors: {}, parameters: [], headers: [], ...takes };
};

/** Every operation that is served. */
export const OPERATIONS: readonly OperationRow[] = [
  row('GetContainerProperties', 'GET container', { selectors: { restype: 'container' } }),
  row('ListBlobs', 'GET container', {
    selectors: { restype: 'container', comp: 'list' },
    parameters: ['delimiter', 'marker', 'maxresults', 'prefix'],
  }),
  row('GetBlob', 'GET blob', { headers: [...READ_CONDITIONS, 'x-ms-range'] }),
  row('GetBlobProperties', 'HEAD blob', { headers: READ_CONDITIONS }),
  row('PutBlob', 'PUT blob', {
    headers: [...BODY, ...STORED, ...WRITE_CONDITIONS, 'x-ms-blob-content-md5', 'x-ms-blob-type'],
  }),
  row('PutBlock', 'PUT blob', { selectors: { comp: 'block' }, parameters: ['blockid'], headers: BODY }),
  row('PutBlockList', 'PUT blob', {
    selectors: { comp: 'blocklist' },
    headers: [...BODY, ...STORED, ...WRITE_CONDITIONS],
  }),
  row('DeleteBlob', 'DELETE blob', { headers: ['if-match', 'x-ms-delete-snapshots'] }),
];

/** Headers that are read only to see that they ask for what is done anyway. */
const ONE_MEANING: Readonly<Record<string, string>> = {
  'x-ms-blob-type': 'BlockBlob',
  // There are none.
  'x-ms-delete-snapshots': 'include',
};

/**
 * The operation that a request asks for. Errors: NotImplemented for a call of the Blob service that is not in the rows,
 * UnsupportedQueryParameter and UnsupportedHeader for what its row does not list, MissingRequiredHeader and
 * InvalidHeaderValue for the version.
 */
export function findOperation(parts: RequestParts): Result<BlobOperation, BlobError> {
  const version = refuseVersion(parts.headers.get('x-ms-version'));
  if (version !== undefined) return version;
  const best = OPERATIONS.filter((candidate) => fits(candidate, parts)).sort(bySelectors)[0];
  if (best === undefined || parts.parameters.has('comp') !== Object.hasOwn(best.selectors, 'comp')) {
    return refuse('NotImplemented');
  }
  for (const name of parts.parameters.keys()) {
    const isListed = best.parameters.includes(name) || Object.hasOwn(best.selectors, name);
    if (!isListed) return unsupportedParameter(name);
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
  Object.entries(candidate.selectors).every(([name, value]) => parts.parameters.get(name) === value);

/** The row that explains most of the request first; what it does not explain is refused. */
const bySelectors = (one: OperationRow, other: OperationRow): number =>
  Object.keys(other.selectors).length - Object.keys(one.selectors).length;

function refuseVersion(version: string | undefined): Result<never, BlobError> | undefined {
  if (version === undefined) return refuse('MissingRequiredHeader', undefined, [['HeaderName', 'x-ms-version']]);
  const served = `Versions ${VERSIONS.first} to ${VERSIONS.last} of the Blob service are served here.`;
  return isServedVersion(version) ? undefined : invalidHeader('x-ms-version', version, served);
}

function refuseHeader(taking: OperationRow, name: string, value: string): Result<never, BlobError> | undefined {
  const listed = name.startsWith('x-ms-meta-') ? 'x-ms-meta-' : name;
  const isTaken = EVERYWHERE.includes(listed) || taking.headers.includes(listed);
  if (!isTaken) return name.startsWith('if-') ? refuse('ConditionHeadersNotSupported') : unsupportedHeader(name);
  const wanted = Object.hasOwn(ONE_MEANING, name) ? ONE_MEANING[name] : undefined;
  return wanted === undefined || wanted === value ? undefined : invalidHeader(name, value);
}
