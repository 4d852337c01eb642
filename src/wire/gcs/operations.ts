// The table of what is served: for each operation its path, and every parameter and header with a meaning. It is made of what the
// clients of test/sdk/gcs send; everything else is `notImplemented`.
import { ok, type Result } from '../../base/core/result.ts';
import type { GcsOperation } from './call.ts';
import { type GcsError, notImplemented, refuse } from './errors.ts';

/** One row of the table. */
interface OperationRow {
  readonly operation: GcsOperation;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Its groups are the raw names: a bucket, an object, and for copies those of the target. */
  readonly path: RegExp;
  /** Parameters that choose this row, with the value that they must have. */
  readonly selectors: Readonly<Record<string, string>>;
  readonly parameters: readonly string[];
  /** Headers with a meaning, beside those that every request may have. */
  readonly headers: readonly string[];
}

/** A request in the parts that the table speaks of. */
export interface RequestParts {
  readonly method: string;
  /** Raw. */
  readonly path: string;
  /** Decoded, each once. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Values by name in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** What a request asks for, with the raw names in its path. */
export interface FoundOperation {
  readonly operation: GcsOperation;
  readonly names: readonly string[];
}

type Takes = Partial<Pick<OperationRow, 'selectors' | 'parameters' | 'headers'>>;

const row = (
  operation: GcsOperation,
  target: `${OperationRow['method']} ${string}`,
  takes: Takes = {},
): OperationRow => {
  const [method, template = ''] = target.split(' ') as [OperationRow['method'], string?];
  const pattern = template.replaceAll('{}', '([^/]+)').replace('{…}', '(.+)');
  return { operation, method, path: new RegExp(`^${pattern}$`), selectors: {}, parameters: [], headers: [], ...takes };
};

const BUCKET = '/storage/v1/b/{}';
const OBJECT = `${BUCKET}/o/{}`;
const UPLOAD = '/upload/storage/v1/b/{}/o';
/** The XML API's way to read, which Go's client takes. What begins like the JSON API is never a bucket of that name. */
const XML_OBJECT = '/(?!(?:batch|download|resumable|storage|upload)/){}/{…}';
/** How every answer is written, which changes nothing of what is done. */
const FORM = ['alt', 'fields', 'prettyPrint', 'projection'];
const WRITE = ['name', 'ifGenerationMatch', ...FORM];
const MEDIA = { alt: 'media' };
const RESUMABLE = { uploadType: 'resumable' };
const START = { selectors: RESUMABLE, parameters: WRITE, headers: ['x-goog-hash', 'x-upload-content-'] };

/** Every operation that is served; the first row that fits. */
const OPERATIONS: readonly OperationRow[] = [
  row('ListBuckets', 'GET /storage/v1/b', { parameters: ['maxResults', 'pageToken', 'prefix', 'project', ...FORM] }),
  row('GetBucket', `GET ${BUCKET}`, { parameters: FORM }),
  row('GetStorageLayout', `GET ${BUCKET}/storageLayout`, { parameters: FORM }),
  row('ListObjects', `GET ${BUCKET}/o`, {
    parameters: [
      'delimiter',
      'endOffset',
      'includeFoldersAsPrefixes',
      'includeTrailingDelimiter',
      'maxResults',
      'pageToken',
      'prefix',
      'startOffset',
      'versions',
      ...FORM,
    ],
  }),
  row('ReadObject', `GET ${OBJECT}`, { selectors: MEDIA, parameters: ['generation'], headers: ['range'] }),
  row('ReadObject', `GET /download${OBJECT}`, { selectors: MEDIA, parameters: ['generation'], headers: ['range'] }),
  row('GetObject', `GET ${OBJECT}`, { parameters: ['generation', ...FORM] }),
  // Node's deleteFiles repeats the parameters of its listing here.
  row('DeleteObject', `DELETE ${OBJECT}`, { parameters: ['generation', 'ifGenerationMatch', 'prefix', ...FORM] }),
  row('RewriteObject', `POST ${OBJECT}/rewriteTo/b/{}/o/{}`, {
    parameters: ['ifGenerationMatch', 'maxBytesRewrittenPerCall', 'sourceGeneration', ...FORM],
  }),
  row('InsertObject', `POST ${UPLOAD}`, {
    selectors: { uploadType: 'multipart' },
    parameters: WRITE,
    headers: ['x-goog-hash'],
  }),
  row('StartUpload', `POST ${UPLOAD}`, START),
  row('StartUpload', `POST /resumable${UPLOAD}`, START),
  row('ContinueUpload', `PUT ${UPLOAD}`, {
    selectors: RESUMABLE,
    parameters: ['name', 'upload_id', ...FORM],
    headers: ['content-range', 'x-goog-hash'],
  }),
  row('ReadObject', `GET ${XML_OBJECT}`, { headers: ['range'] }),
];

const FLAG = ['true', 'True', 'false', 'False'];

/** Parameters that are looked at only to see that they ask for what is done anyway. */
const ONE_MEANING: Readonly<Record<string, readonly string[]>> = {
  alt: ['json'],
  endOffset: [''],
  // There are no folders beside the prefixes, and no generations beside the one that stands.
  includeFoldersAsPrefixes: FLAG,
  includeTrailingDelimiter: ['false', 'False'],
  prettyPrint: FLAG,
  projection: ['full', 'noAcl'],
  startOffset: [''],
  versions: FLAG,
};

/** Headers that would change what a request means, wherever they are not in its row. */
const MEANINGFUL = /^(?:x-goog-|x-upload-|if-|content-(?:encoding|md5|range)$|x-http-method|x-method-override$)/;
/** Said of the client and of its try, not of the call; billing has no meaning here. */
const EVERYWHERE = ['x-goog-api-client', 'x-goog-gcs-idempotency-token', 'x-goog-user-project'];

/** What a request asks for. Error: `notImplemented` for everything that its row does not list. */
export function findOperation(parts: RequestParts): Result<FoundOperation, GcsError> {
  const best = OPERATIONS.find((candidate) => fits(candidate, parts));
  if (best === undefined) return refuse('notImplemented', 'This call is not implemented here.');
  for (const [name, value] of parts.parameters) {
    if (!takes(best, name, value)) return notImplemented('parameter', name);
  }
  for (const [name, values] of parts.headers) {
    if (!MEANINGFUL.test(name) || EVERYWHERE.includes(name)) continue;
    const isIdentity = name === 'content-encoding' && values.every((value) => value === 'identity');
    if (!isIdentity && !best.headers.some((listed) => isListed(listed, name))) return notImplemented('header', name);
  }
  const [, ...names] = best.path.exec(parts.path) ?? [];
  return ok({ operation: best.operation, names });
}

const fits = ({ method, path, selectors }: OperationRow, parts: RequestParts): boolean =>
  method === parts.method &&
  path.test(parts.path) &&
  Object.entries(selectors).every(([name, value]) => parts.parameters.get(name) === value);

function takes({ parameters, selectors }: OperationRow, name: string, value: string): boolean {
  if (Object.hasOwn(selectors, name)) return true;
  if (!parameters.includes(name)) return false;
  return !Object.hasOwn(ONE_MEANING, name) || ONE_MEANING[name]?.includes(value) === true;
}

/** A name, or the beginning of several when it ends in `-`. */
const isListed = (listed: string, name: string): boolean =>
  listed === name || (listed.endsWith('-') && name.startsWith(listed));
