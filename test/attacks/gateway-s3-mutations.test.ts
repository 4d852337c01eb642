// Good requests of two independent signers, each with one byte changed on its way to a listening S3 front: none does anything.
// JOBPASS_PROPERTY_RUNS sets how many are tried.
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import aws4 from 'aws4';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatAmzDate } from '../../src/base/sigv4/amz-date.ts';
import { propertyRuns } from '../fakes/property-runs.ts';
import type { S3Keys } from '../fakes/s3-caller.ts';
import { type S3World, startS3World } from '../fakes/s3-world.ts';
import { REGION } from '../fakes/store-world.ts';

/** Each is a connection of its own: fewer than of properties without a socket, unless more are asked for. */
const RUNS = process.env.JOBPASS_PROPERTY_RUNS === undefined ? 1000 : propertyRuns();
const HOST = 's3.example.com';
/** No refusal waits for anything. */
const ANSWER_LIMIT_MS = 5000;

let world: S3World;
let keys: S3Keys;

beforeAll(async () => {
  world = await startS3World();
  // The runs may last; nothing but the changed byte is to be refused.
  keys = await world.keys({ expiresAt: world.clock.nowSeconds() + 40_000 });
});
afterAll(() => world.close());

interface Draft {
  readonly form: 'header' | 'query';
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'HEAD';
  readonly target: string;
  readonly body: string;
}

/** A signed message: what a change must break, and what frames it. */
interface Message {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

type Signer = (draft: Draft) => Promise<Message>;

const credentials = () => ({
  accessKeyId: keys.accessKeyId,
  secretAccessKey: keys.secret,
  sessionToken: keys.sessionToken,
});

const metadataOf = (method: string): Record<string, string> => (method === 'PUT' ? { 'x-amz-meta-a': 'b  c' } : {});

const byAws4: Signer = async ({ form, method, target, body }) => {
  const date = formatAmzDate(world.clock.nowSeconds());
  const isQuery = form === 'query';
  const separator = target.includes('?') ? '&' : '?';
  const signed = aws4.sign(
    {
      service: 's3',
      region: REGION,
      method,
      host: HOST,
      path: isQuery ? `${target}${separator}X-Amz-Date=${date}&X-Amz-Expires=300` : target,
      headers: isQuery ? {} : { 'X-Amz-Date': date, ...metadataOf(method) },
      body: isQuery ? '' : body,
      signQuery: isQuery,
    },
    credentials(),
  );
  const headers = Object.entries(signed.headers ?? {}).map(([name, value]) => [name, String(value)] as const);
  return { method, target: signed.path ?? '', headers, body };
};

const bySmithy: Signer = async ({ form, method, target, body }) => {
  const signer = new SignatureV4({
    service: 's3',
    region: REGION,
    credentials: credentials(),
    sha256: Sha256,
    uriEscapePath: false,
  });
  const url = new URL(`http://${HOST}${target}`);
  const isQuery = form === 'query';
  const plain = {
    method,
    protocol: 'http:',
    hostname: HOST,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: HOST, ...(isQuery ? {} : metadataOf(method)) },
    body: isQuery ? '' : body,
  };
  const signingDate = new Date(world.clock.nowMs());
  const signed = await (isQuery
    ? signer.presign(
        { ...plain, headers: { ...plain.headers, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' } },
        { signingDate, expiresIn: 300 },
      )
    : signer.sign(plain, { signingDate }));
  const query = Object.entries(signed.query ?? {})
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&');
  return {
    method,
    target: query === '' ? signed.path : `${signed.path}?${query}`,
    headers: Object.entries(signed.headers),
    body,
  };
};

const KEY_PIECES = ['a', 'Z', '09', '%20', '%2B', '%C3%A9', '%25', '%2F', '/', '~', '-', '_', '.x', '%3D', '%26'];
const drafts: fc.Arbitrary<Draft> = fc
  .record({
    form: fc.constantFrom('header', 'query'),
    method: fc.constantFrom('GET', 'PUT', 'DELETE', 'HEAD'),
    key: fc.array(fc.constantFrom(...KEY_PIECES), { minLength: 1, maxLength: 5 }),
    body: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 }),
    isList: fc.boolean(),
  })
  .map(({ form, method, key, body, isList }) => ({
    form,
    method,
    // An object that is there, so that whatever would be answered, deleted or read is.
    target:
      method === 'GET' && isList
        ? '/web-bucket?list-type=2&prefix=a%2Fb&delimiter=%2F'
        : `/web-bucket/k${key.join('')}`,
    body: method === 'PUT' ? body : '',
  }));

/** The parts of a message that a byte may be changed in. */
const partsOf = ({ method, target, headers, body }: Message): readonly string[] => [
  method,
  target,
  ...headers.flat(),
  body,
];

interface Change {
  readonly at: number;
  readonly by: number;
}

/** `message` with one byte changed; undefined where no signature speaks of it: a header's case, a presigned body. */
function change(message: Message, form: Draft['form'], { at, by }: Change): readonly string[] | undefined {
  const parts = [...partsOf(message)];
  let left = at % parts.join('').length;
  const index = parts.findIndex((part) => {
    if (left < part.length) return true;
    left -= part.length;
    return false;
  });
  const part = parts[index] ?? '';
  const byte = String.fromCharCode((part.charCodeAt(left) + by) % 256);
  const changed = part.slice(0, left) + byte + part.slice(left + 1);
  const isBody = index === parts.length - 1;
  const isName = !isBody && index >= 2 && index % 2 === 0;
  if (isBody && form === 'query') return undefined;
  if (isName && changed.toLowerCase() === part.toLowerCase()) return undefined;
  parts[index] = changed;
  return parts;
}

/** As the parts stand, one byte for each character. A length that the signer gave none for is added, not repaired. */
function wireOf(message: Message, parts = partsOf(message)): Buffer {
  const [method = '', target = '', ...fields] = parts.slice(0, -1);
  const body = parts.at(-1) ?? '';
  const isFramed = message.headers.some(([name]) => name.toLowerCase() === 'content-length');
  const lines = [`${method} ${target} HTTP/1.1`];
  for (let index = 0; index < fields.length; index += 2) lines.push(`${fields[index]}: ${fields[index + 1]}`);
  if (body !== '' && !isFramed) lines.push(`content-length: ${body.length}`);
  return Buffer.from(`${lines.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`, 'latin1');
}

/** The status of the answer; 0: none came. */
function statusOf(bytes: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(world.port, '127.0.0.1', () => socket.write(bytes));
    const finish = (status: number): void => {
      socket.destroy();
      resolve(status);
    };
    socket.setTimeout(ANSWER_LIMIT_MS, () => finish(-1));
    socket.once('data', (chunk) => finish(Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(chunk.toString('latin1'))?.[1] ?? 0)));
    socket.once('error', () => finish(0));
    socket.once('close', () => finish(0));
  });
}

/** Cut off, refused, or told that no such operation is served. */
const isRefusal = (status: number): boolean => status === 0 || (status >= 400 && status < 500) || status === 501;

const changes = fc.record({ at: fc.nat(100_000), by: fc.integer({ min: 1, max: 255 }) });
/** Every object by its name and content. */
const standing = async (): Promise<string> => {
  const listed = await world.store.list('web-bucket', { prefix: '', delimiter: null, after: '', limit: 1000 });
  if (!listed.ok) throw new Error(listed.error.detail);
  return createHash('sha256').update(JSON.stringify(listed.value)).digest('hex');
};

describe.each([
  ['aws4', byAws4],
  ['@smithy/signature-v4', bySmithy],
])('requests signed by %s', (_name, sign) => {
  test('are taken as they are', async () => {
    await fc.assert(
      fc.asyncProperty(drafts, async (draft) => {
        world.calls.length = 0;
        const status = await statusOf(wireOf(await sign(draft)));
        expect([200, 204, 404]).toContain(status);
        expect(world.calls.length).toBeGreaterThan(0);
      }),
      { numRuns: Math.ceil(RUNS / 10) },
    );
  });

  test(`do nothing after a change of any one byte (${RUNS} of them)`, async () => {
    const before = await standing();
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(drafts, changes, async (draft, one) => {
        const message = await sign(draft);
        const parts = change(message, draft.form, one);
        fc.pre(parts !== undefined);
        world.calls.length = 0;
        const status = await statusOf(wireOf(message, parts));
        tried += 1;
        expect([status, isRefusal(status)]).toEqual([status, true]);
        // A body is judged while it is stored; what was refused is gone again.
        expect(world.calls).toEqual(parts.at(-1) === message.body ? [] : ['put']);
      }),
      { numRuns: RUNS },
    );
    expect(tried).toBe(RUNS);
    expect(await standing()).toBe(before);
  });
});
