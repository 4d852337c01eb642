import { generateKeyPairSync } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { FrozenClock } from '../../../test/fakes/frozen-clock.ts';
import type { JsonObject } from '../core/json.ts';
import { Secret } from '../core/secret.ts';
import type { HttpRequest } from '../ports/http.ts';
import { MAX_ASSERTION_SECONDS } from './assertion.ts';
import { ClientRegistry } from './authenticate.ts';
import type { Client } from './client.ts';
import { ASSERTION_TYPE } from './presented.ts';
import { hashClientSecret } from './secret.ts';

const URL = 'https://sts.example.com';
const NOW = 1_790_000_000;
const first = new Secret('jps_first');

const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwkOf = (algorithm: keyof typeof pairs): JsonObject => ({
  ...(pairs[algorithm].publicKey.export({ format: 'jwk' }) as JsonObject),
  kid: algorithm,
});

const client = (name: string, entry: Partial<Client<string>>): Client<string> => ({
  name,
  secretHashes: [],
  jwks: null,
  expiresAt: null,
  may: `grant of ${name}`,
  ...entry,
});

const CLIENTS = [
  client('ci', { secretHashes: [hashClientSecret(first)] }),
  client('gw', { jwks: { keys: [jwkOf('RS256'), jwkOf('ES256'), jwkOf('EdDSA')] } }),
  client('oldgw', { jwks: { keys: [jwkOf('ES256')] }, expiresAt: NOW - 1 }),
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

interface AssertionParts {
  readonly claims?: JWTPayload;
  readonly without?: string;
  readonly algorithm?: keyof typeof pairs;
  readonly header?: { readonly typ?: string; readonly kid?: string };
  readonly key?: Parameters<SignJWT['sign']>[0];
}

let serial = 0;
function assertion(parts: AssertionParts = {}): Promise<string> {
  const { algorithm = 'ES256' } = parts;
  serial += 1;
  const claims: JWTPayload = { iss: 'gw', sub: 'gw', aud: URL, exp: NOW + 60, jti: `j${serial}`, ...parts.claims };
  if (parts.without !== undefined) delete claims[parts.without];
  return new SignJWT(claims)
    .setProtectedHeader({ alg: algorithm, kid: algorithm, ...parts.header })
    .sign(parts.key ?? pairs[algorithm].privateKey);
}

const posted = (text: string, more: Record<string, string> = {}): Promise<string> =>
  outcome(undefined, { client_assertion_type: ASSERTION_TYPE, client_assertion: text, ...more });

describe('private_key_jwt', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)(
    'takes an assertion by %s in the form and as a bearer',
    async (algorithm) => {
      expect(await posted(await assertion({ algorithm }))).toBe('grant of gw');
      expect(await posted(await assertion({ algorithm }), { client_id: 'gw' })).toBe('grant of gw');
      expect(await outcome(`Bearer ${await assertion({ algorithm })}`)).toBe('grant of gw');
    },
  );

  it('takes the types JWT and client-authentication+jwt, and no other', async () => {
    expect(await posted(await assertion({ header: { typ: 'JWT' } }))).toBe('grant of gw');
    expect(await posted(await assertion({ header: { typ: 'client-authentication+jwt' } }))).toBe('grant of gw');
    for (const typ of ['at+jwt', 'secevent+jwt', 'jobpass-feed+jwt']) {
      expect(await posted(await assertion({ header: { typ } }))).toBe('client_unknown');
    }
  });

  it('takes an assertion once', async () => {
    const text = await assertion();
    expect(await posted(text)).toBe('grant of gw');
    expect(await posted(text)).toBe('client_unknown');
    expect(await outcome(`Bearer ${text}`)).toBe('client_unknown');
    clock.advance(89);
    expect(await posted(text)).toBe('client_unknown');
  });

  it('does not count a refused assertion as used', async () => {
    const claims = { jti: 'same' };
    expect(await posted(await assertion({ claims, key: stranger.privateKey }))).toBe('client_unknown');
    expect(await posted(await assertion({ claims: { ...claims, aud: 'https://other.example.com' } }))).toBe(
      'client_unknown',
    );
    expect(await posted(await assertion({ claims }))).toBe('grant of gw');
  });

  it.each(['iss', 'sub', 'aud', 'exp', 'jti'])('refuses an assertion without %s', async (without) => {
    expect(await posted(await assertion({ without }))).toBe('client_unknown');
  });

  it('lives five minutes at most and ends with its expiry, 30 s of skew apart', async () => {
    expect(await posted(await assertion({ claims: { exp: NOW + MAX_ASSERTION_SECONDS } }))).toBe('grant of gw');
    expect(await posted(await assertion({ claims: { exp: NOW + MAX_ASSERTION_SECONDS + 1 } }))).toBe('client_unknown');
    expect(await posted(await assertion({ claims: { exp: NOW - 29 } }))).toBe('grant of gw');
    expect(await posted(await assertion({ claims: { exp: NOW - 30 } }))).toBe('client_unknown');
  });

  const refused: [string, JWTPayload][] = [
    ['sub is another client', { sub: 'ci' }],
    ['iss is another client', { iss: 'ci' }],
    ['it names an unknown client', { iss: 'nobody', sub: 'nobody' }],
    ['it names a client without keys', { iss: 'ci', sub: 'ci' }],
    ['its audience is a path of the server', { aud: `${URL}/token` }],
    ['its audience has a slash more', { aud: `${URL}/` }],
    ['it names a second audience', { aud: [URL, 'https://other.example.com'] }],
    ['its audience is empty', { aud: [] }],
    ['it starts in the future', { nbf: NOW + 31 }],
    ['it was made in the future', { iat: NOW + 31 }],
    ['its jti is empty', { jti: '' }],
    ['its jti is too long', { jti: 'x'.repeat(256) }],
  ];
  it.each(refused)('refuses an assertion when %s', async (_, claims) => {
    expect(await posted(await assertion({ claims }))).toBe('client_unknown');
  });

  it('takes one audience in an array, and times within the skew', async () => {
    expect(await posted(await assertion({ claims: { aud: [URL], nbf: NOW + 30, iat: NOW + 30 } }))).toBe('grant of gw');
  });

  it('refuses another key, an unknown kid, and other algorithms', async () => {
    expect(await posted(await assertion({ key: stranger.privateKey }))).toBe('client_unknown');
    expect(await posted(await assertion({ header: { kid: 'other' } }))).toBe('client_unknown');
    const claims = { iss: 'gw', sub: 'gw', aud: URL, exp: NOW + 60, jti: 'alg' };
    const ps256 = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'PS256', kid: 'RS256' })
      .sign(pairs.RS256.privateKey);
    expect(await posted(ps256)).toBe('client_unknown');
    const secret = Buffer.from(first.reveal());
    expect(await posted(await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret))).toBe(
      'client_unknown',
    );
    for (const text of ['', 'a.b.c', 'x'.repeat(20_000)]) expect(await posted(text)).toBe('client_unknown');
  });

  it('refuses the assertion of an expired entry', async () => {
    expect(await posted(await assertion({ claims: { iss: 'oldgw', sub: 'oldgw' } }))).toBe('client_expired');
  });

  it('refuses another assertion type, and one without an assertion', async () => {
    expect(await posted(await assertion(), { client_assertion_type: 'x' })).toBe('client_unknown');
    expect(await outcome(undefined, { client_assertion: await assertion() })).toBe('client_unknown');
    expect(await outcome(undefined, { client_assertion_type: ASSERTION_TYPE })).toBe('client_unknown');
    expect(await posted(await assertion(), { client_id: 'ci' })).toBe('client_unknown');
  });

  it('takes no bearer on form routes, and no bearer that is a secret', async () => {
    expect(await outcome(`Bearer ${await assertion()}`, {})).toBe('client_unknown');
    expect(await outcome(`Bearer ${first.reveal()}`)).toBe('client_unknown');
  });
});

describe('exactly one method', () => {
  it('refuses a secret beside an assertion, even when both are right', async () => {
    const secret = { client_id: 'ci', client_secret: first.reveal() };
    expect(await outcome(undefined, secret)).toBe('grant of ci');
    expect(await posted(await assertion(), secret)).toBe('client_unknown');
    const basic = `Basic ${Buffer.from(`ci:${first.reveal()}`).toString('base64')}`;
    const form = { client_assertion_type: ASSERTION_TYPE, client_assertion: await assertion() };
    expect(await outcome(basic, form)).toBe('client_unknown');
    expect(await outcome(undefined, form)).toBe('grant of gw');
  });
});
