// What the Blob front refuses: the exact code for the caller, the reason in the log, and not one call to the store.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BlobAsk, type BlobReply, type BlobWorld, startBlobWorld } from '../fakes/blob-world.ts';
import { exchangeBytes, until } from '../fakes/guarded-resource.ts';
import { makeSigningKey } from '../fakes/signing-key.ts';
import { ACCOUNT, EVERYTHING } from '../fakes/store-world.ts';

let world: BlobWorld;

beforeAll(async () => {
  world = await startBlobWorld();
});
afterAll(() => world.close());

/** The log takes so many lines about strangers in a minute; two requests of each test at most. */
const TESTS_A_MINUTE = 10;
let tests = 0;

beforeEach(async () => {
  tests += 1;
  if (tests % TESTS_A_MINUTE === 0) {
    world.clock.push(60_000);
    await until(() => world.gateway.ready());
  }
  world.calls.length = 0;
  world.log.lines.length = 0;
});

const C = '/web-bucket';
const GET = { target: `${C}/a` } as const;
const PUT = { target: `${C}/a`, method: 'PUT', body: 'hello' } as const;

/** What the caller reads, what the operator reads, and what the store heard. */
const seen = (reply: BlobReply) => ({
  answer: `${reply.status} ${reply.code}`,
  reason: world.log.lines.at(-1)?.fields.reason,
  calls: world.calls.length,
});

const refused = (answer: string, reason: string) => ({ answer, reason, calls: 0 });

test('a good request is taken, so that the refusals below mean something', async () => {
  const put = await world.send(PUT);
  expect([put.status, put.headers.etag, world.calls]).toEqual([201, '"5d41402abc4b2a76b9719d911017c592"', ['put']]);
  expect((await world.send(GET)).text).toBe('hello');
});

describe('a credential is refused', () => {
  const spoiled: readonly [string, () => Promise<BlobAsk>, string, string][] = [
    [
      'that is not there',
      async () => ({ ...GET, token: null }),
      '401 NoAuthenticationInformation',
      'credential_missing',
    ],
    ['that is no token', async () => ({ ...GET, token: 'a.b' }), '401 InvalidAuthenticationInfo', 'token_malformed'],
    [
      'of another group',
      async () => ({ ...GET, token: await world.sts.token({ group: 'others' }) }),
      '401 InvalidAuthenticationInfo',
      'group_mismatch',
    ],
    [
      'of another STS',
      async () => ({ ...GET, token: await world.sts.token({ issuer: 'https://other.example.com' }) }),
      '401 InvalidAuthenticationInfo',
      'issuer_unknown',
    ],
    [
      'that has expired',
      async () => {
        const now = world.clock.nowSeconds();
        return { ...GET, token: await world.sts.token({ issuedAt: now - 600, expiresAt: now - 60 }) };
      },
      '401 InvalidAuthenticationInfo',
      'session_expired',
    ],
    [
      'by Shared Key',
      async () => ({ ...GET, token: null, headers: { authorization: `SharedKey ${ACCOUNT}:c2ln` } }),
      '403 KeyBasedAuthenticationNotPermitted',
      'credential_missing',
    ],
    [
      'by Shared Key Lite',
      async () => ({ ...GET, token: null, headers: { authorization: `SharedKeyLite ${ACCOUNT}:c2ln` } }),
      '403 KeyBasedAuthenticationNotPermitted',
      'credential_missing',
    ],
    [
      'by a shared access signature',
      async () => ({ target: `${C}/a?sv=2026-10-06&se=2027-01-01&sr=b&sp=r&sig=c2ln`, token: null }),
      '403 KeyBasedAuthenticationNotPermitted',
      'credential_missing',
    ],
    [
      'by Basic',
      async () => ({ ...GET, token: null, headers: { authorization: 'Basic YTpi' } }),
      '401 NoAuthenticationInformation',
      'credential_missing',
    ],
  ];
  test.each(spoiled)('%s', async (_what, ask, answer, reason) => {
    const reply = await world.send(await ask());
    expect(seen(reply)).toEqual(refused(answer, reason));
  });

  test('that another key signed', async () => {
    const own = world.sts.key;
    world.sts.key = makeSigningKey();
    const token = await world.sts.token();
    world.sts.key = own;
    expect(seen(await world.send({ ...GET, token }))).toEqual(refused('401 InvalidAuthenticationInfo', 'key_unknown'));
  });

  test('that stands twice', async () => {
    const token = await world.sts.token();
    const line = `authorization: Bearer ${token}\r\n`;
    const head = `GET /${ACCOUNT}${C}/a HTTP/1.1\r\nhost: x\r\nx-ms-version: 2026-10-06\r\n${line}${line}connection: close\r\n\r\n`;
    const answer = await exchangeBytes(world.port, head);
    expect(answer.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(world.calls).toEqual([]);
  });

  test('beside a shared access signature, which would widen what the token allows', async () => {
    const reply = await world.send({ target: `${C}/a?sig=c2ln` });
    expect(seen(reply)).toEqual(refused('400 UnsupportedQueryParameter', 'operation_unsupported'));
  });

  test('and a 401 says where tokens come from, in the form that the SDKs read', async () => {
    const reply = await world.send({ ...GET, token: null });
    expect(reply.headers['www-authenticate']).toBe(
      'Bearer authorization_uri=https://sts.example.com/common/oauth2/authorize resource_id=https://storage.azure.com',
    );
  });

  test('and neither answer nor log repeats it', async () => {
    const token = await world.sts.token({ group: 'others' });
    const reply = await world.send({ target: `${C}/a?sig=${'c2ln'.repeat(8)}`, token });
    for (const text of [reply.text, JSON.stringify(world.log.lines)]) {
      expect(text).not.toContain(token.split('.')[2]);
      expect(text).not.toContain('c2lnc2ln');
    }
  });
});

describe('a session is refused', () => {
  test('that has ended with its job', async () => {
    const expiresAt = world.clock.nowSeconds() + 600;
    world.sts.ended.push({ sessionId: 'S0000000000ZZ', expiresAt });
    const polls = world.sts.polls.length;
    await until(() => world.sts.polls.length > polls + 1);
    const token = await world.sts.token({ sessionId: 'S0000000000ZZ' });
    expect(seen(await world.send({ ...GET, token }))).toEqual(
      refused('401 InvalidAuthenticationInfo', 'session_ended'),
    );
  });

  test('while what the gateway knows is not fresh, and is told to come again', async () => {
    world.sts.reachable = false;
    try {
      world.clock.push(11_000);
      const reply = await world.send({ ...GET });
      expect(seen(reply)).toEqual(refused('503 ServerBusy', 'feed_stale'));
      expect(reply.headers['retry-after']).toBe('1');
    } finally {
      world.sts.reachable = true;
      await until(() => world.gateway.ready());
    }
  });
});

describe('what the role does not allow is refused', () => {
  afterAll(() => world.grant([EVERYTHING]));

  const OWN = 'arn:aws:s3:::web-bucket/own/*';
  const id = encodeURIComponent(Buffer.from('id-00000').toString('base64'));
  test.each<[string, BlobAsk]>([
    ['reading', GET],
    ['asking for properties', { ...GET, method: 'HEAD' }],
    ['writing', PUT],
    ['a block', { target: `${C}/a?comp=block&blockid=${id}`, method: 'PUT', body: 'hello' }],
    ['a list of blocks', { target: `${C}/a?comp=blocklist`, method: 'PUT', body: '<BlockList/>' }],
    ['deleting', { ...GET, method: 'DELETE' }],
    ['listing', { target: `${C}?restype=container&comp=list` }],
    ['listing under another prefix', { target: `${C}?restype=container&comp=list&prefix=ow` }],
    ['seeing whether a container exists', { target: `${C}?restype=container` }],
    ['a container that does not exist', { target: '/no-such-one/a' }],
    ['a name that only begins like an allowed one', { target: `${C}/own%2F..%2Fa`.replace('own%2F', 'own') }],
    [
      'to compare before a write, without the right to read',
      { ...PUT, target: `${C}/own/x`, headers: { 'if-match': '"x"' } },
    ],
  ])('%s', async (_what, ask) => {
    await world.grant([
      { effect: 'allow', actions: ['s3:PutObject'], resources: [OWN] },
      {
        effect: 'allow',
        actions: ['s3:ListBucket'],
        resources: ['arn:aws:s3:::web-bucket'],
        conditions: { StringEquals: { 's3:prefix': 'own/' } },
      },
    ]);
    world.calls.length = 0;
    expect(seen(await world.send(ask))).toEqual(refused('403 AuthorizationPermissionMismatch', 'permission_denied'));
  });

  test('and an unknown role is refused with the same answer', async () => {
    const unknown = await world.send({ ...GET, token: await world.sts.token({ role: 'other/role' }) });
    expect(seen(unknown)).toEqual(refused('403 AuthorizationPermissionMismatch', 'role_unknown'));
  });

  test('and what it allows is done, so that the refusals above mean something', async () => {
    expect((await world.send({ ...PUT, target: `${C}/own/x` })).status).toBe(201);
    expect((await world.send({ target: `${C}?restype=container&comp=list&prefix=own%2F` })).status).toBe(200);
  });

  test('who may not list does not learn whether a blob exists', async () => {
    const actions = ['s3:GetObject', 's3:DeleteObject'];
    await world.grant([{ effect: 'allow', actions, resources: ['arn:aws:s3:::web-bucket/*'] }]);
    expect((await world.send({ target: `${C}/none` })).code).toBe('AuthorizationPermissionMismatch');
    expect((await world.send({ target: `${C}/none`, method: 'DELETE' })).status).toBe(202);
  });
});

describe('what is not one of the calls that are served is refused', () => {
  test.each<[string, BlobAsk, string]>([
    ['listing containers', { target: '/?comp=list' }, '501 NotImplemented'],
    ['making a container', { target: `${C}?restype=container`, method: 'PUT' }, '501 NotImplemented'],
    ['deleting a container', { target: `${C}?restype=container`, method: 'DELETE' }, '501 NotImplemented'],
    ['a container’s metadata', { target: `${C}?restype=container&comp=metadata` }, '501 NotImplemented'],
    ['new metadata', { target: `${C}/a?comp=metadata`, method: 'PUT' }, '501 NotImplemented'],
    ['new properties', { target: `${C}/a?comp=properties`, method: 'PUT' }, '501 NotImplemented'],
    ['a lease', { target: `${C}/a?comp=lease`, method: 'PUT' }, '501 NotImplemented'],
    ['a snapshot', { target: `${C}/a?comp=snapshot`, method: 'PUT' }, '501 NotImplemented'],
    ['tags', { target: `${C}/a?comp=tags` }, '501 NotImplemented'],
    ['a list of blocks', { target: `${C}/a?comp=blocklist` }, '501 NotImplemented'],
    ['a query', { target: `${C}/a?comp=query`, method: 'POST' }, '501 NotImplemented'],
    ['a page', { target: `${C}/a?comp=page`, method: 'PUT' }, '501 NotImplemented'],
    ['a method that is none', { target: `${C}/a`, method: 'PATCH' }, '501 NotImplemented'],
    ['a copy', { ...PUT, headers: { 'x-ms-copy-source': 'https://x/y/z' } }, '400 UnsupportedHeader'],
    ['an append blob', { ...PUT, headers: { 'x-ms-blob-type': 'AppendBlob' } }, '400 InvalidHeaderValue'],
    ['a blob of no type', { ...PUT, headers: { 'x-ms-blob-type': null } }, '400 MissingRequiredHeader'],
    ['an access tier', { ...PUT, headers: { 'x-ms-access-tier': 'Cool' } }, '400 UnsupportedHeader'],
    ['a customer’s key', { ...PUT, headers: { 'x-ms-encryption-key': 'x' } }, '400 UnsupportedHeader'],
    ['a legal hold', { ...PUT, headers: { 'x-ms-legal-hold': 'true' } }, '400 UnsupportedHeader'],
    [
      'a structured body',
      { ...PUT, headers: { 'x-ms-structured-body': 'XSM/1.0; properties=crc64' } },
      '400 UnsupportedHeader',
    ],
    ['a version of a blob', { target: `${C}/a?versionid=2026` }, '400 UnsupportedQueryParameter'],
    ['a snapshot of a blob', { target: `${C}/a?snapshot=2026` }, '400 UnsupportedQueryParameter'],
    ['a lease id', { ...GET, headers: { 'x-ms-lease-id': 'x' } }, '400 UnsupportedHeader'],
    ['Range beside x-ms-range', { ...GET, headers: { range: 'bytes=0-1' } }, '400 UnsupportedHeader'],
    ['If-Range', { ...GET, headers: { 'if-range': '"x"' } }, '400 ConditionHeadersNotSupported'],
    ['a condition on tags', { ...GET, headers: { 'x-ms-if-tags': 'a' } }, '400 UnsupportedHeader'],
    [
      'a date as the condition of a write',
      { ...PUT, headers: { 'if-modified-since': 'Mon, 23 Nov 2026 08:00:00 GMT' } },
      '400 ConditionHeadersNotSupported',
    ],
    [
      'If-None-Match with a tag on a write',
      { ...PUT, headers: { 'if-none-match': '"x"' } },
      '400 ConditionHeadersNotSupported',
    ],
    ['another account', { target: 'x/web-bucket/a' }, '400 InvalidUri'],
    ['no version', { ...GET, headers: { 'x-ms-version': null } }, '400 MissingRequiredHeader'],
    ['an older version', { ...GET, headers: { 'x-ms-version': '2020-10-02' } }, '400 InvalidHeaderValue'],
    ['a later version', { ...GET, headers: { 'x-ms-version': '2027-01-01' } }, '400 InvalidHeaderValue'],
    ['a header twice', { ...GET, headers: { 'x-ms-range': ['bytes=0-1', 'bytes=0-9'] } }, '400 InvalidInput'],
    ['a parameter twice', { target: `${C}?restype=container&comp=list&prefix=a&prefix=b` }, '400 InvalidInput'],
    [
      'a parameter in two spellings',
      { target: `${C}?restype=container&comp=list&prefix=a&Prefix=b` },
      '400 UnsupportedQueryParameter',
    ],
  ])('%s', async (_what, ask, answer) => {
    const reply = await world.send(ask);
    expect(seen(reply)).toEqual(refused(answer, 'operation_unsupported'));
  });

  test.each([
    '/web-bucket/%zz',
    '/web-bucket/%c3%28',
    '/web-bucket/a%00b',
    '/web-bucket/',
    '/web-bucket?x=+',
    '/web-bucket/a?x=%zz',
  ])('a target that cannot be read in one way: %s', async (target) => {
    expect(seen(await world.send({ target }))).toEqual(refused('400 InvalidUri', 'operation_unsupported'));
  });

  test('a container that is not configured, for who may do everything', async () => {
    expect(seen(await world.send({ target: '/third-bucket/a' }))).toEqual(
      refused('404 ContainerNotFound', 'bucket_unknown'),
    );
  });

  test('a body where none belongs', async () => {
    const reply = await world.send({ ...GET, body: 'x', headers: { 'content-length': '1' } });
    expect(seen(reply)).toEqual(refused('400 InvalidInput', 'payload_mismatch'));
  });

  test('a body of unknown length', async () => {
    const reply = await world.send({ ...PUT, headers: { 'content-length': null, 'transfer-encoding': 'chunked' } });
    expect(seen(reply)).toEqual(refused('411 MissingContentLengthHeader', 'payload_mismatch'));
  });

  test('a body beyond Azure’s bound, of which nothing is read', async () => {
    const reply = await world.send({
      ...PUT,
      body: '',
      headers: { 'content-length': String(5001 * 1024 ** 2), expect: '100-continue' },
    });
    expect(seen(reply)).toEqual(refused('413 RequestBodyTooLarge', 'payload_mismatch'));
  });
});
