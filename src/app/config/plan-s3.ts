// The s3 section of a gateway as settings.
import { resolve } from 'node:path';
import { parseByteCount } from '../../base/core/byte-count.ts';
import type { S3Settings } from '../../gateway/settings.ts';
import { checkPeerUrl } from './defaults.ts';
import type { PlanContext } from './plan-context.ts';
import type { DocumentPath } from './problem-list.ts';
import type { S3Section } from './schema-gateway.ts';

const DEFAULT_REGION = 'us-east-1';

/** The settings of an `s3` section at `path`. */
export function planS3(section: S3Section, path: DocumentPath, context: PlanContext): S3Settings {
  const { problems } = context;
  checkBuckets(section, path, context);
  if ((section.folder === undefined) === (section.upstream === undefined))
    problems.add(path, 'wanted one place for the objects', 'folder: ./data/objects, or upstream:');
  return {
    region: section.region ?? DEFAULT_REGION,
    buckets: section.buckets.map(({ name, quota }) => ({ name, quotaBytes: parseByteCount(quota ?? '') ?? null })),
    store: planStore(section, path, context),
  };
}

function planStore(section: S3Section, path: DocumentPath, { places, problems }: PlanContext): S3Settings['store'] {
  const { upstream } = section;
  if (upstream === undefined) return { kind: 'disk', folder: resolve(places.folder, section.folder ?? '') };
  const network = upstream.network ?? 'public';
  checkPeerUrl({ url: upstream.url, network }, [...path, 'upstream', 'url'], problems);
  return {
    kind: 'upstream',
    url: upstream.url,
    region: upstream.region ?? section.region ?? DEFAULT_REGION,
    network,
    accessKeyId: upstream.access_key_id,
    secret: problems.secret([...path, 'upstream', 'secret_access_key'], upstream.secret_access_key, places),
  };
}

function checkBuckets({ buckets, upstream }: S3Section, path: DocumentPath, { problems }: PlanContext): void {
  const names = buckets.map(({ name }) => name);
  for (const [index, { name, quota }] of buckets.entries()) {
    const at = [...path, 'buckets', index];
    if (names.indexOf(name) !== index) problems.add([...at, 'name'], 'the bucket is listed twice');
    if (quota !== undefined && upstream !== undefined)
      problems.add([...at, 'quota'], 'the upstream keeps the objects, so it is where a quota is set');
  }
}
