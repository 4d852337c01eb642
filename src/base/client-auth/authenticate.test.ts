import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import { JobpassError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { Secret } from '../core/secret.ts';
import type { HttpRequest } from '../ports/http.ts';
import { ClientRegistry } from './authenticate.ts';
import type { Client } from './client.ts';
import { hashClientSecret, newClientSecret } from './secret.ts';

const URL = 'https://sts.example.com';
const NOW = 1_790_000_000;
const random = { bytes: (length: number) => Uint8Array.from(randomBytes(length)) };
const [first, second, third] = [newClientSecret(random), newClientSecret(random), newClientSecret(random)];

const privateKey = generateKeyPairSync('ed25519').privateKey;
const client = (name: string, entry: Partial<Client<string>> = {}): Client<string> => ({
  name,
  secretHashes: [],
  jwks: null,
  expiresAt: null,
  may: `grant of ${name}`,
  ...entry,
});

const CLIENTS = [
  client('ci', { secretHashes: [hashClientSecret(first), hashClientSecret(second)] }),
  client('old', { secretHashes: [hashClientSecret(first)], expiresAt: NOW }),
  client('a:b c+é', { secretHashes: [hashClientSecret(new Secret('p%:w'))] }),
  client('nothing'),
];

let clock: FrozenClock;
let registry: ClientRegistry<string>;
beforeEach(() => {
  clock = new FrozenClock(NOW);
  registry = new ClientRegistry({ clients: CLIENTS, audience: URL, clock });
});

const request = (authorization?: string): HttpRequest => ({
  method: 'POST',
  params: {},
  query: '',
  headers: authorization === undefined ? {} : { authorization },
  body: new Uint8Array(),
  remoteAddress: '127.0.0.1',
  signal: new AbortController().signal,
});

/** The client's grant, or the reason of the refusal. */
async function outcome(authorization?: string, form?: Record<string, string>): Promise<string> {
  const entries = form === undefined ? undefined : new Map(Object.entries(form));
  const result = await registry.authenticate(request(authorization), entries);
  return result.ok ? result.value.may : result.error.reason;
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const basic = (name: string, secret: string): string =>
  `Basic ${base64(`${encodeURIComponent(name)}:${encodeURIComponent(secret)}`)}`;

describe('client_secret_basic', () => {
  it('takes either of two secrets, with and without a form', async () => {
    expect(await outcome(basic('ci', first.reveal()))).toBe('grant of ci');
    expect(await outcome(basic('ci', second.reveal()), { grant_type: 'x' })).toBe('grant of ci');
    expect(await outcome(basic('ci', first.reveal()), { client_id: 'ci' })).toBe('grant of ci');
  });

  it('reads both parts as form-encoded', async () => {
    expect(await outcome(basic('a:b c+é', 'p%:w'))).toBe('grant of a:b c+é');
    expect(await outcome(`basic ${base64('a%3Ab+c%2B%C3%A9:p%25%3aw')}`)).toBe('grant of a:b c+é');
  });

  it('refuses a wrong secret, another client’s, and an unknown client', async () => {
    expect(await outcome(basic('ci', third.reveal()))).toBe('client_unknown');
    expect(await outcome(basic('ci', `${first.reveal()}x`))).toBe('client_unknown');
    expect(await outcome(basic('CI', first.reveal()))).toBe('client_unknown');
    expect(await outcome(basic('old', second.reveal()))).toBe('client_unknown');
    expect(await outcome(basic('__proto__', first.reveal()))).toBe('client_unknown');
  });

  it('lets nobody in by a client without secrets', async () => {
    for (const secret of ['', ' ', '0', hashClientSecret(first), '\0'.repeat(32)]) {
      expect(await outcome(basic('nothing', secret))).toBe('client_unknown');
    }
  });

  it('says that an entry has expired only to who knows the secret', async () => {
    expect(await outcome(basic('old', first.reveal()))).toBe('client_expired');
    expect(await outcome(basic('old', third.reveal()))).toBe('client_unknown');
  });

  it('takes an entry until the second of its expiry', async () => {
    const until = client('until', { secretHashes: [hashClientSecret(first)], expiresAt: NOW + 1 });
    registry = new ClientRegistry({ clients: [until], audience: URL, clock });
    expect(await outcome(basic('until', first.reveal()))).toBe('grant of until');
    clock.advance(1);
    expect(await outcome(basic('until', first.reveal()))).toBe('client_expired');
  });

  const credentials = `ci:${first.reveal()}`;
  it.each([
    ['no credentials', 'Basic '],
    ['two spaces', `Basic  ${base64(credentials)}`],
    ['something after them', `Basic ${base64(credentials)} x`],
    ['an unknown scheme', `Digest ${base64(credentials)}`],
    ['no scheme', base64(credentials)],
    ['no colon', `Basic ${base64('ci')}`],
    ['no name', `Basic ${base64(`:${first.reveal()}`)}`],
    ['no secret', `Basic ${base64('ci:')}`],
    ['base64url instead of base64', `Basic ${Buffer.from(`ci:${'?'.repeat(6)}ÿÿ`).toString('base64url')}`],
    ['missing padding', `Basic ${base64(`${credentials}x`).replace(/=+$/, '')}!`],
    ['a bit too many', `Basic ${base64('ci:x').replace(/.$/, 'B')}`],
    ['a stray percent sign', `Basic ${base64('ci:%zz')}`],
    ['broken UTF-8', `Basic ${Buffer.from([0x63, 0x3a, 0xff]).toString('base64')}`],
    ['broken percent-encoded UTF-8', `Basic ${base64('ci:%ff')}`],
    ['a control character', `Basic ${base64(`ci:${first.reveal()}%0A`)}`],
    ['too much', `Basic ${base64(`ci:${'x'.repeat(4000)}`)}`],
  ])('refuses %s', async (_, authorization) => {
    expect(await outcome(authorization)).toBe('client_unknown');
  });
});

describe('client_secret_post', () => {
  it('takes client_id and client_secret of the form', async () => {
    expect(await outcome(undefined, { client_id: 'ci', client_secret: second.reveal() })).toBe('grant of ci');
  });

  it('refuses a wrong or missing part', async () => {
    expect(await outcome(undefined, { client_id: 'ci', client_secret: third.reveal() })).toBe('client_unknown');
    expect(await outcome(undefined, { client_id: 'ci' })).toBe('client_unknown');
    expect(await outcome(undefined, { client_secret: first.reveal() })).toBe('client_unknown');
    expect(await outcome(undefined, { client_id: 'ci', client_secret: '' })).toBe('client_unknown');
  });
});

describe('exactly one method', () => {
  it('refuses none', async () => {
    expect(await outcome()).toBe('client_unknown');
    expect(await outcome(undefined, { grant_type: 'x' })).toBe('client_unknown');
  });

  it('refuses two, even when both are right', async () => {
    const good = { client_id: 'ci', client_secret: first.reveal() };
    expect(await outcome(basic('ci', first.reveal()), good)).toBe('client_unknown');
    expect(await outcome('Basic !', good)).toBe('client_unknown');
  });

  it('refuses Basic beside the client_id of another client', async () => {
    expect(await outcome(basic('ci', first.reveal()), { client_id: 'gw' })).toBe('client_unknown');
  });
});

describe('configuration', () => {
  const codeOf = (...clients: Client<string>[]): string => {
    try {
      new ClientRegistry({ clients, audience: URL, clock });
      return 'none';
    } catch (error) {
      return error instanceof JobpassError ? error.code : 'other';
    }
  };
  const hash = hashClientSecret(first);

  it.each([
    ['two clients of one name', [client('a'), client('a')]],
    ['no name', [client('')]],
    ['three secrets', [client('a', { secretHashes: [hash, hash, hash] })]],
    ['a hash that is none', [client('a', { secretHashes: [first.reveal()] })]],
    ['a hash in upper case', [client('a', { secretHashes: [hash.toUpperCase()] })]],
    ['a private key', [client('a', { jwks: { keys: [privateKey.export({ format: 'jwk' }) as JsonObject] } })]],
    ['a JWKS without keys', [client('a', { jwks: {} })]],
  ])('with %s is refused', (_, clients) => {
    expect(codeOf(...clients)).toBe('ERR_CLIENT_INVALID');
    expect(codeOf(...CLIENTS)).toBe('none');
  });
});

describe('new secrets', () => {
  it('have a prefix that scanners find, 256 bits, and are never alike', () => {
    expect(first.reveal()).toMatch(/^jps_[\w-]{43}$/);
    expect(first.reveal()).not.toBe(second.reveal());
    expect(String(first)).toBe('[secret]');
  });

  it('are kept as SHA-256 in hex', () => {
    expect(hashClientSecret(new Secret('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});
