// What callers of the S3 front may do: by their role, by their session, on conditions, and by a URL that was signed before.
import { type Request, sign } from 'aws4';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../fakes/guarded-resource.ts';
import type { S3Keys } from '../fakes/s3-caller.ts';
import { type S3World, startS3World } from '../fakes/s3-world.ts';
import { REGION } from '../fakes/store-world.ts';

let world: S3World;
let keys: S3Keys;

beforeEach(async () => {
  world = await startS3World();
  keys = await world.keys();
});
afterEach(() => world.close());

const send = (
  method: string,
  target: string,
  more: { body?: string | Uint8Array; headers?: Record<string, string> } = {},
) => world.send({ method, target, keys, ...more });

describe('permissions', () => {
  const BUCKET = 'arn:aws:s3:::web-bucket';
  const allow = (...needs: readonly (readonly [string, string])[]) =>
    needs.map(([action, resource]) => ({ effect: 'allow' as const, actions: [action], resources: [resource] }));

  const COPY = { 'x-amz-copy-source': 'other-bucket/s' };
  const REQUESTS: readonly [string, string, Record<string, string>?][] = [
    ['GET', '/'],
    ['HEAD', '/web-bucket'],
    ['GET', '/web-bucket?location'],
    ['GET', '/web-bucket'],
    ['GET', '/web-bucket?list-type=2'],
    ['GET', '/web-bucket/a'],
    ['HEAD', '/web-bucket/a'],
    ['PUT', '/web-bucket/a'],
    ['DELETE', '/web-bucket/a'],
    ['PUT', '/web-bucket/a', COPY],
    ['POST', '/web-bucket/a?uploads'],
    ['PUT', '/web-bucket/a?partNumber=1&uploadId=x.y'],
    ['PUT', '/web-bucket/a?partNumber=1&uploadId=x.y', COPY],
    ['POST', '/web-bucket/a?uploadId=x.y'],
    ['DELETE', '/web-bucket/a?uploadId=x.y'],
    ['GET', '/web-bucket/a?uploadId=x.y'],
  ];
  const statuses = () =>
    Promise.all(
      REQUESTS.map(async ([method, target, headers = {}]) => (await send(method, target, { headers })).status),
    );

  test('that are missing keep every operation from the store', async () => {
    expect(await statuses()).not.toContain(403);
    await world.grant([]);
    world.calls.length = 0;
    expect(await statuses()).toEqual(REQUESTS.map(() => 403));
    expect(world.calls).toEqual([]);
  });

  test('to write are not enough for a copy: its source must be readable too', async () => {
    await send('PUT', '/other-bucket/s', { body: 'secret' });
    await world.grant(allow(['s3:*', `${BUCKET}/*`]));
    world.calls.length = 0;
    for (const target of ['/web-bucket/a', '/web-bucket/a?partNumber=1&uploadId=x.y']) {
      expect((await send('PUT', target, { headers: COPY })).code).toBe('AccessDenied');
    }
    expect(world.calls).toEqual([]);
  });

  test('are narrowed by the session policy, and never widened', async () => {
    const narrow = (...actions: string[]) => [
      { effect: 'allow' as const, actions, resources: ['arn:aws:s3:::*'], line: 1 },
    ];
    await send('PUT', '/web-bucket/a', { body: 'x' });
    keys = await world.keys({ policy: narrow('s3:GetObject') });
    expect((await send('GET', '/web-bucket/a')).status).toBe(200);
    expect((await send('PUT', '/web-bucket/a', { body: 'y' })).code).toBe('AccessDenied');
    await world.grant(allow(['s3:PutObject', 'arn:aws:s3:::*']));
    expect((await send('GET', '/web-bucket/a')).code).toBe('AccessDenied');
  });

  test('may depend on the prefix of a listing', async () => {
    await world.grant([
      {
        effect: 'allow',
        actions: ['s3:ListBucket'],
        resources: [BUCKET],
        conditions: { StringLike: { 's3:prefix': 'web/*' } },
      },
    ]);
    expect((await send('GET', '/web-bucket?list-type=2&prefix=web%2F7')).status).toBe(200);
    expect((await send('GET', '/web-bucket?list-type=2&prefix=other')).code).toBe('AccessDenied');
    expect((await send('GET', '/web-bucket?list-type=2')).code).toBe('AccessDenied');
  });

  test('to list decide whether a caller learns that a key does not exist', async () => {
    await world.grant(allow(['s3:GetObject', 'arn:aws:s3:::*']));
    expect((await send('GET', '/web-bucket/none')).code).toBe('AccessDenied');
    expect((await send('HEAD', '/web-bucket/none')).status).toBe(403);
    await world.grant(allow(['s3:GetObject', 'arn:aws:s3:::*'], ['s3:ListBucket', BUCKET]));
    expect((await send('GET', '/web-bucket/none')).code).toBe('NoSuchKey');
    expect((await send('HEAD', '/web-bucket/none')).status).toBe(404);
  });
});

describe('a conditional write', () => {
  test('happens once, as Terraform’s lock needs it', async () => {
    const lock = () => send('PUT', '/web-bucket/lock', { body: 'x', headers: { 'if-none-match': '*' } });
    expect([(await lock()).status, (await lock()).code]).toEqual([200, 'PreconditionFailed']);
    const none = await send('GET', '/web-bucket/lock', {
      headers: { 'if-none-match': (await send('HEAD', '/web-bucket/lock')).headers.etag ?? '' },
    });
    expect([none.status, none.body.length, none.headers.etag]).toEqual([304, 0, expect.any(String)]);
    const beyond = await send('GET', '/web-bucket/lock', { headers: { range: 'bytes=5-' } });
    expect([beyond.code, beyond.headers['content-range']]).toEqual(['InvalidRange', 'bytes */1']);
  });
});

describe('a presigned URL', () => {
  /** Signed by another signer than ours. */
  const presign = (target: string, seconds: number, more: Partial<Request> = {}) =>
    sign(
      {
        service: 's3',
        region: REGION,
        host: new URL(world.url).host,
        path: `${target}?X-Amz-Expires=${seconds}`,
        signQuery: true,
        ...more,
      },
      { accessKeyId: keys.accessKeyId, secretAccessKey: keys.secret, sessionToken: keys.sessionToken },
    ).path ?? '';

  test('reads and writes without a header, its body unsigned', async () => {
    const put = await fetch(world.url + presign('/web-bucket/p', 60, { method: 'PUT' }), {
      method: 'PUT',
      body: 'hello',
    });
    expect(put.status).toBe(200);
    expect(await (await fetch(world.url + presign('/web-bucket/p', 60))).text()).toBe('hello');
  });

  test('ends when it says, and with its session at the latest', async () => {
    await send('PUT', '/web-bucket/p', { body: 'x' });
    const [short, long] = [presign('/web-bucket/p', 5), presign('/web-bucket/p', 604_800)];
    world.clock.push(6000);
    await until(() => world.gateway.ready());
    const expired = await fetch(world.url + short);
    expect([expired.status, await expired.text()]).toEqual([403, expect.stringContaining('Request has expired')]);
    expect((await fetch(world.url + long)).status).toBe(200);
    world.clock.push(600_000);
    await until(() => world.gateway.ready());
    expect(await (await fetch(world.url + long)).text()).toContain('<Code>ExpiredToken</Code>');
  });

  test('ends with its job', async () => {
    const url = presign('/web-bucket/p', 604_800);
    world.sts.ended.push({ sessionId: 'S0000000000AB', expiresAt: world.clock.nowSeconds() + 600 });
    await world.grant([]);
    world.calls.length = 0;
    expect(await (await fetch(world.url + url)).text()).toContain('<Code>ExpiredToken</Code>');
    expect(world.calls).toEqual([]);
  });

  test('may not live longer than a week', async () => {
    const answer = await fetch(world.url + presign('/web-bucket/p', 604_801));
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('AuthorizationQueryParametersError'),
    ]);
  });
});
