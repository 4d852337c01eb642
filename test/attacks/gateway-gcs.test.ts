// What the Cloud Storage front refuses: the exact error for the caller, the reason in the log, and not one call to the store.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Statement } from '../../src/base/core/permissions.ts';
import { type GcsAsk, type GcsReply, type GcsWorld, related, startGcsWorld } from '../fakes/gcs-world.ts';
import { exchangeBytes, until } from '../fakes/guarded-resource.ts';
import { LASTING } from '../fakes/object-content.ts';
import { makeSigningKey } from '../fakes/signing-key.ts';
import { EVERYTHING } from '../fakes/store-world.ts';

let world: GcsWorld;
let token: string;

beforeAll(async () => {
  world = await startGcsWorld();
});
afterAll(() => world.close());

/** The log takes so many lines about strangers in a minute. */
const TESTS_A_MINUTE = 10;
let tests = 0;

beforeEach(async () => {
  tests += 1;
  if (tests % TESTS_A_MINUTE === 0) {
    world.clock.push(60_000);
    await until(() => world.gateway.ready());
  }
  token = await world.token();
  world.calls.length = 0;
  world.log.lines.length = 0;
});

const OBJECTS = '/storage/v1/b/web-bucket/o';
const UPLOADS = '/upload/storage/v1/b/web-bucket/o';
const GET = { target: `${OBJECTS}/a` };
const INSERT = { method: 'POST', target: `${UPLOADS}?uploadType=multipart&name=a`, ...related({}, 'hello') };
const NAMED_BY_BODY = { method: 'POST', target: `${UPLOADS}?uploadType=multipart`, ...related({ name: 'a' }, 'hello') };

/** One of each call. */
const CALLS: readonly [string, GcsAsk][] = [
  ['ListBuckets', { target: '/storage/v1/b?project=p' }],
  ['GetBucket', { target: '/storage/v1/b/web-bucket' }],
  ['GetStorageLayout', { target: '/storage/v1/b/web-bucket/storageLayout' }],
  ['ListObjects', { target: OBJECTS }],
  ['GetObject', GET],
  ['ReadObject', { target: `${OBJECTS}/a?alt=media` }],
  ['ReadObject as gcloud does', { target: `/download${OBJECTS}/a?alt=media` }],
  ['ReadObject as Go does', { target: '/web-bucket/a' }],
  ['DeleteObject', { method: 'DELETE', target: `${OBJECTS}/a` }],
  ['InsertObject', INSERT],
  ['InsertObject named by its body', NAMED_BY_BODY],
  ['StartUpload', { method: 'POST', target: `${UPLOADS}?uploadType=resumable&name=a`, body: '{}' }],
  [
    'StartUpload named by its body',
    { method: 'POST', target: `${UPLOADS}?uploadType=resumable`, body: '{"name":"a"}' },
  ],
  ['ContinueUpload', { method: 'PUT', target: `${UPLOADS}?uploadType=resumable&name=a&upload_id=x.y`, body: 'x' }],
  ['RewriteObject', { method: 'POST', target: `${OBJECTS}/a/rewriteTo/b/web-bucket/o/b`, body: '{}' }],
];

/** What the caller reads, what the operator reads, and what the store heard. */
const seen = (reply: GcsReply) => ({
  answer: `${reply.status} ${reply.reason}`,
  reason: world.log.lines.at(-1)?.fields.reason,
  calls: world.calls.length,
});
const refused = (answer: string, reason: string) => ({ answer, reason, calls: 0 });

test('a good request of each kind is taken, so that the refusals below mean something', async () => {
  for (const [name, ask] of CALLS) {
    const { status } = await world.send({ ...ask, token });
    // The upload has no id that anybody sealed; what was deleted is not there.
    expect([name, status < 300 || status === 404]).toEqual([name, true]);
  }
  expect(world.calls).toContain('put');
});

describe.each(CALLS)('%s', (_name, ask) => {
  test('needs a credential', async () => {
    const none = await world.send({ ...ask, token: null });
    expect(seen(none)).toEqual(refused('401 authError', 'credential_missing'));
    expect(none.headers['www-authenticate']).toBe('Bearer');
    const bad = await world.send({ ...ask, token: `${token}x` });
    expect(seen(bad)).toEqual(refused('401 authError', 'token_malformed'));
    expect(bad.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
  });

  test('needs its permission, and the refusal tells nothing but its id', async () => {
    const { role } = { role: 'main/other' };
    const denied = await world.send({ ...ask, token: await world.token({ role }) });
    expect(seen(denied)).toEqual(refused('403 forbidden', 'role_unknown'));
    const decision = String(denied.headers['x-jobpass-decision']);
    const { message } = denied.json.error as { message: string };
    expect(message).toBe(`The caller may not do this, or the resource does not exist. (${decision})`);
    expect(world.log.lines.at(-1)?.fields.decision).toBe(decision);
    expect(JSON.stringify(world.log.lines)).not.toContain(token.split('.')[2]);
  });
});

describe('a credential is refused', () => {
  test.each<[string, () => Promise<string>, string, string]>([
    ['of another group', () => world.token({ group: 'others' }), '401 authError', 'group_mismatch'],
    [
      'past its expiry',
      () => world.token({ expiresAt: world.clock.nowSeconds() - 60 }),
      '401 authError',
      'session_expired',
    ],
    [
      'of an ended session',
      async () => {
        const sessionId = 'S-ended';
        world.sts.ended.push({ sessionId, expiresAt: world.clock.nowSeconds() + 600 });
        await until(() => world.sts.polls.at(-1)?.cursor === world.sts.ended.length);
        return world.token({ sessionId });
      },
      '401 authError',
      'session_ended',
    ],
    [
      'signed by somebody else',
      async () => {
        const { key } = world.sts;
        world.sts.key = makeSigningKey();
        const forged = await world.token();
        world.sts.key = key;
        return forged;
      },
      '401 authError',
      'key_unknown',
    ],
    ['that is no token', async () => 'abc', '401 authError', 'token_malformed'],
  ])('%s', async (_what, make, answer, reason) => {
    expect(seen(await world.send({ ...INSERT, token: await make() }))).toEqual(refused(answer, reason));
  });

  test('beside another one', async () => {
    const twice = `GET ${GET.target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    expect((await exchangeBytes(world.port, twice)).text).toContain('400 Bad Request');
    expect(world.calls).toEqual([]);
  });

  test.each([
    ['in the query', { target: `${OBJECTS}/a?access_token=`, token: null }],
    ['of another scheme', { ...GET, token: null, headers: { authorization: 'Basic YTpi' } }],
  ])('%s', async (_where, ask) => {
    const reply = await world.send({ ...ask, target: ask.target.replace('access_token=', `access_token=${token}`) });
    expect(seen(reply)).toEqual(refused('401 authError', 'credential_missing'));
  });
});

test('who knows nothing fresh refuses, and says when to come again', async () => {
  world.sts.reachable = false;
  world.clock.push(11_000);
  const reply = await world.send({ ...INSERT, token });
  world.sts.reachable = true;
  expect(seen(reply)).toEqual(refused('503 backendError', 'feed_stale'));
  expect(reply.headers['retry-after']).toBe('2');
  await until(async () => (await world.send({ ...INSERT, token: await world.token() })).status === 200);
});

describe('what is not served', () => {
  test('is not served to strangers either: they learn nothing of the table', async () => {
    const ask = { method: 'PATCH', target: `${OBJECTS}/a`, body: '{}' };
    expect(seen(await world.send({ ...ask, token: null }))).toEqual(refused('401 authError', 'credential_missing'));
    expect(seen(await world.send({ ...ask, token }))).toEqual(refused('501 notImplemented', 'operation_unsupported'));
  });

  test.each([
    [
      'a body where none belongs',
      { target: GET.target, headers: { 'content-length': '1' }, body: 'x' },
      '400 badRequest',
    ],
    ['a condition in a header', { ...GET, headers: { 'if-match': '"x"' } }, '501 notImplemented'],
    ['another method in a header', { ...GET, headers: { 'x-http-method-override': 'DELETE' } }, '501 notImplemented'],
    ['a name that cannot be decoded', { target: `${OBJECTS}/%ff` }, '400 invalid'],
    ['a parameter twice', { target: `${OBJECTS}?prefix=a&prefix=b` }, '400 invalid'],
  ])('%s', async (_what, ask, answer) => {
    expect(seen(await world.send({ ...ask, token }))).toEqual(refused(answer, 'operation_unsupported'));
  });

  test.each([
    ['an absolute target', `GET http://storage.example.com${GET.target} HTTP/1.1\r\n`],
    [
      'a length beside a transfer coding',
      `POST ${INSERT.target} HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n`,
    ],
    ['an upgrade', `GET ${GET.target} HTTP/1.1\r\nUpgrade: h2c\r\n`],
  ])('%s', async (_what, head) => {
    const { text } = await exchangeBytes(
      world.port,
      `${head}Host: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(world.calls).toEqual([]);
  });
});

describe('a decision about one name is about no other', () => {
  const only: Omit<Statement, 'line'> = {
    effect: 'allow',
    actions: ['s3:GetObject', 's3:PutObject'],
    resources: ['arn:aws:s3:::web-bucket/mine/*'],
  };
  beforeAll(() => world.grant([only]));
  afterAll(() => world.grant([EVERYTHING]));

  test.each([
    ['dot segments', '/web-bucket/mine/../yours', 404],
    ['escaped ones', '/web-bucket/mine%2F..%2Fyours', 404],
    ['two slashes', '/web-bucket/mine//yours', 404],
    ['a prefix that is none', '/web-bucket/mine', 403],
    ['a slash escaped twice', '/web-bucket/mine%252Fa', 403],
    ['other letters', '/web-bucket/Mine/a', 403],
    ['the name behind dots', '/web-bucket/yours/../mine/a', 403],
    ['the bucket escaped', '/web%2Dbucket/mine/a', 400],
  ])('%s', async (_how, target, status) => {
    await world.store.delete({ bucket: 'web-bucket', key: 'yours' }, LASTING);
    const reply = await world.send({ target, token });
    // Whoever may not list learns nothing of what is not there.
    expect(reply.status).toBe(status === 404 ? 403 : status);
    expect(world.calls).toEqual(status === 404 ? ['get'] : []);
  });

  test('a body that names another object than its URL, or one that is not its caller’s, stores nothing', async () => {
    const asks: readonly [GcsAsk, string][] = [
      [
        { ...INSERT, target: `${UPLOADS}?uploadType=multipart&name=mine%2Fa`, ...related({ name: 'yours' }, 'x') },
        '400 invalid',
      ],
      [{ ...NAMED_BY_BODY, ...related({ name: 'yours' }, 'x') }, '403 forbidden'],
      [{ ...NAMED_BY_BODY, ...related({ name: 'mine/../yours', bucket: 'other-bucket' }, 'x') }, '400 invalid'],
      [{ ...NAMED_BY_BODY, ...related({}, 'x') }, '400 required'],
      [{ method: 'POST', target: `${UPLOADS}?uploadType=resumable`, body: '{"name":"yours"}' }, '403 forbidden'],
      [
        { method: 'POST', target: `${UPLOADS}?uploadType=resumable`, body: '{"name":"mine/a","name":"yours"}' },
        '400 badRequest',
      ],
    ];
    for (const [ask, answer] of asks) {
      const { status, reason } = await world.send({ ...ask, token });
      expect([ask.target, `${status} ${reason}`]).toEqual([ask.target, answer]);
    }
    expect(world.calls).toEqual([]);
  });

  test('an unknown bucket is as one that the caller may not use', async () => {
    const answers = ['other-bucket', 'no-such-bucket'].map(async (bucket) => {
      const direct = await world.send({ target: `/${bucket}/mine/a`, token });
      const ask = { ...NAMED_BY_BODY, target: NAMED_BY_BODY.target.replace('web-bucket', bucket) };
      return [direct.status, (await world.send({ ...ask, token })).status];
    });
    expect(await Promise.all(answers)).toEqual([
      [403, 403],
      [403, 403],
    ]);
    expect(world.calls).toEqual([]);
  });
});
