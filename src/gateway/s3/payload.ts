// The body of a request as a store gets it: planned from the head alone, read and verified only while the store reads it.
import { hash } from 'node:crypto';
import { err, ok, type Result } from '../../base/core/result.ts';
import { ChunkSignatures } from '../../base/sigv4/chunks.ts';
import { MAX_XML_BYTES } from '../../wire/s3/bodies.ts';
import type { S3Call } from '../../wire/s3/call.ts';
import { type S3Error, s3Error } from '../../wire/s3/errors.ts';
import { decodePayload } from '../../wire/s3/payload/decode.ts';
import { type PayloadPlan, readPayloadPlan, refuseContent } from '../../wire/s3/payload/plan.ts';
import { type Content, MAX_PUT_BYTES } from '../objects/store.ts';
import type { Head } from '../store-front/head.ts';
import { type BodySource, readRequestBody } from '../store-front/request-body.ts';
import type { Caller } from './authenticate.ts';

/** The most bytes that each operation with a body takes; the others take none. */
const MAX_BYTES: Partial<Record<S3Call['operation'], number>> = {
  PutObject: MAX_PUT_BYTES,
  UploadPart: MAX_PUT_BYTES,
  DeleteObjects: MAX_XML_BYTES,
  CompleteMultipartUpload: MAX_XML_BYTES,
};

const HASH_OF_NOTHING = hash('sha256', '', 'hex');
const NOTHING: Content = { body: (async function* () {})(), size: 0, checksums: () => ({}) };

export interface PayloadOptions {
  readonly call: S3Call;
  readonly head: Head;
  /** Verified. */
  readonly caller: Caller;
  readonly source: BodySource;
}

/**
 * The content of a request. Failures: those of `readPayloadPlan`, UnexpectedContent; what is wrong with the body itself shows when
 * it is read.
 */
export function openPayload({ call, head, caller, source }: PayloadOptions): Result<Content, S3Error> {
  const { claim } = caller;
  const maxBytes = MAX_BYTES[call.operation];
  if (maxBytes === undefined) {
    const refused = refuseContent(head) ?? refuseHash(claim.payloadHash);
    return refused === undefined ? ok(NOTHING) : err(refused);
  }
  const plan = readPayloadPlan(head, { claim, maxBytes, needsDigest: call.operation === 'DeleteObjects' });
  if (!plan.ok) return plan;
  return ok(decodePayload(readRequestBody(source), plan.value, chainOf(caller, plan.value)));
}

/** The chain of chunk signatures that the request's own begins; null when its chunks have none. */
function chainOf({ claim, session }: Caller, { mode }: PayloadPlan): ChunkSignatures | null {
  if (mode !== 'streaming-signed' && mode !== 'streaming-signed-trailer') return null;
  const { amzDate, signature } = claim;
  return new ChunkSignatures({ key: session.signingKey(claim), scope: claim, amzDate, signature });
}

/** A signed hash must be that of the body that did not come. */
const refuseHash = (claimed: string | null): S3Error | undefined =>
  claimed !== null && /^[0-9a-f]{64}$/.test(claimed) && claimed !== HASH_OF_NOTHING
    ? s3Error('XAmzContentSHA256Mismatch')
    : undefined;
