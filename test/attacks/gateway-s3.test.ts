// What the S3 front refuses: the exact code for the caller, the reason in the log, and not one call to the store.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { awsAccessKeyId, awsSecretKey } from '../../src/base/credential/aws-session.ts';
import { formatAmzDate } from '../../src/base/sigv4/amz-date.ts';
import { exchangeBytes, until } from '../fakes/guarded-resource.ts';
import { type S3Ask, type S3Keys, type S3Reply, type SignedAsk, sendSigned, signAsk } from '../fakes/s3-caller.ts';
import { type S3World, startS3World } from '../fakes/s3-world.ts';
import { makeSigningKey } from '../fakes/signing-key.ts';
import { GROUP_KEY } from '../fakes/store-world.ts';

let world: S3World;
let keys: S3Keys;

beforeAll(async () => {
  world = await startS3World();
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
  keys = await world.keys();
  world.calls.length = 0;
  world.log.lines.length = 0;
});

const now = () => world.clock.nowSeconds();
const GET = { target: '/web-bucket/a' } as const;
const PUT = { target: '/web-bucket/a', method: 'PUT', body: 'hello' } as const;

/** A good request, for a test to spoil. */
const good = (ask: Omit<S3Ask, 'keys'> = GET): SignedAsk => signAsk(world.url, { at: now(), keys, ...ask });

const send = (ask: Omit<S3Ask, 'keys'> & { keys?: S3Keys }) => world.send({ keys, ...ask });

/** What the caller reads, what the operator reads, and what the store heard. */
const seen = (reply: S3Reply) => ({
  answer: `${reply.status} ${reply.code}`,
  reason: world.log.lines.at(-1)?.fields.reason,
  calls: world.calls.length,
});

const refused = (answer: string, reason: string) => ({ answer, reason, calls: 0 });

/** Nothing of a credential may stand in the log or in an answer. */
const expectNoSecret = (...texts: string[]) => {
  for (const text of [...texts, JSON.stringify(world.log.lines)]) {
    expect(text).not.toContain(keys.secret);
    expect(text).not.toContain(keys.sessionToken.split('.')[2]);
  }
};

test('a good request is taken, so that the refusals below mean something', async () => {
  const put = await sendSigned(world.url, good(PUT));
  expect([put.status, world.calls]).toEqual([200, ['put']]);
  expect((await sendSigned(world.url, good())).text).toBe('hello');
});

describe('a request that was changed after it was signed is refused', () => {
  test.each<[string, (signed: SignedAsk) => void, string, string]>([
    [
      'its method',
      (s) => {
        s.method = 'DELETE';
      },
      '403 SignatureDoesNotMatch',
      'signature_invalid',
    ],
    [
      'its path',
      (s) => {
        s.target = '/web-bucket/b';
      },
      '403 SignatureDoesNotMatch',
      'signature_invalid',
    ],
    [
      'its query',
      (s) => {
        s.target += '?response-expires=0';
      },
      '403 SignatureDoesNotMatch',
      'signature_invalid',
    ],
    [
      'its host',
      (s) => {
        s.headers.host = 'evil.example';
      },
      '403 SignatureDoesNotMatch',
      'signature_invalid',
    ],
    [
      'its date',
      (s) => {
        s.headers['x-amz-date'] = formatAmzDate(now() - 1);
      },
      '403 SignatureDoesNotMatch',
      'signature_invalid',
    ],
    [
      'its content hash',
      (s) => {
        s.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      },
      '403 SignatureDoesNotMatch',
      'signature_invalid',
    ],
    [
      'its signature',
      (s) => {
        s.headers.authorization = flip(s.headers.authorization, -1);
      },
      '403 SignatureDoesNotMatch',
      'signature_invalid',
    ],
    [
      'a byte behind its signature',
      (s) => {
        s.headers.authorization += '0';
      },
      '403 SignatureDoesNotMatch',
      'signature_invalid',
    ],
    [
      'an unsigned x-amz-* header added',
      (s) => {
        s.headers['x-amz-meta-x'] = 'y';
      },
      '403 AccessDenied',
      'signature_malformed',
    ],
    [
      'its token',
      (s) => {
        s.headers['x-amz-security-token'] = flip(s.headers['x-amz-security-token'], -20);
      },
      '400 InvalidToken',
      'signature_invalid',
    ],
    [
      'its token taken away',
      (s) => {
        delete s.headers['x-amz-security-token'];
      },
      '403 SignatureDoesNotMatch',
      'signature_invalid',
    ],
    [
      'its access key id',
      (s) => {
        s.headers.authorization = s.headers.authorization?.replace(/ASIA\w{16}/, awsAccessKeyId('S-other')) ?? '';
      },
      '400 InvalidToken',
      'signature_invalid',
    ],
    [
      'a second signature in the query',
      (s) => {
        s.target += `?X-Amz-Signature=${'0'.repeat(64)}`;
      },
      '400 InvalidArgument',
      'signature_malformed',
    ],
  ])('%s', async (_what, spoil, answer, reason) => {
    const signed = good();
    spoil(signed);
    const reply = await sendSigned(world.url, signed);
    expect(seen(reply)).toEqual(refused(answer, reason));
    expectNoSecret(reply.text);
  });
});

/** Another character at one place. */
function flip(text = '', at: number): string {
  const place = text.length + at;
  return `${text.slice(0, place)}${text[place] === '1' ? '0' : '1'}${text.slice(place + 1)}`;
}

describe('a request is refused', () => {
  test('without a signature', async () => {
    expect(seen(await sendSigned(world.url, { ...good(), headers: { host: 'x' } }))).toEqual(
      refused('403 AccessDenied', 'credential_missing'),
    );
  });

  test.each([
    ['16 minutes ago', -960],
    ['in 16 minutes', 960],
  ])('when it was signed %s, and its answer tells the time to sign by', async (_when, offset) => {
    const reply = await send({ ...GET, at: now() + offset });
    expect(seen(reply)).toEqual(refused('403 RequestTimeTooSkewed', 'clock_skewed'));
    expect(Math.abs(Date.parse(reply.headers.date ?? '') / 1000 - now())).toBeLessThanOrEqual(1);
  });

  test('for another region, and its answer tells which one is wanted', async () => {
    const reply = await send({ ...GET, region: 'us-east-1' });
    expect(seen(reply)).toEqual(refused('400 AuthorizationHeaderMalformed', 'signature_malformed'));
    expect(reply.text).toContain('<Region>eu-test-1</Region>');
  });

  test('with the key of one session and the token of another', async () => {
    const other = await world.keys({ sessionId: 'S-other' });
    expect(seen(await send({ ...GET, keys: { ...keys, sessionToken: other.sessionToken } }))).toEqual(
      refused('400 InvalidToken', 'signature_invalid'),
    );
    expect(seen(await send({ ...GET, keys: { ...other, secret: keys.secret } }))).toEqual(
      refused('403 SignatureDoesNotMatch', 'signature_invalid'),
    );
  });

  test('with a secret that the group key of another group would give', async () => {
    const secret = awsSecretKey(new Uint8Array(32), 'S0000000000AB').reveal();
    expect(seen(await send({ ...GET, keys: { ...keys, secret } }))).toEqual(
      refused('403 SignatureDoesNotMatch', 'signature_invalid'),
    );
    expect(GROUP_KEY.length).toBe(32);
  });

  test.each([
    ['of another group', { group: 'other' }, '400 InvalidToken', 'group_mismatch'],
    ['of another STS', { issuer: 'https://other.example' }, '400 InvalidToken', 'issuer_unknown'],
    ['that is past its expiry', { expiresAt: 1000, issuedAt: 900 }, '400 ExpiredToken', 'session_expired'],
    ['of a role that is not in the active set', { role: 'main/other' }, '403 AccessDenied', 'role_unknown'],
  ])('with the token of a session %s', async (_what, over, answer, reason) => {
    expect(seen(await send({ ...PUT, keys: await world.keys(over) }))).toEqual(refused(answer, reason));
  });

  test('with a token that somebody else signed', async () => {
    const { key } = world.sts;
    world.sts.key = makeSigningKey();
    const forged = await world.keys();
    world.sts.key = key;
    expect(seen(await send({ ...PUT, keys: forged }))).toEqual(refused('400 InvalidToken', 'key_unknown'));
  });

  test('with an access token in place of a session token', async () => {
    const sessionToken = await world.sts.token();
    expect(seen(await send({ ...PUT, keys: { ...keys, sessionToken } }))).toEqual(
      refused('400 InvalidToken', 'token_type_refused'),
    );
  });

  test.each([
    ['Version 2 in the query', `/web-bucket/a?AWSAccessKeyId=AKIA&Signature=x&Expires=9999999999`, {}],
    ['Version 2 in the header', '/web-bucket/a', { authorization: 'AWS AKIA:frJIUN8DYpKDtOLCwo//yllqDzg=' }],
  ])('signed by Signature %s, with the word that sets it right', async (_what, target, headers) => {
    const reply = await sendSigned(world.url, { ...good(), target, headers: { host: 'x', ...headers } });
    expect(seen(reply)).toEqual(refused('400 InvalidRequest', 'algorithm_refused'));
    expect(reply.text).toContain('signature_version=s3v4');
  });

  test('signed by SigV4A', async () => {
    const signed = good();
    signed.headers.authorization = signed.headers.authorization?.replace('AWS4-HMAC', 'AWS4-ECDSA-P256') ?? '';
    expect(seen(await sendSigned(world.url, signed))).toEqual(refused('400 InvalidRequest', 'algorithm_refused'));
  });

  test('as a form (presigned POST), clearly', async () => {
    const headers = { host: 'x', 'content-type': 'multipart/form-data; boundary=x' };
    const reply = await sendSigned(world.url, {
      method: 'POST',
      target: '/web-bucket',
      headers,
      body: Buffer.from('x'),
    });
    expect(seen(reply)).toEqual(refused('501 NotImplemented', 'operation_unsupported'));
    expect(reply.text).toContain('presigned POST');
  });

  test.each([
    ['an ACL', { method: 'GET', target: '/web-bucket/a?acl' }],
    ['tags', { method: 'PUT', target: '/web-bucket/a?tagging', body: 'x' }],
    ['a new bucket', { method: 'PUT', target: '/new-bucket' }],
    ['the end of a bucket', { method: 'DELETE', target: '/web-bucket' }],
    ['encryption', { ...PUT, headers: { 'x-amz-server-side-encryption': 'AES256' } }],
    ['a lock', { ...PUT, headers: { 'x-amz-object-lock-mode': 'GOVERNANCE' } }],
    ['a redirect', { ...PUT, headers: { 'x-amz-website-redirect-location': '/' } }],
  ])('when it asks for %s', async (_what, ask) => {
    expect(seen(await send(ask))).toEqual(refused('501 NotImplemented', 'operation_unsupported'));
  });

  test.each([
    ['read', { target: '/unknown-bucket/a' }],
    ['written', { ...PUT, target: '/unknown-bucket/a' }],
    ['copied from', { ...PUT, body: '', headers: { 'x-amz-copy-source': '/unknown-bucket/a' } }],
  ])('when a bucket that is not configured is %s', async (_what, ask) => {
    expect(seen(await send(ask))).toEqual(refused('404 NoSuchBucket', 'bucket_unknown'));
  });

  test('a list of keys to delete does not tell which buckets there are', async () => {
    await world.grant([{ effect: 'allow', actions: ['s3:*'], resources: ['arn:aws:s3:::web-bucket/*'] }]);
    const body = '<Delete><Object><Key>a</Key></Object></Delete>';
    const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
    const ask = (bucket: string) => send({ method: 'POST', target: `/${bucket}?delete`, body, headers });
    const [there, nowhere] = [await ask('other-bucket'), await ask('unknown-bucket')];
    expect([there.status, there.text]).toEqual([200, nowhere.text]);
    expect([nowhere.status, nowhere.code, world.calls]).toEqual([200, 'AccessDenied', []]);
    await world.grant([{ effect: 'allow', actions: ['s3:*'], resources: ['arn:aws:s3:::*'] }]);
  });

  test.each(['http://169.254.169.254/latest', '//evil.example/web-bucket/a', '*', 'web-bucket/a'])(
    'when its target is %s',
    async (target) => {
      const { text } = await exchangeBytes(
        world.port,
        `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      expect(text).toMatch(/^HTTP\/1\.1 40[03] /);
      expect(world.calls).toEqual([]);
    },
  );

  test('when its head can be read in two ways', async () => {
    const head =
      'PUT /web-bucket/a HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n';
    const { text } = await exchangeBytes(world.port, head);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(world.calls).toEqual([]);
  });
});

describe('a body is refused before anything is stored', () => {
  const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

  test.each<[string, Omit<S3Ask, 'keys'>, string]>([
    [
      'that has another hash than was signed',
      { ...PUT, payloadHash: hashOf('other') },
      '400 XAmzContentSHA256Mismatch',
    ],
    ['that has another MD5', { ...PUT, headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' } }, '400 BadDigest'],
    ['that has another checksum', { ...PUT, headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }, '400 BadDigest'],
  ])('%s', async (_what, ask, answer) => {
    const reply = await send(ask);
    expect({ ...seen(reply), calls: world.calls }).toEqual({ ...refused(answer, 'payload_mismatch'), calls: ['put'] });
    // What stood there before still does.
    expect((await send(GET)).text).toBe('hello');
  });

  test.each<[string, Omit<S3Ask, 'keys'>, string]>([
    ['that nobody said the hash of', { ...PUT, payloadHash: 'sometimes' }, '400 InvalidArgument'],
    ['for an operation without one', { ...GET, body: 'x' }, '400 UnexpectedContent'],
    [
      'that did not come though its hash was signed',
      { ...GET, payloadHash: hashOf('x') },
      '400 XAmzContentSHA256Mismatch',
    ],
    [
      'that is signed by SigV4A',
      { ...PUT, payloadHash: 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' },
      '501 NotImplemented',
    ],
  ])('%s, and the store is not asked', async (_what, ask, answer) => {
    expect(seen(await send(ask))).toEqual(refused(answer, 'payload_mismatch'));
  });

  test('whose chunk signature is wrong', async () => {
    const body = `5;chunk-signature=${'0'.repeat(64)}\r\nhello\r\n0;chunk-signature=${'0'.repeat(64)}\r\n\r\n`;
    const payloadHash = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
    const headers = { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': '5' };
    const reply = await send({ ...PUT, target: '/web-bucket/chunked', body, payloadHash, headers });
    expect(seen(reply)).toMatchObject({ answer: '403 SignatureDoesNotMatch', reason: 'payload_mismatch' });
    expect((await send({ target: '/web-bucket/chunked' })).code).toBe('NoSuchKey');
  });
});
