// What an object store offers its conformance suite. Nothing here knows one store from another.
import { expect, test } from 'vitest';
import type { Result } from '../../../src/base/core/result.ts';
import type {
  ByteRange,
  Conditions,
  ObjectAttributes,
  ObjectFailure,
  ObjectInfo,
  ObjectProblem,
  ObjectRef,
  ObjectStore,
} from '../../../src/gateway/objects/store.ts';
import { bytesOf, contentOf } from '../../fakes/object-content.ts';

/** One fresh store with two empty buckets. */
export interface ObjectStoreInstance {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly otherBucket: string;
  /** Ends the store and deletes its data. */
  destroy(): Promise<void>;
}

/** Makes stores to test, and says what an adapter cannot know because of what stands behind it. */
export interface ObjectEngine {
  create(): Promise<ObjectStoreInstance>;
  /** The least length of a part that is not the last. */
  readonly minPartBytes: number;
  readonly has: {
    /** Generations, and conditions on them. */
    readonly generations: boolean;
    /** Checksums as the writer told them. */
    readonly checksums: boolean;
    /** Completing an upload again answers as before. */
    readonly repeatedCompletion: boolean;
    /** Keys with `.`, `..` or nothing between slashes, or with a slash first; a store that has them not refuses them. */
    readonly removableSegments: boolean;
    /** Parts of an upload that its completion does not name. */
    readonly partsLeftOut: boolean;
    /** Parts of any size, for whoever asks for it. */
    readonly smallParts: boolean;
    /** A name for the refusal of an upload that is not there. */
    readonly unknownUploads: boolean;
  };
}

/** A store with short ways for its tests. */
export class Bench {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly otherBucket: string;
  readonly signal = new AbortController().signal;

  constructor(instance: ObjectStoreInstance) {
    this.store = instance.store;
    this.bucket = instance.bucket;
    this.otherBucket = instance.otherBucket;
  }

  named(key: string): ObjectRef {
    return { bucket: this.bucket, key };
  }

  tryPut(key: string, data: Uint8Array | string, conditions: Conditions = {}, attributes = NO_ATTRIBUTES) {
    return this.store.put(this.named(key), { content: contentOf(data), attributes, conditions, signal: this.signal });
  }

  async put(key: string, data: Uint8Array | string, attributes = NO_ATTRIBUTES): Promise<ObjectInfo> {
    return must(await this.tryPut(key, data, {}, attributes));
  }

  tryGet(key: string, range?: ByteRange, conditions: Conditions = {}) {
    const asked = range === undefined ? {} : { range };
    return this.store.get(this.named(key), { ...asked, conditions, signal: this.signal });
  }

  async read(key: string, range?: ByteRange): Promise<string> {
    return (await bytesOf(must(await this.tryGet(key, range)).body)).toString('utf8');
  }

  async keys(): Promise<readonly string[]> {
    const all = { prefix: '', delimiter: null, after: '', limit: 1000 };
    return must(await this.store.list(this.bucket, all)).objects.map((info) => info.key);
  }
}

export const NO_ATTRIBUTES: ObjectAttributes = { metadata: {} };

/** The value of a call that must succeed. */
export function must<T>(result: Result<T, ObjectFailure>): T {
  if (!result.ok) throw new Error(`${result.error.problem}: ${result.error.detail}`, { cause: result.error.cause });
  return result.value;
}

/** The problem of a call that must fail. */
export function problemOf(result: Result<unknown, ObjectFailure>): ObjectProblem | 'none' {
  return result.ok ? 'none' : result.error.problem;
}

/** Asserts one refusal. */
export const expectProblem = (result: Result<unknown, ObjectFailure>, problem: ObjectProblem): void =>
  expect(problemOf(result), result.ok ? '' : result.error.detail).toBe(problem);

/** Declares tests of one engine, each with a store of its own that is taken away afterwards. */
export const requirements =
  (engine: ObjectEngine) =>
  (name: string, prove: (bench: Bench) => Promise<void>): void =>
    test(name, async () => {
      const instance = await engine.create();
      try {
        await prove(new Bench(instance));
      } finally {
        await instance.destroy();
      }
    });
