// Conformance: whole objects, what is kept of them, and bodies that do not end well.
import { Writable } from 'node:stream';
import { describe, expect } from 'vitest';
import {
  brokenAfter,
  bytesOf,
  collector,
  contentOf,
  hangingAfter,
  LASTING,
  md5,
  patterned,
  unannounced,
} from '../../fakes/object-content.ts';
import { expectProblem, must, NO_ATTRIBUTES, type ObjectEngine, requirements } from './engine.ts';

const ALL_ATTRIBUTES = {
  contentType: 'text/plain; charset=utf-8',
  contentEncoding: 'gzip',
  contentDisposition: 'attachment; filename="é.txt"',
  contentLanguage: 'de',
  cacheControl: 'no-cache',
  expires: 'Thu, 01 Dec 1994 16:00:00 GMT',
  metadata: { pipeline: '42', 'two-words': 'a b' },
};

/** Keys that a file system would trip over; all of them different objects. */
const AWKWARD_KEYS = [
  'a/b',
  'a',
  'a/',
  '../../etc/passwd',
  '/',
  '//',
  '.',
  'A',
  '\u00e9',
  'e\u0301',
  '😀',
  'a b+c~(1).txt',
  '%2F',
  'x\ny',
];

/** Whether a server may take the key for another: a slash at the end is what makes a folder, and stays. */
const mayShrink = (key: string): boolean =>
  key.split('/').some((part, at, parts) => part === '.' || part === '..' || (part === '' && at < parts.length - 1));

export function objectRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);

  describe('objects', () => {
    requirement('an object comes back byte for byte, with its size, its MD5 and its attributes', async (bench) => {
      const data = patterned(300_000);
      const info = await bench.put('a', data, ALL_ATTRIBUTES);
      expect(info).toMatchObject({ key: 'a', size: 300_000, etag: md5(data), ...ALL_ATTRIBUTES });
      const opened = must(await bench.tryGet('a'));
      expect(opened.range).toBeNull();
      expect(opened.info).toStrictEqual(info);
      expect((await bytesOf(opened.body)).equals(data)).toBe(true);
      expect(must(await bench.store.head(bench.named('a')))).toStrictEqual(info);
    });

    requirement('a body may be sent into a stream instead, whole or a range of it', async (bench) => {
      const data = patterned(2_500_000);
      await bench.put('a', data);
      const range = { first: 1000, last: 1_999_999 };
      for (const [asked, wanted] of [
        [undefined, data],
        [range, data.subarray(1000, 2_000_000)],
      ] as const) {
        const sink = collector();
        await must(await bench.tryGet('a', asked)).sendTo(sink);
        expect(sink.writableEnded).toBe(false);
        expect(md5(Buffer.concat(sink.chunks))).toBe(md5(wanted));
      }
    });

    requirement('a body whose target closes is let go, and so is one whose caller leaves', async (bench) => {
      await bench.put('a', patterned(9_000_000));
      const closing = must(await bench.tryGet('a'));
      const stuck = new Writable({ write: () => {} });
      const sent = closing.sendTo(stuck);
      stuck.destroy();
      await expect(sent).rejects.toThrow();
      expect(closing.body.destroyed).toBe(true);
      const caller = new AbortController();
      const leaving = must(await bench.store.get(bench.named('a'), { signal: caller.signal }));
      const left = leaving.sendTo(new Writable({ write: () => {} }));
      caller.abort();
      await expect(left).rejects.toThrow();
    });

    requirement('an object without bytes is an object', async (bench) => {
      expect(await bench.put('empty', '')).toMatchObject({ size: 0, etag: 'd41d8cd98f00b204e9800998ecf8427e' });
      expect(await bench.read('empty')).toBe('');
      const sink = collector();
      await must(await bench.tryGet('empty')).sendTo(sink);
      expect(sink.chunks).toEqual([]);
    });

    requirement('a body of unannounced length is stored whole', async (bench) => {
      const data = patterned(3_000_001);
      const content = unannounced(data, 70_001);
      const info = await bench.store.put(bench.named('a'), {
        content,
        attributes: NO_ATTRIBUTES,
        signal: bench.signal,
      });
      expect(must(info)).toMatchObject({ size: 3_000_001, etag: md5(data) });
      expect(md5(await bytesOf(must(await bench.tryGet('a')).body))).toBe(md5(data));
    });

    requirement('keys are any text, and no two of them meet', async (bench) => {
      const [shrinking, plain] = [AWKWARD_KEYS.filter(mayShrink), AWKWARD_KEYS.filter((key) => !mayShrink(key))];
      const kept = engine.has.removableSegments ? AWKWARD_KEYS : plain;
      for (const key of kept) await bench.put(key, `content of ${key}`);
      for (const key of kept) expect(await bench.read(key)).toBe(`content of ${key}`);
      expect(await bench.keys()).toHaveLength(kept.length);
      if (engine.has.removableSegments) return;
      expect(shrinking.length).toBeGreaterThan(0);
      for (const key of shrinking) expectProblem(await bench.tryPut(key, 'x'), 'not_supported');
    });

    requirement('a write replaces everything: bytes, attributes, ETag', async (bench) => {
      await bench.put('a', 'old', ALL_ATTRIBUTES);
      const info = await bench.put('a', 'newer', { contentType: 'text/html', metadata: {} });
      expect(info).toMatchObject({ size: 5, contentType: 'text/html', metadata: {} });
      expect(info.cacheControl).toBeUndefined();
      expect(await bench.read('a')).toBe('newer');
      expect(await bench.keys()).toEqual(['a']);
    });

    requirement('buckets keep their objects apart', async (bench) => {
      await bench.put('a', 'here');
      expectProblem(await bench.store.head({ bucket: bench.otherBucket, key: 'a' }), 'key_unknown');
      const names = must(await bench.store.buckets()).map((bucket) => bucket.name);
      expect(names).toEqual(expect.arrayContaining([bench.bucket, bench.otherBucket]));
      expect(must(await bench.store.hasBucket(bench.bucket))).toBe(true);
      expect(must(await bench.store.hasBucket('no-such-bucket'))).toBe(false);
    });

    requirement('what is not there is said to be so', async (bench) => {
      const elsewhere = { bucket: 'no-such-bucket', key: 'a' };
      expectProblem(await bench.store.head(bench.named('a')), 'key_unknown');
      expectProblem(await bench.tryGet('a'), 'key_unknown');
      expectProblem(await bench.store.head(elsewhere), 'bucket_unknown');
      expectProblem(await bench.store.get(elsewhere, { signal: bench.signal }), 'bucket_unknown');
      const put = { content: contentOf('x'), attributes: NO_ATTRIBUTES, signal: bench.signal };
      expectProblem(await bench.store.put(elsewhere, put), 'bucket_unknown');
      expectProblem(await bench.store.delete(elsewhere, LASTING), 'bucket_unknown');
      const all = { prefix: '', delimiter: null, after: '', limit: 10 };
      expectProblem(await bench.store.list('no-such-bucket', all), 'bucket_unknown');
    });

    requirement('deleting removes one object, and deleting nothing succeeds', async (bench) => {
      await bench.put('a', 'x');
      await bench.put('a/b', 'y');
      expect(must(await bench.store.delete(bench.named('a'), LASTING))).toBeNull();
      expect(must(await bench.store.delete(bench.named('a'), LASTING))).toBeNull();
      expectProblem(await bench.tryGet('a'), 'key_unknown');
      expect(await bench.keys()).toEqual(['a/b']);
    });

    requirement('a read under way delivers the object as it was, whatever replaces or deletes it', async (bench) => {
      const old = patterned(5_000_000, 1);
      await bench.put('a', old);
      const replaced = must(await bench.tryGet('a'));
      await bench.put('a', patterned(5_000_000, 2));
      const deleted = must(await bench.tryGet('a'));
      await bench.store.delete(bench.named('a'), LASTING);
      expect(md5(await bytesOf(replaced.body))).toBe(md5(old));
      expect(md5(await bytesOf(deleted.body))).toBe(md5(patterned(5_000_000, 2)));
    });
  });

  describe('bodies that do not end well', () => {
    requirement('a body that throws leaves the old object, and its error is the cause', async (bench) => {
      await bench.put('a', 'old');
      const cause = new Error('the hash is wrong');
      const content = brokenAfter(patterned(200_000), cause);
      const refused = await bench.store.put(bench.named('a'), {
        content,
        attributes: NO_ATTRIBUTES,
        signal: bench.signal,
      });
      expectProblem(refused, 'payload_refused');
      expect(refused.ok ? undefined : refused.error.cause).toBe(cause);
      expect(await bench.read('a')).toBe('old');
    });

    requirement('a body that throws leaves nothing where nothing was', async (bench) => {
      const content = brokenAfter('', new Error('no'));
      const put = { content, attributes: NO_ATTRIBUTES, signal: bench.signal };
      expectProblem(await bench.store.put(bench.named('a'), put), 'payload_refused');
      expect(await bench.keys()).toEqual([]);
    });

    requirement('a body shorter or longer than announced is refused', async (bench) => {
      for (const size of [3, 5]) {
        const content = { ...contentOf('four'), size };
        const put = { content, attributes: NO_ATTRIBUTES, signal: bench.signal };
        expectProblem(await bench.store.put(bench.named('a'), put), 'payload_refused');
      }
      expect(await bench.keys()).toEqual([]);
    });

    requirement('the signal ends a body that hangs, and nothing is stored', async (bench) => {
      const caller = new AbortController();
      const { content } = hangingAfter('first');
      const put = bench.store.put(bench.named('a'), { content, attributes: NO_ATTRIBUTES, signal: caller.signal });
      setImmediate(() => caller.abort());
      expectProblem(await put, 'aborted');
      expect(await bench.keys()).toEqual([]);
    });

    requirement('a signal that came before ends a write at once', async (bench) => {
      const put = { content: contentOf('x'), attributes: NO_ATTRIBUTES, signal: AbortSignal.abort() };
      expectProblem(await bench.store.put(bench.named('a'), put), 'aborted');
      expect(await bench.keys()).toEqual([]);
    });

    requirement('a signal that came before ends a deletion at once', async (bench) => {
      await bench.put('a', 'x');
      expectProblem(await bench.store.delete(bench.named('a'), { signal: AbortSignal.abort() }), 'aborted');
      expect(await bench.keys()).toEqual(['a']);
    });

    requirement('the signal breaks off a read: it ends with an error, never short', async (bench) => {
      await bench.put('a', patterned(8_000_000));
      const caller = new AbortController();
      const { body } = must(await bench.store.get(bench.named('a'), { signal: caller.signal }));
      const reading = bytesOf(body);
      caller.abort();
      await expect(reading).rejects.toThrow();
    });

    requirement('an object that is being written is not there before its body ended', async (bench) => {
      const { content, release } = hangingAfter('first ');
      const put = bench.store.put(bench.named('a'), { content, attributes: NO_ATTRIBUTES, signal: bench.signal });
      expectProblem(await bench.store.head(bench.named('a')), 'key_unknown');
      expect(await bench.keys()).toEqual([]);
      release('second');
      must(await put);
      expect(await bench.read('a')).toBe('first second');
    });

    requirement('of two writes at once one wins whole', async (bench) => {
      const [one, two] = [patterned(400_000, 1), patterned(400_000, 2)];
      await Promise.all([bench.put('a', one), bench.put('a', two)]);
      const left = md5(await bytesOf(must(await bench.tryGet('a')).body));
      expect([md5(one), md5(two)]).toContain(left);
      expect(must(await bench.store.head(bench.named('a'))).etag).toBe(left);
    });
  });

  if (engine.has.checksums) checksumRequirements(engine);
}

function checksumRequirements(engine: ObjectEngine): void {
  const requirement = requirements(engine);
  describe('checksums', () => {
    requirement('the writer’s checksums are asked for after the body ended, and come back', async (bench) => {
      const order: string[] = [];
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('x');
        order.push('ended');
      }
      const checksums = () => {
        order.push('asked');
        return { crc32: 'jVKYRQ==', sha256: 'abc=' };
      };
      const content = { body: body(), size: 1, checksums };
      must(await bench.store.put(bench.named('a'), { content, attributes: NO_ATTRIBUTES, signal: bench.signal }));
      expect(order).toEqual(['ended', 'asked']);
      expect(must(await bench.store.head(bench.named('a'))).checksums).toEqual({ crc32: 'jVKYRQ==', sha256: 'abc=' });
    });
  });
}
