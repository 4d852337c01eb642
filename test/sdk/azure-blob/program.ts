// One use of @azure/storage-blob, in a process of its own: it trusts the CA of NODE_EXTRA_CA_CERTS, which is read at the start
// alone. Signs in with the job's token as Azure's documentation has it. Prints what came of it as one line of JSON.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { WorkloadIdentityCredential } from '@azure/identity';
import {
  type BlobClient,
  BlobServiceClient,
  type BlockBlobStageBlockOptions,
  type BlockBlobUploadOptions,
  type ContainerClient,
  RestError,
} from '@azure/storage-blob';

/** How a use ended. */
export type BlobUse =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly status: number; readonly message: string };

const {
  AZURE_AUTHORITY_HOST = '',
  BLOB_URL = '',
  BLOCK_MIB = '4',
  CONTAINER = '',
  WORK_FILE = '',
  STATIC_TOKEN,
} = process.env;
const MIB = 1024 ** 2;

/** A token that is not Jobpass's, or none that is any good, where a test wants one. */
const credential =
  STATIC_TOKEN === undefined
    ? new WorkloadIdentityCredential({ authorityHost: AZURE_AUTHORITY_HOST, disableInstanceDiscovery: true })
    : { getToken: async () => ({ token: STATIC_TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) };

async function allOf<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

const read = async (blob: BlobClient, ...range: [offset?: number, count?: number]): Promise<string> => {
  const { readableStreamBody: body } = await blob.download(...range);
  return Buffer.concat(body === undefined ? [] : ((await allOf(body)) as Buffer[])).toString();
};

const codeOf = async (use: Promise<unknown>): Promise<string> => {
  try {
    await use;
    return 'done';
  } catch (error) {
    return error instanceof RestError ? `${error.statusCode} ${error.code}` : String(error);
  }
};

type Use = (container: ContainerClient) => Promise<unknown>;

const USES: Readonly<Record<string, Use>> = {
  /** Up, and back with everything that was said about it. */
  roundTrip: async (container) => {
    const blob = container.getBlockBlobClient('dir/a b+c%é&.txt');
    await blob.upload('hello', 5, {
      blobHTTPHeaders: {
        blobContentType: 'text/plain; charset=utf-8',
        blobCacheControl: 'no-cache',
        blobContentEncoding: 'identity',
        blobContentLanguage: 'de',
        blobContentDisposition: 'inline',
      },
      metadata: { Commit: 'abc', run: '7' },
    });
    const { contentType, cacheControl, contentEncoding, contentLanguage, contentDisposition, metadata, contentLength } =
      await blob.getProperties();
    const told = {
      contentType,
      cacheControl,
      contentEncoding,
      contentLanguage,
      contentDisposition,
      metadata,
      contentLength,
    };
    const exists = [await blob.exists(), await container.getBlobClient('none').exists(), await container.exists()];
    return { told, exists, whole: await read(blob), part: await read(blob, 1, 3), rest: await read(blob, 3) };
  },
  /** 20 MB in blocks by each of the ways, and down again in ranges. */
  blocks: async (container) => {
    const data = randomBytes(20 * MIB + 7);
    writeFileSync(WORK_FILE, data);
    const options = { blobHTTPHeaders: { blobContentType: 'application/x-tar' }, metadata: { a: 'b' } };
    const blocks = { blockSize: Number(BLOCK_MIB) * MIB, maxSingleShotSize: MIB, concurrency: 5 };
    await container.getBlockBlobClient('data').uploadData(data, { ...options, ...blocks });
    await container.getBlockBlobClient('file').uploadFile(WORK_FILE, { ...options, ...blocks });
    await container.getBlockBlobClient('stream').uploadStream(Readable.from(chunked(data)), 8 * MIB, 3, options);
    const results: unknown[] = [];
    for (const name of ['data', 'file', 'stream']) {
      const blob = container.getBlobClient(name);
      const { contentType, metadata } = await blob.getProperties();
      const buffer = await blob.downloadToBuffer(0, undefined, { blockSize: 3 * MIB, concurrency: 4 });
      await blob.downloadToFile(`${WORK_FILE}.back`);
      results.push([name, contentType, metadata, buffer.equals(data), readFileSync(`${WORK_FILE}.back`).equals(data)]);
    }
    return results;
  },
  emptyStream: async (container) => {
    await container.getBlockBlobClient('empty').uploadStream(Readable.from([]));
    return (await container.getBlobClient('empty').getProperties()).contentLength;
  },
  /** Flat, by pages, by hierarchy. */
  listing: async (container) => {
    for (const name of ['l/1', 'l/2', 'l/a/3', 'l/b&c/4', 'l/b&c/5', 'l/ü +'])
      await container.uploadBlockBlob(name, 'x', 1);
    const flat = (await allOf(container.listBlobsFlat({ prefix: 'l/' }))).map(({ name }) => name);
    const pages = await allOf(container.listBlobsFlat({ prefix: 'l/' }).byPage({ maxPageSize: 4 }));
    const found = await allOf(container.listBlobsByHierarchy('/', { prefix: 'l/' }));
    const spaced = await allOf(container.listBlobsFlat({ prefix: 'l/ü +' }));
    const [first] = pages;
    const from = { continuationToken: first?.continuationToken ?? '', maxPageSize: 1 };
    const [next] = await allOf(container.listBlobsByHierarchy('/', { prefix: 'l/' }).byPage(from));
    return {
      flat,
      pages: pages.map(({ segment }) => segment.blobItems.map(({ name }) => name)),
      hierarchy: found.map(({ kind, name }) => `${kind} ${name}`),
      spaced: spaced.map(({ name, properties }) => [name, properties.contentLength, properties.blobType]),
      next: next?.segment.blobItems.map(({ name }) => name),
    };
  },
  conditional: async (container) => {
    const blob = container.getBlockBlobClient('once');
    const first = await blob.upload('one', 3, { conditions: { ifNoneMatch: '*' } });
    const etag = first.etag ?? '';
    const outcomes = [
      await codeOf(blob.upload('two', 3, { conditions: { ifNoneMatch: '*' } })),
      await codeOf(
        blob.uploadData(Buffer.alloc(2 * MIB), {
          blockSize: MIB,
          maxSingleShotSize: 1,
          conditions: { ifNoneMatch: '*' },
        }),
      ),
      await codeOf(blob.upload('two', 3, { conditions: { ifMatch: '"other"' } })),
      await codeOf(blob.upload('two', 3, { conditions: { ifMatch: etag } })),
      await codeOf(blob.upload('six', 3, { conditions: { ifMatch: etag } })),
      await codeOf(blob.download(0, undefined, { conditions: { ifMatch: etag } })),
      await codeOf(blob.delete({ conditions: { ifMatch: etag } })),
    ];
    return { outcomes, content: await read(blob) };
  },
  deletion: async (container) => {
    await container.uploadBlockBlob('gone', 'x', 1);
    const blob = container.getBlobClient('gone');
    await blob.delete();
    const again = [await codeOf(blob.delete()), (await blob.deleteIfExists()).succeeded, await blob.exists()];
    return [...again, await codeOf(blob.download())];
  },
  /** A connection that breaks in the middle of a download: the SDK asks for the rest, of the same blob. */
  retry: async (container) => {
    const data = randomBytes(3 * MIB);
    const blob = container.getBlockBlobClient('broken');
    await blob.upload(data, data.length);
    const { readableStreamBody: body } = await blob.download();
    // The SDK's own way to try it out.
    const { options } = body as unknown as { options: { doInjectErrorOnce: boolean } };
    options.doInjectErrorOnce = true;
    return Buffer.concat((body === undefined ? [] : await allOf(body)) as Buffer[]).equals(data);
  },
  /** Digests of what is sent, good ones and others. */
  digests: async (container) => {
    const blob = container.getBlockBlobClient('digests');
    const id = Buffer.from('digests-00000').toString('base64');
    const md5 = createHash('md5').update('hello world').digest();
    const crc64 = Buffer.from('be8eeaf6c3d5298d', 'hex');
    const send = (more: BlockBlobStageBlockOptions) => codeOf(blob.stageBlock(id, 'hello world', 11, more));
    const put = (more: BlockBlobUploadOptions) => codeOf(blob.upload('hello world', 11, more));
    return {
      good: [
        await send({ transactionalContentMD5: md5 }),
        await send({ transactionalContentCrc64: crc64 }),
        await put({ blobHTTPHeaders: { blobContentMD5: md5 } }),
      ],
      bad: [
        await send({ transactionalContentMD5: md5.subarray().reverse() }),
        await send({ transactionalContentCrc64: crc64.subarray().fill(0) }),
        await put({ blobHTTPHeaders: { blobContentMD5: new Uint8Array(16) } }),
      ],
      framed: await put({ contentChecksumAlgorithm: 'StorageCrc64' }),
    };
  },
  /** What the SDK can and this server does not. */
  unsupported: async (container) => {
    const blob = container.getBlockBlobClient('u');
    await blob.upload('x', 1);
    return {
      create: await codeOf(container.createIfNotExists()),
      metadata: await codeOf(blob.setMetadata({ a: 'b' })),
      headers: await codeOf(blob.setHTTPHeaders({ blobContentType: 'a/b' })),
      tier: await codeOf(blob.setAccessTier('Cool')),
      snapshot: await codeOf(blob.createSnapshot()),
      tags: await codeOf(blob.setTags({ a: 'b' })),
      lease: await codeOf(blob.getBlobLeaseClient().acquireLease(15)),
      copy: await codeOf(blob.syncCopyFromURL(`${BLOB_URL}/${CONTAINER}/x`)),
      append: await codeOf(container.getAppendBlobClient('p').create()),
      blockIds: await codeOf(blob.stageBlock(Buffer.from('free').toString('base64'), 'x', 1)),
      withMetadata: await codeOf(allOf(container.listBlobsFlat({ includeMetadata: true }))),
    };
  },
  token: () => credential.getToken('https://storage.azure.com/.default').then(({ token }) => token),
  read: (container) => read(container.getBlobClient(process.env.BLOB_NAME ?? '')),
  write: (container) => container.uploadBlockBlob(process.env.BLOB_NAME ?? '', 'x', 1).then(() => 'written'),
};

function* chunked(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at += 700_000) yield data.subarray(at, at + 700_000);
}

async function use(name: string): Promise<BlobUse> {
  try {
    const container = new BlobServiceClient(BLOB_URL, credential).getContainerClient(CONTAINER);
    return { ok: true, value: await USES[name]?.(container) };
  } catch (error) {
    const { code = '', statusCode = 0, message } = error as RestError;
    return { ok: false, code, status: statusCode, message };
  }
}

process.stdout.write(`${JSON.stringify(await use(process.argv[2] ?? ''))}\n`);
