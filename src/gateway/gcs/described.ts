// What the body of a write says about its object, agreed with what its URL says, and decided on when only the body names it.
import { failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { ExpectedHashes, ObjectAttributes, ObjectName, WriteConditions } from '../../wire/gcs/call.ts';
import { type GcsError, gcsError } from '../../wire/gcs/errors.ts';
import { joinHashes } from '../../wire/gcs/hashes.ts';
import { MAX_METADATA_JSON_BYTES, readWrittenObject } from '../../wire/gcs/metadata.ts';
import { writePermissions } from '../../wire/gcs/permissions.ts';
import { type GcsRefusal, refusalOf, unknownBucket } from './refusal.ts';
import { refusedBody, type Work } from './work.ts';

/** What the head of a write tells. A null key: the body names the object, and nothing was decided yet. */
export interface AnnouncedWrite {
  readonly bucket: string;
  readonly key: string | null;
  readonly conditions: WriteConditions;
  readonly hashes: ExpectedHashes;
}

/** A write that was decided on. */
export interface DescribedWrite {
  readonly object: ObjectName;
  readonly attributes: ObjectAttributes;
  readonly hashes: ExpectedHashes;
}

/**
 * Reads the JSON of a write. `contentType`: what was said of the bytes, should the JSON not. Failures: `payload_mismatch` for JSON
 * that is not served or contradicts the head; those of the decision.
 */
export function describeWrite(
  work: Work,
  call: AnnouncedWrite,
  { json, contentType }: { readonly json: Uint8Array; readonly contentType: string | null },
): Result<DescribedWrite, GcsRefusal> {
  const read = readWrittenObject(json, call.bucket);
  if (!read.ok) return err(mismatch(work, read.error));
  const { attributes, name } = read.value;
  const key = call.key ?? name;
  if (key === undefined) return err(mismatch(work, gcsError('required', 'Required: name', 'name')));
  const hashes = joinHashes(call.hashes, read.value.hashes);
  // Two names, or two digests of one kind: whichever is taken, somebody meant the other.
  if (hashes === undefined || (name !== undefined && name !== key)) {
    return err(mismatch(work, gcsError('invalid', 'The head and the body of the request contradict each other.')));
  }
  const object = { bucket: call.bucket, key };
  const decided = call.key === null ? work.decide(writePermissions(object, call.conditions)) : ok(null);
  if (!decided.ok) return decided;
  if (!work.buckets.has(object.bucket)) return err(unknownBucket(object.bucket, work.session));
  const type = attributes.contentType ?? contentType;
  return ok({ object, hashes, attributes: type === null ? attributes : { ...attributes, contentType: type } });
}

const mismatch = ({ session }: Work, error: GcsError): GcsRefusal =>
  refusalOf(failure('payload_mismatch', `${error.reason}: ${error.message}`), { session, error });

/** The whole of a body that is JSON. Failures: `request_too_large`, `payload_mismatch`. */
export async function readJsonBody(work: Work): Promise<Result<Uint8Array, GcsRefusal>> {
  const { body, session } = work;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > MAX_METADATA_JSON_BYTES) {
        const why = failure('request_too_large', `the metadata is longer than ${MAX_METADATA_JSON_BYTES} bytes`);
        return err(refusalOf(why, { session, error: gcsError('uploadTooLarge', 'The metadata is too large.') }));
      }
      chunks.push(chunk);
    }
  } catch (cause) {
    return err(refusedBody(work, cause));
  }
  return ok(Buffer.concat(chunks));
}
