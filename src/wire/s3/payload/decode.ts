// From a request's body to the bytes that may be stored: unframed, counted, and held to every digest that was announced.
import { type Checksums, createChecksum, type RunningChecksum } from '../../../base/checksum/checksum.ts';
import type { ChunkSignatures } from '../../../base/sigv4/chunks.ts';
import { dechunk } from './dechunk.ts';
import { type PayloadError, payloadError } from './payload-error.ts';
import { headerOf, isBase64, type PayloadPlan } from './plan.ts';

/** A body to be stored. */
export interface DecodedPayload {
  /**
   * Read once, in order, with back-pressure: it asks for more only when it is asked. It throws PayloadError, or what the source
   * threw, in the middle or in place of its end; what was read until then is worth nothing.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes that `body` will have. */
  readonly size: number;
  /** After the end of `body`: the checksum that was announced and holds. Empty before. */
  checksums(): Checksums;
}

/** One announced digest on its way. */
interface Check {
  readonly running: RunningChecksum;
  /** The error of a digest that is another. */
  compare(digest: Buffer): PayloadError | undefined;
}

/**
 * Decodes `source` by `plan`. `signatures`: the chain that the request's verified signature begins; needed by the signed
 * streaming modes, and null in all others.
 */
export function decodePayload(
  source: AsyncIterable<Uint8Array>,
  plan: PayloadPlan,
  signatures: ChunkSignatures | null,
): DecodedPayload {
  const state: State = { trailer: null, checksums: {} };
  return {
    body: verified(unframed(source, plan, { signatures, state }), plan, state),
    size: plan.size,
    checksums: () => state.checksums,
  };
}

interface State {
  /** What the trailer told, once it was read. */
  trailer: string | null;
  checksums: Checksums;
}

function unframed(
  source: AsyncIterable<Uint8Array>,
  plan: PayloadPlan,
  { signatures, state }: { readonly signatures: ChunkSignatures | null; readonly state: State },
): AsyncIterable<Uint8Array> {
  if (plan.mode === 'hash' || plan.mode === 'unsigned') return source;
  const isSigned = plan.mode !== 'streaming-unsigned-trailer';
  if (isSigned !== (signatures !== null)) throw new TypeError(`chunk signatures do not fit ${plan.mode}`);
  return dechunk(source, {
    size: plan.size,
    signatures,
    trailer: plan.trailer === null ? null : headerOf(plan.trailer),
    onTrailer: (value) => {
      state.trailer = value;
    },
  });
}

async function* verified(
  source: AsyncIterable<Uint8Array>,
  plan: PayloadPlan,
  state: State,
): AsyncGenerator<Uint8Array, void> {
  const checks = checksOf(plan, state);
  let size = 0;
  for await (const piece of source) {
    size += piece.length;
    if (size > plan.size) throw payloadError('InvalidRequest', 'The body is longer than it was announced to be');
    for (const { running } of checks) running.update(piece);
    yield piece;
  }
  if (size < plan.size) throw payloadError('IncompleteBody');
  for (const { running, compare } of checks) {
    const refusal = compare(running.digest());
    if (refusal !== undefined) throw refusal;
  }
}

function checksOf(plan: PayloadPlan, state: State): readonly Check[] {
  const checks: Check[] = [];
  if (plan.sha256 !== null) checks.push(signedHash(plan.sha256));
  if (plan.contentMd5 !== null) checks.push(contentMd5(plan.contentMd5));
  const algorithm = plan.checksum?.algorithm ?? plan.trailer;
  if (algorithm !== null) {
    const running = createChecksum(algorithm);
    const compare = (digest: Buffer): PayloadError | undefined => {
      const wanted = plan.checksum?.value ?? state.trailer ?? '';
      if (!isBase64(wanted, digest.length))
        return payloadError('InvalidRequest', `Value for ${headerOf(algorithm)} trailing header is invalid.`);
      if (digest.toString('base64') !== wanted) return badChecksum(algorithm.toUpperCase());
      state.checksums = { [algorithm]: wanted };
      return undefined;
    };
    checks.push({ running, compare });
  }
  return checks;
}

const badChecksum = (name: string): PayloadError =>
  payloadError('BadDigest', `The ${name} you specified did not match the calculated checksum.`);

const signedHash = (wanted: string): Check => ({
  running: createChecksum('sha256'),
  compare: (digest) =>
    digest.toString('hex') === wanted
      ? undefined
      : payloadError('XAmzContentSHA256Mismatch', undefined, [
          ['ClientComputedContentSHA256', wanted],
          ['S3ComputedContentSHA256', digest.toString('hex')],
        ]),
});

const contentMd5 = (wanted: string): Check => ({
  running: createChecksum('md5'),
  compare: (digest) =>
    digest.toString('base64') === wanted
      ? undefined
      : payloadError('BadDigest', undefined, [
          ['ExpectedDigest', wanted],
          ['CalculatedDigest', digest.toString('base64')],
        ]),
});
