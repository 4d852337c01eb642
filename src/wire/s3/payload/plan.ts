// How a request's body is framed, how long it is, and what it must turn out to be. Read once, from what was signed; the body
// itself is decode.ts's.
import { CHECKSUM_ALGORITHMS, CHECKSUM_BYTES, type ChecksumAlgorithm } from '../../../base/checksum/checksum.ts';
import { ok, type Result } from '../../../base/core/result.ts';
import type { SignatureClaim } from '../../../base/sigv4/read.ts';
import type { S3Request } from '../call.ts';
import { invalidArgument, refuse, type S3Error, s3Error } from '../errors.ts';

/** The body as x-amz-content-sha256 tells it. */
type PayloadMode =
  /** Bytes, whose SHA-256 was signed. */
  | 'hash'
  /** Bytes that nothing vouches for but their checksums. */
  | 'unsigned'
  /** Chunks, each with a signature that continues the request's. */
  | 'streaming-signed'
  | 'streaming-signed-trailer'
  /** Chunks without signatures, so that a checksum can follow them. */
  | 'streaming-unsigned-trailer';

/** A checksum that the body must have, in base64. */
interface ExpectedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: string;
}

/** What a body must be. */
export interface PayloadPlan {
  readonly mode: PayloadMode;
  /** Bytes of the body proper, without any framing. */
  readonly size: number;
  /** In hexadecimal; null unless the mode is `hash`. */
  readonly sha256: string | null;
  /** In base64. */
  readonly contentMd5: string | null;
  readonly checksum: ExpectedChecksum | null;
  /** What the trailer will tell. */
  readonly trailer: ChecksumAlgorithm | null;
}

const MODES = new Map<string, PayloadMode>([
  ['UNSIGNED-PAYLOAD', 'unsigned'],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'streaming-signed'],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', 'streaming-signed-trailer'],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'streaming-unsigned-trailer'],
]);

const HASH_HEADER = 'x-amz-content-sha256';
const MD5_BYTES = 16;

export interface PlanOptions {
  /** Whose signature covers the request. */
  readonly claim: Pick<SignatureClaim, 'form' | 'payloadHash'>;
  readonly maxBytes: number;
  /** DeleteObjects only: AWS wants a digest of that body whatever was signed. */
  readonly needsDigest?: boolean;
}

/**
 * The plan of a body. Checksums in the query of a presigned request count for nothing: the SDK for JavaScript presigns the
 * checksum of an empty body. Precondition: the request was read by `readS3Call`, so x-amz-* headers stand once. Errors:
 * MissingSecurityHeader, MissingContentLength, InvalidArgument, InvalidRequest, InvalidDigest, EntityTooLarge, NotImplemented
 * (ECDSA).
 */
export function readPayloadPlan(request: S3Request, options: PlanOptions): Result<PayloadPlan, S3Error> {
  const { headers } = request;
  const framing = readMode(options.claim);
  if (!framing.ok) return framing;
  const { mode } = framing.value;
  const refusal = refuseMisframed(headers, mode);
  if (refusal !== undefined) return refusal;
  const size = readSize(headers, mode, options.maxBytes);
  if (!size.ok) return size;
  const contentMd5 = readContentMd5(headers);
  if (!contentMd5.ok) return contentMd5;
  const checksums = readChecksums(headers, mode);
  if (!checksums.ok) return checksums;
  const { checksum, trailer } = checksums.value;
  if (options.needsDigest && contentMd5.value === null && checksum === null && trailer === null) {
    return refuse('InvalidRequest', 'Missing required header for this request: Content-MD5');
  }
  return ok({ ...framing.value, size: size.value, contentMd5: contentMd5.value, checksum, trailer });
}

/** What a request must not have when its operation takes no body: UnexpectedContent. */
export function refuseContent({ headers }: S3Request): S3Error | undefined {
  const lengths = headers.get('content-length') ?? [];
  const hasContent = headers.has('transfer-encoding') || lengths.some((length) => !/^0+$/.test(length));
  return hasContent ? s3Error('UnexpectedContent') : undefined;
}

function readMode({ form, payloadHash }: PlanOptions['claim']): Result<Pick<PayloadPlan, 'mode' | 'sha256'>, S3Error> {
  if (payloadHash === null) {
    return form === 'query'
      ? ok({ mode: 'unsigned', sha256: null })
      : refuse('MissingSecurityHeader', undefined, [['MissingHeaderName', HASH_HEADER]]);
  }
  const mode = MODES.get(payloadHash);
  if (mode !== undefined) return ok({ mode, sha256: null });
  if (/^[0-9a-f]{64}$/.test(payloadHash)) return ok({ mode: 'hash', sha256: payloadHash });
  return payloadHash.startsWith('STREAMING-AWS4-ECDSA-')
    ? refuse('NotImplemented', 'Payloads signed by SigV4A are not implemented', [['Header', HASH_HEADER]])
    : invalidArgument(
        HASH_HEADER,
        payloadHash,
        `${HASH_HEADER} must be ${[...MODES.keys()].join(', ')} or a valid sha256 value.`,
      );
}

type Headers = S3Request['headers'];

const isStreaming = (mode: PayloadMode): boolean => mode.startsWith('streaming-');

/** Words about framing that contradict the mode: two readers would read two bodies. */
function refuseMisframed(headers: Headers, mode: PayloadMode): Result<never, S3Error> | undefined {
  const repeated = ['content-length', 'content-md5', 'content-encoding'].find(
    (name) => (headers.get(name)?.length ?? 0) > 1,
  );
  if (repeated !== undefined) return refuse('InvalidRequest', `The header ${repeated} stands twice`);
  if (isStreaming(mode)) return undefined;
  const encoding = first(headers, 'content-encoding') ?? '';
  if (/(?:^|[, \t])aws-chunked(?:$|[, \t])/i.test(encoding)) {
    return invalidArgument('Content-Encoding', encoding, `aws-chunked needs ${HASH_HEADER} to say how it is framed.`);
  }
  const stray = ['x-amz-decoded-content-length', 'x-amz-trailer'].find((name) => headers.has(name));
  return stray === undefined
    ? undefined
    : refuse('InvalidRequest', `${stray} needs ${HASH_HEADER} to say how the body is framed`);
}

function readSize(headers: Headers, mode: PayloadMode, maxBytes: number): Result<number, S3Error> {
  const name = isStreaming(mode) ? 'x-amz-decoded-content-length' : 'content-length';
  const text = first(headers, name);
  if (text === undefined) return refuse('MissingContentLength');
  if (!/^[0-9]{1,15}$/.test(text)) return invalidArgument(name, text, `${name} is not a number of bytes`);
  const size = Number(text);
  return size <= maxBytes
    ? ok(size)
    : refuse('EntityTooLarge', undefined, [
        ['ProposedSize', String(size)],
        ['MaxSizeAllowed', String(maxBytes)],
      ]);
}

function readContentMd5(headers: Headers): Result<string | null, S3Error> {
  const text = first(headers, 'content-md5');
  if (text === undefined) return ok(null);
  return isBase64(text, MD5_BYTES) ? ok(text) : refuse('InvalidDigest', undefined, [['Content-MD5', text]]);
}

type Checks = Pick<PayloadPlan, 'checksum' | 'trailer'>;

/** At most one checksum, told before the body or behind it. */
function readChecksums(headers: Headers, mode: PayloadMode): Result<Checks, S3Error> {
  const told = CHECKSUM_ALGORITHMS.filter((algorithm) => headers.has(headerOf(algorithm)));
  const trailer = readTrailer(headers, mode);
  if (!trailer.ok) return trailer;
  const [algorithm] = told;
  if (told.length + (trailer.value === null ? 0 : 1) > 1) {
    return refuse(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const declared = first(headers, 'x-amz-sdk-checksum-algorithm');
  if (declared !== undefined && declared.toLowerCase() !== (algorithm ?? trailer.value)) {
    return refuse(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  if (algorithm === undefined) return ok({ checksum: null, trailer: trailer.value });
  const value = first(headers, headerOf(algorithm)) ?? '';
  return isBase64(value, CHECKSUM_BYTES[algorithm])
    ? ok({ checksum: { algorithm, value }, trailer: null })
    : refuse('InvalidRequest', `Value for ${headerOf(algorithm)} header is invalid.`);
}

/** The trailer that is announced. A chain that signs a trailer needs one; without signatures it may be absent. */
function readTrailer(headers: Headers, mode: PayloadMode): Result<ChecksumAlgorithm | null, S3Error> {
  const name = first(headers, 'x-amz-trailer');
  if (name === undefined) {
    return mode === 'streaming-signed-trailer' ? refuse('InvalidRequest', 'x-amz-trailer is missing') : ok(null);
  }
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => headerOf(known) === name.trim().toLowerCase());
  return algorithm === undefined || mode === 'streaming-signed'
    ? refuse('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported')
    : ok(algorithm);
}

/** The header, or trailer, that tells a checksum. */
export const headerOf = (algorithm: ChecksumAlgorithm): string => `x-amz-checksum-${algorithm}`;

/** Whether `text` is the one base64 form of so many bytes. */
export function isBase64(text: string, bytes: number): boolean {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text;
}

const first = (headers: Headers, name: string): string | undefined => headers.get(name)?.[0];
