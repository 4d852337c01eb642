// Random operations on a disk store have the same outcome as on a map. Restarts in between change nothing.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DiskStore } from '../../../src/gateway/objects/disk/open.ts';
import type { ByteRange, ObjectRef, UploadRef } from '../../../src/gateway/objects/store.ts';
import { type TemporaryDisk, temporaryDisk } from '../../fakes/disk-objects.ts';
import { NaiveObjectStore } from '../../fakes/naive-object-store.ts';
import { bytesOf, contentOf, LASTING, md5 } from '../../fakes/object-content.ts';
import { propertyRuns } from '../../fakes/property-runs.ts';
import { must, problemOf } from './engine.ts';

const MIN_PART_BYTES = 4;
const LIMITS = { minPartBytes: MIN_PART_BYTES };
const { signal } = new AbortController();

interface Model {
  readonly naive: NaiveObjectStore;
}

interface Real {
  readonly disk: TemporaryDisk;
  store: DiskStore;
  readonly uploads: Map<number, UploadRef>;
}

type Command = fc.AsyncCommand<Model, Real>;

const named = (key: string): ObjectRef => ({ bucket: 'alpha', key });
const outcome = (result: Parameters<typeof problemOf>[0]): string => (result.ok ? 'ok' : problemOf(result));

/** A command that is always possible. */
const step = (name: string, run: (model: Model, real: Real) => Promise<void>): Command => ({
  check: () => true,
  run,
  toString: () => name,
});

// Few and related keys, so that operations meet; some sort differently in UTF-8 and UTF-16.
const key = fc.constantFrom('a', 'a/', 'a/b', 'a/b/c', 'a/～', 'a/😀', 'ab', 'b', 'b/1', '～', '😀');
const prefix = fc.constantFrom('', 'a', 'a/', 'a/b', 'b/', '～', 'none');
const delimiter = fc.constantFrom(null, '/', 'b', '/b/');
const data = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text));
const contentType = fc.constantFrom('text/plain', 'image/png');
const uploadNumber = fc.nat({ max: 3 });
const partNumber = fc.integer({ min: 1, max: 4 });
const attributesOf = (type: string) => ({ contentType: type, metadata: {} });

const put = fc
  .record({ key, data, contentType, ifNoneMatch: fc.boolean(), ifMatch: fc.constantFrom(null, 'current', 'other') })
  .map((o) =>
    step(`put ${JSON.stringify(o)}`, async ({ naive }, { store }) => {
      const tag = o.ifMatch === 'current' ? (naive.objects.get(o.key)?.etag ?? 'none') : o.ifMatch;
      const conditions = {
        ...(o.ifNoneMatch ? { ifNoneMatch: '*' as const } : {}),
        ...(tag === null ? {} : { ifMatch: [tag] }),
      };
      const content = contentOf(o.data);
      const real = await store.put(named(o.key), {
        content,
        attributes: attributesOf(o.contentType),
        conditions,
        signal,
      });
      expect(outcome(real)).toBe(naive.put(o.key, o.data, { ...o, ifMatch: tag }));
    }),
  );

const remove = key.map((name) =>
  step(`delete ${name}`, async ({ naive }, { store }) => {
    must(await store.delete(named(name), LASTING));
    naive.objects.delete(name);
  }),
);

const copy = fc.record({ from: key, to: key, type: fc.option(contentType) }).map(({ from, to, type }) =>
  step(`copy ${from} to ${to} as ${type}`, async ({ naive }, { store }) => {
    const attributes = type === null ? null : attributesOf(type);
    const real = await store.copy({ source: named(from), target: named(to), attributes, signal });
    expect(outcome(real)).toBe(naive.copy(from, to, type));
  }),
);

const range = fc.oneof(
  fc
    .record({ first: fc.nat({ max: 25 }), length: fc.nat({ max: 25 }) })
    .map(({ first, length }): ByteRange => ({ first, last: length === 0 ? null : first + length - 1 })),
  fc.record({ suffix: fc.nat({ max: 25 }) }),
);

function sliceOf(whole: Buffer, asked: ByteRange | null): Buffer | undefined {
  if (asked === null) return whole;
  if ('suffix' in asked) return whole.length * asked.suffix === 0 ? undefined : whole.subarray(-asked.suffix);
  return asked.first < whole.length ? whole.subarray(asked.first, (asked.last ?? whole.length) + 1) : undefined;
}

const get = fc.record({ key, range: fc.option(range) }).map((o) =>
  step(`get ${JSON.stringify(o)}`, async ({ naive }, { store }) => {
    const real = await store.get(named(o.key), { ...(o.range === null ? {} : { range: o.range }), signal });
    const object = naive.objects.get(o.key);
    if (object === undefined) {
      expect(outcome(real)).toBe('key_unknown');
      return;
    }
    const wanted = sliceOf(object.data, o.range);
    if (wanted === undefined) {
      expect(outcome(real)).toBe('range_unsatisfiable');
      return;
    }
    const { info, body } = must(real);
    expect(info).toMatchObject({ size: object.data.length, etag: object.etag, contentType: object.contentType });
    expect(await bytesOf(body)).toEqual(Buffer.from(wanted));
  }),
);

const list = fc
  .record({ prefix, delimiter, after: fc.oneof(fc.constant(''), key), limit: fc.nat({ max: 6 }) })
  .map((o) =>
    step(`list ${JSON.stringify(o)}`, async ({ naive }, { store }) => {
      const { objects, prefixes, isTruncated } = must(await store.list('alpha', o));
      expect({ keys: objects.map((info) => info.key), prefixes, isTruncated }).toEqual(naive.list(o));
    }),
  );

const begin = fc.record({ number: uploadNumber, key, contentType }).map((o) =>
  step(`begin ${JSON.stringify(o)}`, async ({ naive }, { store, uploads }) => {
    if (uploads.has(o.number)) return;
    const options = { attributes: attributesOf(o.contentType), checksumAlgorithm: null };
    const { uploadId } = must(await store.createUpload(named(o.key), options));
    uploads.set(o.number, { ...named(o.key), uploadId });
    naive.uploads.set(o.number, { ...o, parts: new Map() });
  }),
);

const part = fc.record({ number: uploadNumber, part: partNumber, data }).map((o) =>
  step(`part ${JSON.stringify(o)}`, async ({ naive }, { store, uploads }) => {
    const upload = uploads.get(o.number);
    if (upload === undefined) return;
    const real = await store.putPart(upload, o.part, { content: contentOf(o.data), signal });
    const parts = naive.uploads.get(o.number)?.parts;
    expect(outcome(real)).toBe(parts === undefined ? 'upload_unknown' : 'ok');
    parts?.set(o.part, o.data);
  }),
);

const complete = fc.record({ number: uploadNumber, parts: fc.uniqueArray(partNumber, { maxLength: 3 }) }).map((o) =>
  step(`complete ${JSON.stringify(o)}`, async ({ naive }, { store, uploads }) => {
    const upload = uploads.get(o.number);
    if (upload === undefined) return;
    const numbers = o.parts.toSorted((one, other) => one - other);
    const stored = naive.uploads.get(o.number)?.parts;
    const parts = numbers.map((number) => ({ part: number, etag: md5(stored?.get(number) ?? 'none') }));
    const real = await store.completeUpload(upload, { ...LASTING, parts });
    expect(outcome(real)).toBe(naive.complete(o.number, numbers));
    if (real.ok) uploads.delete(o.number);
  }),
);

const abort = uploadNumber.map((number) =>
  step(`abort ${number}`, async ({ naive }, { store, uploads }) => {
    const upload = uploads.get(number);
    if (upload === undefined) return;
    expect(outcome(await store.abortUpload(upload))).toBe(naive.uploads.delete(number) ? 'ok' : 'upload_unknown');
  }),
);

const restart = fc.constant(
  step('restart', async (_, real) => {
    await real.store.close();
    real.store = await real.disk.open({ limits: LIMITS });
  }),
);

/** Everything that is there, and that no blob is there for nothing. */
async function expectSame({ naive }: Model, real: Real): Promise<void> {
  const all = { prefix: '', delimiter: null, after: '', limit: 1000 };
  for (const info of must(await real.store.list('alpha', all)).objects) {
    const { body } = must(await real.store.get(named(info.key), { signal }));
    expect(await bytesOf(body)).toEqual(naive.objects.get(info.key)?.data);
    must(await real.store.delete(named(info.key), LASTING));
    naive.objects.delete(info.key);
  }
  expect(naive.objects.size).toBe(0);
  for (const upload of real.uploads.values()) await real.store.abortUpload(upload);
  await real.store.close();
  expect(real.disk.blobs()).toEqual([]);
}

test('a disk store is a map: random operations have the same outcomes, and nothing is left over', async () => {
  // Each case is up to 40 operations on a store that is opened and closed.
  const runs = Math.ceil(propertyRuns() / 10);
  let operations = 0;
  const mix = [put, put, remove, copy, get, get, list, list, begin, part, part, complete, abort, restart];
  const commands = fc.commands(mix, { size: '+1', maxCommands: 40 });
  const oneCase = async (steps: Iterable<Command>) => {
    const disk = temporaryDisk();
    const model = { naive: new NaiveObjectStore(MIN_PART_BYTES) };
    const real = { disk, store: await disk.open({ limits: LIMITS }), uploads: new Map() };
    try {
      await fc.asyncModelRun(() => ({ model, real }), steps);
      operations += [...steps].length;
      await expectSame(model, real);
    } finally {
      await real.store.close();
      disk.remove();
    }
  };
  await fc.assert(fc.asyncProperty(commands, oneCase), { numRuns: runs });
  expect(operations).toBeGreaterThan(runs * 5);
});
