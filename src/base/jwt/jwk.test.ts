import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newTestKey } from '../../../test/conformance/signing.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { ISSUER_ALGORITHMS } from './algorithms.ts';
import { importKeySet } from './jwk.ts';

const rsa = newTestKey('RS256', 'rsa').publicJwk;
const ec = newTestKey('ES256', 'ec').publicJwk;
const ed = newTestKey('EdDSA', 'ed').publicJwk;

const without = (jwk: JsonObject, ...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)));

/** The kids of the keys taken, and the problems, of a set of these entries. */
function intake(...entries: JsonValue[]): { kids: (string | undefined)[]; problems: readonly string[] } {
  const set = importKeySet({ keys: entries });
  if (!set.ok) throw new Error(set.error.detail);
  return { kids: set.value.keys.map((key) => key.kid), problems: set.value.problems };
}

describe('intake of a key set', () => {
  it.each(ISSUER_ALGORITHMS)('takes a %s key for that algorithm alone', (algorithm) => {
    const set = importKeySet({ keys: [newTestKey(algorithm, 'k').publicJwk] });
    expect(set).toMatchObject({
      ok: true,
      value: { keys: [{ kid: 'k', algorithm, algorithms: [algorithm], ambiguous: false }], problems: [] },
    });
  });

  it('takes a key without "alg" for the algorithms of its kind and curve', () => {
    const bare = [rsa, ec, ed].map((jwk) => without(jwk, 'alg', 'use', 'kid'));
    const set = importKeySet({ keys: bare });
    expect(set.ok && set.value.keys.map(({ kid, algorithms }) => [kid, algorithms])).toEqual([
      [undefined, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
      [undefined, ['ES256']],
      [undefined, ['EdDSA']],
    ]);
  });

  it.each<[string, JsonValue, RegExp]>([
    ['a string', 'key', /key 2: not a JSON object/],
    ['null', null, /key 2: not a JSON object/],
    ['an unknown type', { kty: 'LWE', kid: 'x' }, /"x": an unknown key type/],
    ['a post-quantum type', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA', kid: 'x' }, /unknown key type/],
    ['no type', without(ec, 'kty'), /unknown key type/],
    ['a curve for another use', { ...ed, crv: 'X25519' }, /unknown key type or curve/],
    ['secp256k1', { ...ec, crv: 'secp256k1', alg: 'ES256K' }, /unknown key type or curve/],
    ['an RSA key with a curve', { ...rsa, crv: 'P-256' }, /unknown key type or curve/],
    ['a shared secret', { kty: 'oct', k: 'A'.repeat(43), alg: 'HS256', kid: 'x' }, /"x": a shared secret/],
    ['a key with a secret beside it', { ...ec, k: 'A'.repeat(43) }, /private member "k"/],
    ['an EC private key', { ...ec, d: ec.x as string }, /private member "d"/],
    ['an RSA key with one prime', { ...rsa, p: 'AQAB' }, /private member "p"/],
    ['an encryption key', { ...ec, use: 'enc' }, /"use"/],
    ['a "use" that is an array', { ...ec, use: ['sig'] }, /"use"/],
    ['a key that signs and does not verify', { ...ec, key_ops: ['sign'] }, /"key_ops"/],
    ['"key_ops" that are a string', { ...ec, key_ops: 'verify' }, /"key_ops"/],
    ['no operation', { ...ec, key_ops: [] }, /"key_ops"/],
    ['a "kid" that is a number', { ...ec, kid: 1 }, /"kid" is not a string/],
    ['an algorithm of another curve', { ...ec, alg: 'ES384' }, /"alg"/],
    ['an algorithm of another family', { ...ec, alg: 'RS256' }, /"alg"/],
    ['a symmetric algorithm on a public key', { ...rsa, alg: 'HS256' }, /"alg"/],
    ['an encryption algorithm', { ...rsa, alg: 'RSA-OAEP' }, /"alg"/],
    ['an algorithm in lower case', { ...ec, alg: 'es256' }, /"alg"/],
    ['an "alg" that is null', { ...ec, alg: null }, /"alg"/],
    ['"alg" none', { ...ec, alg: 'none' }, /"alg"/],
    ['a curve that its coordinates are not on', { ...ec, crv: 'P-384', alg: 'ES384' }, /48 bytes/],
    ['a point that is not on the curve', { ...ec, y: ec.x as string }, /not a valid public key/],
    ['a short coordinate', { ...ec, x: (ec.x as string).slice(0, 40) }, /32 bytes/],
    ['a coordinate with padding', { ...ec, x: `${ec.x as string}=` }, /base64url/],
    ['a missing coordinate', without(ec, 'y'), /base64url/],
    ['a short Ed25519 key', { ...ed, x: 'AAAA' }, /32 bytes/],
    ['an RSA key without modulus', without(rsa, 'n'), /base64url/],
    ['an empty modulus', { ...rsa, n: '' }, /0 bits/],
    ['the exponent 1', { ...rsa, e: 'AQ' }, /exponent/],
    ['the exponent 3', { ...rsa, e: 'Aw' }, /exponent/],
    ['an RSA key of 1024 bits', newTestKey('RS256', 'x', 1024).publicJwk, /"x": an RSA modulus of 1024 bits/],
  ])('leaves out %s, says why, and keeps the good key beside it', (_, bad, problem) => {
    const good = { ...ec, kid: 'good' };
    const { kids, problems } = intake(good, bad);
    expect(kids).toEqual(['good']);
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  it('takes an RSA modulus with the leading zero octet that some libraries write', () => {
    const padded = Buffer.concat([Buffer.from([0]), Buffer.from(rsa.n as string, 'base64url')]).toString('base64url');
    expect(intake({ ...rsa, n: padded })).toEqual({ kids: ['rsa'], problems: [] });
  });

  it('ignores certificates and links in a key, and uses only what it checked', () => {
    const decorated = { ...ec, x5c: ['AAAA'], x5u: 'http://169.254.169.254/', x5t: 'AAAA', ext: 'no', oth: undefined };
    const { oth: _, ...jwk } = decorated;
    expect(intake(jwk)).toEqual({ kids: ['ec'], problems: [] });
  });

  it('marks keys that share a "kid" as ambiguous, even when one of them is not usable', () => {
    const weak = { ...newTestKey('RS256', 'twice', 1024).publicJwk };
    const set = importKeySet({ keys: [{ ...ec, kid: 'twice' }, weak, ed] });
    expect(set.ok && set.value.keys.map(({ kid, ambiguous }) => [kid, ambiguous])).toEqual([
      ['twice', true],
      ['ed', false],
    ]);
    expect(set.ok && set.value.problems.join()).toContain('several keys have this "kid"');
  });

  it('does not mind an encryption key of the same "kid"', () => {
    const set = importKeySet({ keys: [ec, { ...ec, use: 'enc' }] });
    expect(set.ok && set.value.keys.map(({ ambiguous }) => ambiguous)).toEqual([false]);
  });

  it('takes 100 keys and refuses the set of 101', () => {
    const keys = Array.from({ length: 101 }, (_, index) => ({ ...ec, kid: `k${index}` }));
    expect(intake(...keys.slice(1)).kids).toHaveLength(100);
    expect(importKeySet({ keys })).toMatchObject({ ok: false, error: { reason: 'key_unusable' } });
  });

  it.each<[string, JsonValue]>([
    ['an array', [ec]],
    ['null', null],
    ['an object without keys', {}],
    ['keys that are an object', { keys: ec }],
    ['a single key', ec],
  ])('refuses %s as a set', (_, jwks) => {
    expect(importKeySet(jwks)).toMatchObject({ ok: false, error: { reason: 'key_unusable' } });
  });

  it('gives an empty set for an empty set', () => {
    expect(intake()).toEqual({ kids: [], problems: [] });
  });

  it('repeats no private member and no control character in a problem', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = JSON.parse(JSON.stringify(privateKey.export({ format: 'jwk' }))) as JsonObject;
    const { problems } = intake({ ...jwk, kid: 'a\n\u001b[31m' });
    expect(problems.join()).not.toContain(jwk.d);
    expect(problems.join()).toMatch(/^[\x20-\x7e]*$/);
  });
});

describe('a set of shared secrets, asked for by name', () => {
  const oct = (bytes: number, alg?: string): JsonObject => ({
    kty: 'oct',
    kid: `${bytes}`,
    k: Buffer.alloc(bytes, 7).toString('base64url'),
    ...(alg === undefined ? {} : { alg }),
  });
  const kids = (...entries: JsonValue[]) => {
    const set = importKeySet({ keys: entries }, { symmetric: true });
    return set.ok ? set.value.keys.map((key) => key.kid) : set.error.reason;
  };

  it('takes secrets at least as long as the hash', () => {
    expect(kids(oct(32, 'HS256'), oct(31, 'HS256'), oct(48, 'HS384'), oct(47, 'HS384'), oct(64, 'HS512'))).toEqual([
      '32',
      '48',
      '64',
    ]);
  });

  it('leaves out secrets that name no HMAC algorithm', () => {
    expect(kids(oct(64), oct(65, 'A256GCM'), oct(66, 'none'))).toEqual([]);
  });

  it('refuses a set with any other key in it', () => {
    expect(kids(oct(32, 'HS256'), ec)).toBe('key_unusable');
    expect(kids(oct(32, 'HS256'), 'x')).toBe('key_unusable');
  });
});
