// A large object through a running gateway, up and down: the process needs no more memory than for small ones, whatever its size.
// JOBPASS_OBJECT_MIB sets the size; `npm run soak` asks for 5 GiB, the most that S3 takes in one piece.
import { createHash, type Hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { S3_REGION, type S3Servers, startS3Servers } from '../e2e/s3-servers.ts';
import { type S3Ask, type S3Keys, signAsk } from '../fakes/s3-caller.ts';
import { DEPLOY_ROLE, sessionKeys } from '../sdk/aws-s3/job.ts';

const MIB = 1024 * 1024;
const OBJECT_BYTES = Number(process.env.JOBPASS_OBJECT_MIB ?? 512) * MIB;
/** Objects of 1 MiB that are up and down before: what a gateway has in memory that is in use. */
const SMALL_ONES = 48;
const MOST_EXTRA_BYTES = 64 * MIB;
const SAMPLE_MS = 20;
const LIMIT_MS = 900_000;

let servers: S3Servers;
let keys: S3Keys;

beforeAll(async () => {
  servers = await startS3Servers({ buckets: ['artifacts'], policies: { deploy: DEPLOY_ROLE } });
  keys = await sessionKeys(servers);
});
afterAll(() => servers?.close());

/** What the gateway has in memory now. */
const residentBytes = (): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${servers.gateway.pid}/status`, 'utf8'))?.[1]) * 1024;

/** The most that it has while `run` runs. */
async function peakDuring(run: () => Promise<unknown>): Promise<number> {
  let peak = residentBytes();
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes());
  }, SAMPLE_MS);
  await run();
  clearInterval(timer);
  return Math.max(peak, residentBytes());
}

/** No two blocks are alike, and none costs more than a number written into it. */
function* content(bytes: number): Generator<Buffer> {
  const block = Buffer.alloc(MIB, 'this is an object');
  for (let at = 0; at < bytes; at += MIB) {
    block.writeDoubleLE(at);
    yield Buffer.from(block.subarray(0, Math.min(MIB, bytes - at)));
  }
}

const digestOf = (bytes: number): string => {
  const hash = createHash('md5');
  for (const block of content(bytes)) hash.update(block);
  return hash.digest('hex');
};

/** Sends a signed request, its body as it goes; resolves at the head of the answer. */
async function send(ask: Omit<S3Ask, 'keys' | 'region'>, bytes: number): Promise<IncomingMessage> {
  const signed = signAsk(servers.urls.s3, { ...ask, keys, region: S3_REGION, payloadHash: 'UNSIGNED-PAYLOAD' });
  const { hostname, port } = new URL(servers.urls.s3);
  const { method, target: path } = signed;
  const headers = { ...signed.headers, ...(method === 'PUT' ? { 'content-length': String(bytes) } : {}) };
  const outgoing = request({ hostname, port, method, path, headers, agent: false });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  if (method === 'PUT')
    for (const block of content(bytes))
      if (!outgoing.write(block)) await new Promise((resolve) => outgoing.once('drain', resolve));
  outgoing.end();
  return await answer;
}

async function put(target: string, bytes: number): Promise<void> {
  const answer = await send({ method: 'PUT', target }, bytes);
  answer.resume();
  expect(answer.statusCode).toBe(200);
}

async function get(target: string): Promise<string> {
  const answer = await send({ target }, 0);
  expect(answer.statusCode).toBe(200);
  const hash: Hash = createHash('md5');
  for await (const chunk of answer) hash.update(chunk);
  return hash.digest('hex');
}

test(`an object of ${OBJECT_BYTES / MIB} MiB goes up and down with at most 64 MiB more than small ones`, {
  timeout: LIMIT_MS,
}, async () => {
  // The first use of everything, compiled code and buffers among it, is not the object's.
  for (let one = 0; one < SMALL_ONES; one += 1) {
    await put('/artifacts/small', MIB);
    await get('/artifacts/small');
  }
  const before = residentBytes();
  const up = await peakDuring(() => put('/artifacts/large', OBJECT_BYTES));
  let digest = '';
  const down = await peakDuring(async () => {
    digest = await get('/artifacts/large');
  });
  expect(digest).toBe(digestOf(OBJECT_BYTES));
  const extra = { up: up - before, down: down - before };
  process.stderr.write(
    `memory of the gateway: ${(before / MIB).toFixed(0)} MiB, up +${(extra.up / MIB).toFixed(0)}, down +${(extra.down / MIB).toFixed(0)}\n`,
  );
  expect(extra.up).toBeLessThan(MOST_EXTRA_BYTES);
  expect(extra.down).toBeLessThan(MOST_EXTRA_BYTES);
});
