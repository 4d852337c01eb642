// Conformance: uploads in parts.
import { describe, expect } from 'vitest';
import type { Result } from '../../../src/base/core/result.ts';
import type { CompleteOptions, ObjectFailure, UploadRef } from '../../../src/gateway/objects/store.ts';
import { brokenAfter, bytesOf, contentOf, LASTING, md5, multipartEtag, patterned } from '../../fakes/object-content.ts';
import { type Bench, expectProblem, must, NO_ATTRIBUTES, type ObjectEngine, requirements } from './engine.ts';

async function begin(bench: Bench, key: string, attributes = NO_ATTRIBUTES): Promise<UploadRef> {
  const made = await bench.store.createUpload(bench.named(key), { attributes, checksumAlgorithm: null });
  return { ...bench.named(key), uploadId: must(made).uploadId };
}

const tryPart = (bench: Bench, upload: UploadRef, part: number, data: Uint8Array | string) =>
  bench.store.putPart(upload, part, { content: contentOf(data), signal: bench.signal });

const listed = async (bench: Bench, upload: UploadRef, after = 0, limit = 1000) =>
  must(await bench.store.listParts(upload, { after, limit }));

const naming = (...parts: readonly (readonly [part: number, data: Uint8Array | string])[]): CompleteOptions => ({
  ...LASTING,
  parts: parts.map(([part, data]) => ({ part, etag: md5(data) })),
});

export function uploadRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);
  const [one, two, three] = [1, 2, 3].map((seed) => patterned(engine.minPartBytes + seed, seed)) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const whole = Buffer.concat([one, two, three]);
  const expectNoUpload = (result: Result<unknown, ObjectFailure>): void => {
    if (engine.has.unknownUploads) expectProblem(result, 'upload_unknown');
    else expect(result.ok).toBe(false);
  };

  const uploadAll = async (bench: Bench, upload: UploadRef) => {
    await Promise.all([
      tryPart(bench, upload, 3, three),
      tryPart(bench, upload, 1, one),
      tryPart(bench, upload, 2, two),
    ]);
  };

  describe('uploads in parts', () => {
    requirement('parts in any order make one object, with the ETag of its parts', async (bench) => {
      const attributes = { contentType: 'text/plain', metadata: { k: 'v' } };
      const upload = await begin(bench, 'big', attributes);
      await uploadAll(bench, upload);
      expect(await bench.keys()).toEqual([]);
      const info = must(await bench.store.completeUpload(upload, naming([1, one], [2, two], [3, three])));
      expect(info).toMatchObject({
        key: 'big',
        size: whole.length,
        etag: multipartEtag([one, two, three]),
        ...attributes,
      });
      expect(must(await bench.store.head(upload))).toStrictEqual(info);
      expect((await bytesOf(must(await bench.tryGet('big')).body)).equals(whole)).toBe(true);
    });

    requirement('a range may cross from part to part', async (bench) => {
      const upload = await begin(bench, 'big');
      await uploadAll(bench, upload);
      must(await bench.store.completeUpload(upload, naming([1, one], [2, two], [3, three])));
      const spans = [
        [one.length - 1, one.length],
        [one.length, one.length + two.length - 1],
        [1, whole.length - 2],
      ] as const;
      for (const [first, last] of spans) {
        const { body } = must(await bench.tryGet('big', { first, last }));
        expect((await bytesOf(body)).equals(whole.subarray(first, last + 1))).toBe(true);
      }
    });

    requirement('a part that is sent again replaces the first', async (bench) => {
      const upload = await begin(bench, 'a');
      must(await tryPart(bench, upload, 1, 'first try'));
      const part = must(await tryPart(bench, upload, 1, 'second'));
      expect(part).toMatchObject({ part: 1, size: 6, etag: md5('second') });
      expectProblem(await bench.store.completeUpload(upload, naming([1, 'first try'])), 'part_invalid');
      must(await bench.store.completeUpload(upload, naming([1, 'second'])));
      expect(await bench.read('a')).toBe('second');
    });

    const leavingOut = engine.has.partsLeftOut ? ', and parts that are not named are left out' : '';
    requirement(`numbers may have gaps${leavingOut}`, async (bench) => {
      const upload = await begin(bench, 'a');
      must(await tryPart(bench, upload, 2, one));
      if (engine.has.partsLeftOut) must(await tryPart(bench, upload, 7, 'dropped'));
      must(await tryPart(bench, upload, 9000, 'end'));
      const info = must(await bench.store.completeUpload(upload, naming([2, one], [9000, 'end'])));
      expect(info.etag).toBe(multipartEtag([one, Buffer.from('end')]));
      expect(info.size).toBe(one.length + 3);
    });

    requirement('parts are listed in order, page by page', async (bench) => {
      const upload = await begin(bench, 'a');
      for (const part of [5, 1, 3]) must(await tryPart(bench, upload, part, `part ${part}`));
      const first = await listed(bench, upload, 0, 2);
      expect(first).toMatchObject({ isTruncated: true, next: 3 });
      expect(first.parts.map(({ part, size, etag }) => [part, size, etag])).toEqual([
        [1, 6, md5('part 1')],
        [3, 6, md5('part 3')],
      ]);
      const second = await listed(bench, upload, first.next ?? 0, 2);
      expect(second).toMatchObject({ isTruncated: false, next: null });
      expect(second.parts.map(({ part }) => part)).toEqual([5]);
    });

    requirement('attributes may be told at the end, in place of those at the beginning', async (bench) => {
      const upload = await begin(bench, 'a', { contentType: 'text/plain', metadata: { first: 'x' } });
      must(await tryPart(bench, upload, 1, 'x'));
      const attributes = { contentType: 'text/html', metadata: { last: 'y' } };
      const info = must(await bench.store.completeUpload(upload, { ...naming([1, 'x']), attributes }));
      expect(info).toMatchObject({ key: 'a', size: 1, ...attributes });
      expect(must(await bench.store.head(upload))).toStrictEqual(info);
      expect(await bench.read('a')).toBe('x');
    });

    const small = engine.has.smallParts ? 'make an object' : 'are refused all the same';
    requirement(`parts of any size that are asked for ${small}`, async (bench) => {
      const upload = await begin(bench, 'a');
      must(await tryPart(bench, upload, 1, 'x'));
      must(await tryPart(bench, upload, 2, 'y'));
      const completed = await bench.store.completeUpload(upload, { ...naming([1, 'x'], [2, 'y']), anySize: true });
      if (!engine.has.smallParts) {
        expectProblem(completed, 'part_too_small');
        return;
      }
      expect(must(completed).etag).toBe(multipartEtag([Buffer.from('x'), Buffer.from('y')]));
      expect(await bench.read('a')).toBe('xy');
    });

    requirement('a completion that is not right leaves the upload as it was', async (bench) => {
      const upload = await begin(bench, 'a');
      for (const [part, data] of [
        [1, one],
        [2, 'small'],
        [3, 'end'],
      ] as const)
        must(await tryPart(bench, upload, part, data));
      const complete = (o: CompleteOptions) => bench.store.completeUpload(upload, o);
      expectProblem(await complete(naming([1, one], [4, 'end'])), 'part_invalid');
      expectProblem(await complete(naming([1, 'other'])), 'part_invalid');
      expectProblem(await complete(naming([3, 'end'], [1, one])), 'part_order');
      expectProblem(await complete(naming([1, one], [1, one])), 'part_order');
      expectProblem(await complete(naming([1, one], [2, 'small'], [3, 'end'])), 'part_too_small');
      expectProblem(await complete(naming()), 'part_invalid');
      expect(await bench.keys()).toEqual([]);
      const isWhole = engine.has.partsLeftOut;
      if (!isWhole) must(await tryPart(bench, upload, 2, two));
      must(await complete(isWhole ? naming([1, one], [3, 'end']) : naming([1, one], [2, two], [3, 'end'])));
    });

    requirement('a part that breaks off is not stored', async (bench) => {
      const upload = await begin(bench, 'a');
      must(await tryPart(bench, upload, 1, 'good'));
      const content = brokenAfter('bad', new Error('no'));
      expectProblem(await bench.store.putPart(upload, 1, { content, signal: bench.signal }), 'payload_refused');
      expect((await listed(bench, upload)).parts.map((part) => part.etag)).toEqual([md5('good')]);
    });

    requirement('part numbers are bounded', async (bench) => {
      const upload = await begin(bench, 'a');
      for (const part of [0, -1, 10_001, 1.5]) expectProblem(await tryPart(bench, upload, part, 'x'), 'part_invalid');
    });

    requirement('an aborted upload is gone, and so is one that never was', async (bench) => {
      const upload = await begin(bench, 'a');
      must(await tryPart(bench, upload, 1, 'x'));
      expect(must(await bench.store.abortUpload(upload))).toBeNull();
      expectNoUpload(await bench.store.abortUpload(upload));
      expectNoUpload(await tryPart(bench, upload, 1, 'x'));
      expectNoUpload(await bench.store.listParts(upload, { after: 0, limit: 10 }));
      expectNoUpload(await bench.store.completeUpload(upload, naming([1, 'x'])));
      expect(await bench.keys()).toEqual([]);
    });

    requirement('an upload belongs to its key', async (bench) => {
      const upload = await begin(bench, 'a');
      must(await tryPart(bench, upload, 1, 'x'));
      const stolen = { ...upload, key: 'b' };
      expectNoUpload(await tryPart(bench, stolen, 2, 'y'));
      expectNoUpload(await bench.store.completeUpload(stolen, naming([1, 'x'])));
      expectNoUpload(await bench.store.abortUpload(stolen));
      expectNoUpload(await tryPart(bench, { ...upload, bucket: bench.otherBucket }, 1, 'y'));
      expect((await listed(bench, upload)).parts).toHaveLength(1);
    });

    requirement('two uploads of one key do not meet; the last completion stands', async (bench) => {
      const [first, second] = [await begin(bench, 'a'), await begin(bench, 'a')];
      must(await tryPart(bench, first, 1, 'first'));
      must(await tryPart(bench, second, 1, 'second'));
      must(await bench.store.completeUpload(second, naming([1, 'second'])));
      must(await bench.store.completeUpload(first, naming([1, 'first'])));
      expect(await bench.read('a')).toBe('first');
    });

    requirement('a condition on the completion is heeded, and the upload goes on', async (bench) => {
      const upload = await begin(bench, 'a');
      must(await tryPart(bench, upload, 1, 'x'));
      await bench.put('a', 'there');
      const conditional = { ...naming([1, 'x']), conditions: { ifNoneMatch: '*' } } as const;
      expectProblem(await bench.store.completeUpload(upload, conditional), 'precondition_failed');
      expect(await bench.read('a')).toBe('there');
      must(await bench.store.completeUpload(upload, naming([1, 'x'])));
      expect(await bench.read('a')).toBe('x');
    });

    requirement('a signal that came before ends a completion at once, and the upload goes on', async (bench) => {
      const upload = await begin(bench, 'a');
      must(await tryPart(bench, upload, 1, 'x'));
      const ended = { ...naming([1, 'x']), signal: AbortSignal.abort() };
      expectProblem(await bench.store.completeUpload(upload, ended), 'aborted');
      expect(await bench.keys()).toEqual([]);
      must(await bench.store.completeUpload(upload, naming([1, 'x'])));
    });

    requirement('a part may be a range of an object', async (bench) => {
      await bench.put('source', '0123456789');
      const upload = await begin(bench, 'a');
      const range = { first: 2, last: 4 };
      const source = bench.named('source');
      const part = must(await bench.store.copyPart(upload, 1, { source, range, signal: bench.signal }));
      expect(part).toMatchObject({ part: 1, size: 3, etag: md5('234') });
      must(await bench.store.copyPart(upload, 1, { source, signal: bench.signal }));
      await bench.store.delete(source, LASTING);
      must(await bench.store.completeUpload(upload, naming([1, '0123456789'])));
      expect(await bench.read('a')).toBe('0123456789');
    });

    requirement('a part of nothing, or of no such range, is refused', async (bench) => {
      const { etag } = await bench.put('source', '0123456789');
      const upload = await begin(bench, 'a');
      const copyPart = (key: string, more: object = {}) =>
        bench.store.copyPart(upload, 1, { source: bench.named(key), signal: bench.signal, ...more });
      expectProblem(await copyPart('missing'), 'key_unknown');
      expectProblem(await copyPart('source', { range: { first: 10, last: 11 } }), 'range_unsatisfiable');
      expectProblem(await copyPart('source', { sourceConditions: { ifNoneMatch: [etag] } }), 'precondition_failed');
      expect((await listed(bench, upload)).parts).toEqual([]);
    });
  });

  if (engine.has.repeatedCompletion) repeatRequirements(engine);
  if (engine.has.checksums) checksumRequirements(engine);
}

function repeatRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);
  describe('repeated completions', () => {
    requirement('a completion whose answer was lost may be asked again while its object stands', async (bench) => {
      const upload = await begin(bench, 'a');
      must(await tryPart(bench, upload, 1, 'x'));
      const first = must(await bench.store.completeUpload(upload, naming([1, 'x'])));
      expect(must(await bench.store.completeUpload(upload, naming([1, 'x'])))).toStrictEqual(first);
      await bench.put('a', 'other');
      expectProblem(await bench.store.completeUpload(upload, naming([1, 'x'])), 'upload_unknown');
    });
  });
}

function checksumRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);
  describe('checksums of parts', () => {
    requirement(
      'parts keep their checksums, a completion must agree, and the object has what was made of them',
      async (bench) => {
        const o = { attributes: NO_ATTRIBUTES, checksumAlgorithm: 'crc32' } as const;
        const upload = {
          ...bench.named('a'),
          uploadId: must(await bench.store.createUpload(bench.named('a'), o)).uploadId,
        };
        const content = contentOf('x', { crc32: 'right' });
        must(await bench.store.putPart(upload, 1, { content, signal: bench.signal }));
        expect(await listed(bench, upload)).toMatchObject({
          checksumAlgorithm: 'crc32',
          parts: [{ checksums: { crc32: 'right' } }],
        });
        const complete = (crc32: string) =>
          bench.store.completeUpload(upload, {
            ...LASTING,
            parts: [{ part: 1, etag: md5('x'), checksums: { crc32 } }],
            checksums: (parts) => ({ crc32: parts.map((part) => `${part.checksums.crc32}-${parts.length}`).join() }),
          });
        expectProblem(await complete('wrong'), 'part_invalid');
        expect(must(await complete('right'))).toMatchObject({ checksums: { crc32: 'right-1' }, parts: 1 });
      },
    );
  });
}
