// A program of a job that uses AWS's SDK for JavaScript, in a process of its own: NODE_EXTRA_CA_CERTS is read when that begins.
// `program.ts file|token|chain` does all there is to do and tells it as JSON on its standard output.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { fromTokenFile, fromWebToken } from '@aws-sdk/credential-providers';

const [way = 'chain'] = process.argv.slice(2);
const env = (name: string): string => process.env[name] ?? '';
const named = { roleArn: env('AWS_ROLE_ARN'), roleSessionName: env('AWS_ROLE_SESSION_NAME') };
const file = env('AWS_WEB_IDENTITY_TOKEN_FILE');
const ways = new Map([
  ['file', () => fromTokenFile({ ...named, webIdentityTokenFile: file })],
  ['token', () => fromWebToken({ ...named, webIdentityToken: readFileSync(file, 'utf8').trim() })],
]);
const credentials = ways.get(way)?.();
const s3 = new S3Client(credentials === undefined ? {} : { credentials });

const Bucket = 'artifacts';
const folder = `js/${way}`;
const NAME = `${folder}/a b+c/é %2F(1)'!.txt`;
const MIB = 1024 * 1024;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const read = async (Key: string, more: { Range?: string } = {}): Promise<Buffer> => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED', ...more }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
};
const codeOf = (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => 'done',
    (cause: unknown) =>
      cause instanceof S3ServiceException ? `${cause.$metadata.httpStatusCode} ${cause.name}` : String(cause),
  );

/** In chunks of odd lengths, so that none ends where a frame of the wire does. */
async function* pieces(data: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += 70_001) yield data.subarray(at, at + 70_001);
}

async function bodies(): Promise<Record<string, unknown>> {
  const data = randomBytes(3 * MIB + 1);
  await s3.send(new PutObjectCommand({ Bucket, Key: NAME, Body: data, Metadata: { job: '7' }, ContentType: 'text/x' }));
  const buffered = sha256(await read(NAME)) === sha256(data);
  const stream = { Body: Readable.from(pieces(data)), ContentLength: data.length, ContentEncoding: 'gzip' };
  await s3.send(new PutObjectCommand({ Bucket, Key: `${folder}/streamed`, ...stream }));
  const streamed = sha256(await read(`${folder}/streamed`)) === sha256(data);
  const { ContentEncoding } = await s3.send(new HeadObjectCommand({ Bucket, Key: `${folder}/streamed` }));
  const { Metadata, ContentType } = await s3.send(new HeadObjectCommand({ Bucket, Key: NAME }));
  const range = (await read(NAME, { Range: 'bytes=-5' })).equals(data.subarray(-5));
  return { buffered, streamed, ContentEncoding, Metadata, ContentType, range };
}

const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;

async function checksums(): Promise<Record<string, unknown>> {
  const told: Record<string, unknown> = {};
  for (const ChecksumAlgorithm of ALGORITHMS) {
    const Key = `${folder}/${ChecksumAlgorithm}`;
    const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: '123456789', ChecksumAlgorithm }));
    // The SDK compares what it reads with the checksum that the answer tells.
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    const name = `Checksum${ChecksumAlgorithm}` as const;
    told[ChecksumAlgorithm] = [put[name], head[name], (await read(Key)).toString()];
    const wrong = { [name]: Buffer.alloc(Buffer.from(put[name] ?? '', 'base64').length).toString('base64') };
    told[`wrong ${ChecksumAlgorithm}`] = await codeOf(
      s3.send(new PutObjectCommand({ Bucket, Key: `${folder}/wrong`, Body: '123456789', ...wrong })),
    );
  }
  return told;
}

async function inParts(): Promise<boolean> {
  const Key = `${folder}/parts`;
  const parts = [randomBytes(5 * MIB), randomBytes(5 * MIB), randomBytes(77)];
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'SHA256' }));
  const sent = parts.map(async (Body, at) => {
    const PartNumber = at + 1;
    const part = { Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: 'SHA256' } as const;
    const { ETag, ChecksumSHA256 } = await s3.send(new UploadPartCommand(part));
    return { PartNumber, ETag, ChecksumSHA256 };
  });
  const MultipartUpload = { Parts: await Promise.all(sent) };
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
  return (await read(Key)).equals(Buffer.concat(parts));
}

async function rest(): Promise<Record<string, unknown>> {
  const CopySource = `${Bucket}/${encodeURIComponent(NAME)}`;
  await s3.send(new CopyObjectCommand({ Bucket, Key: `${folder}/copy`, CopySource }));
  const pages: string[][] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket,
        Prefix: `${folder}/`,
        MaxKeys: 4,
        ...(ContinuationToken && { ContinuationToken }),
      }),
    );
    pages.push((page.Contents ?? []).map(({ Key = '' }) => Key));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  const Objects = pages.flat().map((Key) => ({ Key }));
  const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  return {
    pages: pages.map((page) => page.length),
    listed: pages.flat().includes(NAME),
    deleted: Deleted?.length,
    gone: await codeOf(s3.send(new GetObjectCommand({ Bucket, Key: NAME }))),
    foreign: await codeOf(s3.send(new PutObjectCommand({ Bucket: 'other', Key: 'x', Body: 'x' }))),
  };
}

const told = { bodies: await bodies(), checksums: await checksums(), inParts: await inParts(), rest: await rest() };
process.stdout.write(JSON.stringify(told));
