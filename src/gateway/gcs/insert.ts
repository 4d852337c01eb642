// Carries out the writes of one request: uploads with their metadata in front, and copies.
import { err } from '../../base/core/result.ts';
import type { InsertObjectCall, RewriteObjectCall } from '../../wire/gcs/call.ts';
import { gcsError } from '../../wire/gcs/errors.ts';
import { hashBody } from '../../wire/gcs/hashes.ts';
import { openRelated, type RelatedUpload } from '../../wire/gcs/related.ts';
import { crc32cOf, md5Of, rewriteResult } from '../../wire/gcs/results.ts';
import type { Content } from '../objects/store.ts';
import { describeWrite, readJsonBody } from './described.ts';
import { notThere, only } from './objects.ts';
import { answered, declined, failed, type Outcome, refusedBody, type Work, written } from './work.ts';

/** InsertObject: nothing is stored unless the whole body is what the request said. */
export async function insertObject(work: Work, call: InsertObjectCall): Promise<Outcome> {
  let upload: RelatedUpload;
  try {
    upload = await openRelated(work.body, call.boundary);
  } catch (cause) {
    return err(refusedBody(work, cause));
  }
  const { contentType, metadata: json } = upload;
  const described = describeWrite(work, call, { json, contentType });
  if (!described.ok) return described;
  const { attributes, hashes, object } = described.value;
  const content: Content = { ...hashBody(upload.content, hashes), size: null };
  const { conditions } = call;
  const stored = await work.store.put(object, { content, attributes, conditions, signal: work.signal });
  if (!stored.ok) return failed(work, call.bucket, stored.error);
  return written(work, call.bucket, stored.value, content.checksums());
}

/** RewriteObject, in one go. Precondition: reading the source was permitted too. */
export async function rewriteObject(work: Work, call: RewriteObjectCall): Promise<Outcome> {
  const { bucket, conditions, key, source } = call;
  const json = await readJsonBody(work);
  if (!json.ok) return json;
  const described = describeWrite(
    work,
    { bucket, key, conditions, hashes: {} },
    { json: json.value, contentType: null },
  );
  if (!described.ok) return described;
  const generation = call.sourceGeneration;
  const found = await work.store.head(source, only(generation));
  if (!found.ok) return notThere(work, { bucket: source.bucket, generation }, found.error);
  const { attributes, hashes } = described.value;
  const isOther = (told: string | undefined, known: string | undefined): boolean =>
    told !== undefined && known !== undefined && told !== known;
  if (isOther(hashes.crc32c, crc32cOf(found.value)) || isOther(hashes.md5, md5Of(found.value))) {
    return declined(gcsError('invalid', 'The hashes are not those of the source.'));
  }
  const { metadata, ...system } = attributes;
  const copied = await work.store.copy({
    source,
    target: { bucket, key },
    sourceConditions: { ifMatch: [found.value.etag] },
    conditions,
    // A body that says nothing about the copy leaves it as its source.
    attributes: Object.keys({ ...system, ...metadata }).length === 0 ? null : attributes,
    signal: work.signal,
  });
  return copied.ok ? answered(rewriteResult(work.place, call, copied.value)) : failed(work, bucket, copied.error);
}
