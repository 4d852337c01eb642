// A process that writes objects under load and says on its standard output what was answered, until it is killed.
// argv: the store's folder. Each line is one acknowledgement, written after the store's promise resolved.
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openDiskStore } from '../../src/gateway/objects/disk/open.ts';
import type { ObjectFailure, ObjectRef, UploadRef } from '../../src/gateway/objects/store.ts';
import { MemoryLog } from '../fakes/memory-log.ts';
import { MovingClock } from '../fakes/moving-clock.ts';
import { contentOf, LASTING, md5 } from '../fakes/object-content.ts';
import { dataOf, KEYS, partsOf } from './object-versions.ts';

const STDOUT = 1;

const [folder = ''] = process.argv.slice(2);
const store = await openDiskStore({
  folder,
  buckets: [{ name: 'alpha', quotaBytes: null }],
  clock: new MovingClock(),
  random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
  log: new MemoryLog(),
  limits: { minPartBytes: 0 },
});
const { signal } = new AbortController();

/** A pipe takes a short line whole or not at all, also when the process dies during the next one. */
const acknowledge = (what: string, key: string, version: number) => writeSync(STDOUT, `${what} ${key} ${version}\n`);

function must<T>(result: { ok: true; value: T } | { ok: false; error: ObjectFailure }): T {
  if (result.ok) return result.value;
  throw new Error(result.error.detail, { cause: result.error.cause });
}

const attributesOf = (version: number) => ({ metadata: { version: `${version}` } });

async function putWhole(object: ObjectRef, version: number): Promise<void> {
  const content = contentOf(dataOf(object.key, version));
  must(await store.put(object, { content, attributes: attributesOf(version), signal }));
}

async function putInParts(object: ObjectRef, version: number): Promise<void> {
  const options = { attributes: attributesOf(version), checksumAlgorithm: null };
  const upload: UploadRef = { ...object, uploadId: must(await store.createUpload(object, options)).uploadId };
  const parts = partsOf(dataOf(object.key, version));
  const sent = parts.map((data, index) => store.putPart(upload, index + 1, { content: contentOf(data), signal }));
  for (const part of await Promise.all(sent)) must(part);
  const named = parts.map((data, index) => ({ part: index + 1, etag: md5(data) }));
  must(await store.completeUpload(upload, { ...LASTING, parts: named }));
}

/** One writer per key, so that what may stand there follows from its last answer. */
async function forEver(key: string): Promise<never> {
  const object = { bucket: 'alpha', key };
  const found = await store.head(object);
  for (let version = found.ok ? Number(found.value.metadata.version) + 1 : 1; ; version += 1) {
    if (version % 3 === 0) await putInParts(object, version);
    else await putWhole(object, version);
    acknowledge('put', key, version);
    if (version % 7 === 0) {
      must(
        await store.copy({ source: object, target: { bucket: 'alpha', key: `${key}-copy` }, attributes: null, signal }),
      );
      acknowledge('copied', key, version);
    }
  }
}

await Promise.all(KEYS.map(forEver));
