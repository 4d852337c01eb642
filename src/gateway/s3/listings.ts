// Carries out the operations on buckets: which there are, where they are, and what is in them.
import { ok } from '../../base/core/result.ts';
import type { ListBucketsCall, ListObjectsCall, ListObjectsV2Call, S3Call } from '../../wire/s3/call.ts';
import { encodeListing } from '../../wire/s3/listing-result.ts';
import { encodeBuckets, encodeLocation } from '../../wire/s3/results.ts';
import { failed, type Outcome, type Work } from './work.ts';

/** ListBuckets: those of this gateway alone. */
export async function listBuckets(work: Work, call: ListBucketsCall): Promise<Outcome> {
  const found = await work.store.buckets();
  if (!found.ok) return failed(work, call, found.error);
  const own = found.value.filter(({ name }) => work.buckets.has(name));
  return ok({ status: 200, headers: {}, body: encodeBuckets(own, work.owner, call) });
}

/** HeadBucket: a bucket that is configured may still be missing from the store. */
export async function headBucket(work: Work, call: S3Call & { readonly bucket: string }): Promise<Outcome> {
  const found = await work.store.hasBucket(call.bucket);
  if (!found.ok) return failed(work, call, found.error);
  if (!found.value) return failed(work, call, { problem: 'bucket_unknown', detail: 'the store has no such bucket' });
  return ok({ status: 200, headers: { 'x-amz-bucket-region': work.region }, body: null });
}

/** GetBucketLocation: the one region that requests are signed for. */
export async function getBucketLocation({ region }: Work): Promise<Outcome> {
  return ok({ status: 200, headers: {}, body: encodeLocation(region) });
}

/** Both listings. */
export async function listObjects(work: Work, call: ListObjectsCall | ListObjectsV2Call): Promise<Outcome> {
  const { prefix, delimiter, after, maxKeys } = call;
  const listed = await work.store.list(call.bucket, { prefix, delimiter, after, limit: maxKeys });
  if (!listed.ok) return failed(work, call, listed.error);
  return ok({ status: 200, headers: {}, body: encodeListing(call, listed.value, work.owner) });
}
