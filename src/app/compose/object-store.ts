// Opens the object store behind an S3 front, as its settings say.
import type { Log } from '../../base/ports/log.ts';
import type { ObjectStore } from '../../gateway/objects/store.ts';
import type { S3Settings } from '../../gateway/settings.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import { guardedLookup } from '../net/guarded-lookup.ts';

/** Throws a JobpassError when a folder cannot be had. Whoever opens the store closes it. */
export async function openObjectStore({ buckets, store }: S3Settings, log: Log): Promise<ObjectStore> {
  if (store.kind === 'disk') {
    const { openDiskStore } = await import('../../gateway/objects/disk/open.ts');
    return openDiskStore({ folder: store.folder, buckets, clock: systemClock, random: systemRandom, log });
  }
  const { openUpstreamStore } = await import('../../gateway/objects/upstream/open.ts');
  const { accessKeyId, network, region, secret, url } = store;
  const server = { url, region, accessKeyId, secretAccessKey: secret, lookup: guardedLookup(network) };
  return openUpstreamStore({ server, buckets: buckets.map(({ name }) => name), clock: systemClock });
}
