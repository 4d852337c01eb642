// Carries out the calls about buckets: which there are, what they are, and what is in them.
import type { BucketCall, ListBucketsCall, ListObjectsCall } from '../../wire/gcs/call.ts';
import { bucketListing, bucketResource, objectListing, storageLayout } from '../../wire/gcs/results.ts';
import { answered, failed, type Outcome, type Work } from './work.ts';

/** ListBuckets: those of this gateway alone. */
export async function listBuckets(work: Work, { after, maxResults, prefix }: ListBucketsCall): Promise<Outcome> {
  const found = await work.store.buckets();
  if (!found.ok) return failed(work, '', found.error);
  const isAsked = (name: string): boolean => work.buckets.has(name) && name.startsWith(prefix) && name > after;
  const asked = found.value.map(({ name }) => name).filter(isAsked);
  const names = asked.slice(0, maxResults);
  const next = asked.length > names.length ? (names.at(-1) ?? null) : null;
  return answered(bucketListing(work.place, { names, next }));
}

/** GetBucket and GetStorageLayout: a bucket that is configured may still be missing from the store. */
export async function getBucket(work: Work, { bucket, operation }: BucketCall): Promise<Outcome> {
  const found = await work.store.hasBucket(bucket);
  if (!found.ok) return failed(work, bucket, found.error);
  if (!found.value) return failed(work, bucket, { problem: 'bucket_unknown', detail: 'the store has no such bucket' });
  return answered(operation === 'GetBucket' ? bucketResource(work.place, bucket) : storageLayout(bucket));
}

/** ListObjects. */
export async function listObjects(work: Work, call: ListObjectsCall): Promise<Outcome> {
  const { after, bucket, delimiter, maxResults, prefix } = call;
  const listed = await work.store.list(bucket, { prefix, delimiter, after, limit: maxResults });
  if (!listed.ok) return failed(work, bucket, listed.error);
  return answered(objectListing(work.place, bucket, listed.value));
}
