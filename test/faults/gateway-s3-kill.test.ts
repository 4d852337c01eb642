// kill -9 of a running gateway while it takes uploads: afterwards every object is the old one or the new one, whole.
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { S3_REGION, type S3Servers, startS3Servers } from '../e2e/s3-servers.ts';
import { type S3Ask, type S3Keys, type S3Reply, sendSigned, signAsk } from '../fakes/s3-caller.ts';
import { DEPLOY_ROLE, sessionKeys } from '../sdk/aws-s3/job.ts';

const ROUNDS = 5;
const MIB = 1024 * 1024;
const KEYS = ['a', 'b', 'c'];
const LONGEST_LIFE_MS = 60;

let servers: S3Servers;
let keys: S3Keys;

beforeAll(async () => {
  servers = await startS3Servers({ buckets: ['artifacts'], policies: { deploy: DEPLOY_ROLE } });
  keys = await sessionKeys(servers);
});
afterAll(() => servers?.close());

const signed = (ask: Omit<S3Ask, 'keys' | 'region'>) => signAsk(servers.urls.s3, { ...ask, keys, region: S3_REGION });
const send = (ask: Omit<S3Ask, 'keys' | 'region'>): Promise<S3Reply> => sendSigned(servers.urls.s3, signed(ask));

interface Upload {
  readonly key: string;
  readonly body: Buffer;
  /** Whether it was answered with a 200. */
  answered: boolean;
}

/** Sends an object in one piece, or in parts when its key says so, and does not mind being cut off. */
async function upload(one: Upload): Promise<void> {
  const target = `/artifacts/${one.key}`;
  const ok = (reply: S3Reply): S3Reply => {
    if (reply.status !== 200) throw new Error(reply.text);
    return reply;
  };
  if (one.key !== 'c') {
    ok(await send({ method: 'PUT', target, body: one.body }));
  } else {
    const begun = ok(await send({ method: 'POST', target: `${target}?uploads=` }));
    const id = encodeURIComponent(/<UploadId>([^<]+)</.exec(begun.text)?.[1] ?? '');
    const parts = [one.body.subarray(0, 5 * MIB), one.body.subarray(5 * MIB)];
    const etags = await Promise.all(
      parts.map(async (body, at) => {
        const part = `${target}?partNumber=${at + 1}&uploadId=${id}`;
        return ok(await send({ method: 'PUT', target: part, body })).headers.etag;
      }),
    );
    const listed = etags.map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`;
    ok(await send({ method: 'POST', target: `${target}?uploadId=${id}`, body }));
  }
  one.answered = true;
}

const digest = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

test(`after kill -9 in ${ROUNDS} uploads each object is the old or the new one, and the session goes on`, async () => {
  const standing = new Map<string, string>();
  const outcomes = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const uploads = KEYS.map((key): Upload => ({ key, body: randomBytes(6 * MIB + round), answered: false }));
    const done = uploads.map((one) => upload(one).catch(() => undefined));
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * LONGEST_LIFE_MS * (round + 1)));
    await servers.gateway.end('SIGKILL');
    await Promise.all(done);
    await servers.gateway.start();
    for (const { key, body, answered } of uploads) {
      const reply = await send({ target: `/artifacts/${key}` });
      const found = reply.status === 404 ? 'nothing' : digest(reply.body);
      const old = standing.get(key) ?? 'nothing';
      expect(answered ? [digest(body)] : [old, digest(body)]).toContain(found);
      outcomes.add(answered ? 'answered' : found === old ? 'old' : 'new, unanswered');
      standing.set(key, found);
    }
  }
  // What was cut off was under way.
  expect([...outcomes]).toContain('old');
});
