import { describe, expect, it, vi } from 'vitest';
import { newTestKey, parsedToken, signCompact, type TestKey, tokenOf } from '../../../test/conformance/signing.ts';
import type { JsonObject } from '../core/json.ts';
import { ISSUER_ALGORITHMS } from './algorithms.ts';
import { importKeySet, type VerificationKey } from './jwk.ts';
import { verifyJws } from './verify.ts';

const keysOf = (...jwks: JsonObject[]): readonly VerificationKey[] => {
  const set = importKeySet({ keys: jwks });
  if (!set.ok) throw new Error(set.error.detail);
  return set.value.keys;
};

/** The outcome as `ok` or the reason; every algorithm is allowed unless told otherwise. */
async function verify(
  token: string,
  keys: readonly VerificationKey[],
  algorithms = ISSUER_ALGORITHMS,
): Promise<string> {
  const verified = await verifyJws(parsedToken(token), keys, { algorithms });
  return verified.ok ? 'ok' : verified.error.reason;
}

const es: TestKey = newTestKey('ES256', 'es');
const other: TestKey = newTestKey('ES256', 'other');
const rs: TestKey = newTestKey('RS256', 'rs');
const without = (jwk: JsonObject, name: string): JsonObject =>
  Object.fromEntries(Object.entries(jwk).filter(([each]) => each !== name));

describe('verifying a signature', () => {
  it.each(ISSUER_ALGORITHMS)(
    'accepts a token signed with %s, and not one whose payload was changed',
    async (algorithm) => {
      const key = newTestKey(algorithm, 'k');
      const keys = keysOf(key.publicJwk);
      const [header, , signature] = tokenOf(key).split('.');
      expect(await verify(tokenOf(key), keys)).toBe('ok');
      expect(await verify([header, tokenOf(key, { sub: 'b' }).split('.')[1], signature].join('.'), keys)).toBe(
        'signature_invalid',
      );
      expect(await verify(`${header}.e30.`, keys)).toBe('signature_invalid');
    },
  );

  it('gives back the key that verified', async () => {
    const keys = keysOf(other.publicJwk, es.publicJwk);
    const verified = await verifyJws(parsedToken(tokenOf(es)), keys, { algorithms: ['ES256'] });
    expect(verified.ok && verified.value).toBe(keys[1]);
  });

  it('refuses a signature by another key', async () => {
    const forged = signCompact(other.sign, { alg: 'ES256', kid: 'es' }, {});
    expect(await verify(forged, keysOf(es.publicJwk))).toBe('signature_invalid');
  });

  it('refuses an algorithm that is not on the allow-list, before it looks for a key', async () => {
    expect(await verify(tokenOf(es), [], ['RS256'])).toBe('algorithm_refused');
    expect(await verify(tokenOf(es), keysOf(es.publicJwk), [])).toBe('algorithm_refused');
    expect(await verify(tokenOf(es), keysOf(es.publicJwk), ['es256'])).toBe('algorithm_refused');
  });

  it('refuses a "kid" that no key has, also when another key would verify', async () => {
    expect(await verify(tokenOf(es, {}, { kid: 'gone' }), keysOf(es.publicJwk))).toBe('key_unknown');
    expect(await verify(tokenOf(es), keysOf(without(es.publicJwk, 'kid')))).toBe('key_unknown');
    expect(await verify(tokenOf(es), [])).toBe('key_unknown');
  });

  it('compares "kid" byte for byte', async () => {
    for (const kid of ['ES', 'es ', 'es\0', '']) {
      expect(await verify(tokenOf(es, {}, { kid }), keysOf(es.publicJwk))).toBe('key_unknown');
    }
  });

  it('refuses a key that is for another algorithm of its own family', async () => {
    const ps = { ...rs.publicJwk, alg: 'PS256' };
    expect(await verify(tokenOf(rs), keysOf(ps))).toBe('key_unusable');
  });

  it('takes a key without "alg" for what the allow-list has of its kind', async () => {
    const keys = keysOf(without(rs.publicJwk, 'alg'));
    expect(await verify(tokenOf(rs), keys)).toBe('ok');
    expect(await verify(tokenOf(rs), keys, ['PS256'])).toBe('algorithm_refused');
    expect(await verify(tokenOf(rs, {}, { alg: 'ES256' }), keys)).toBe('key_unusable');
  });

  it('refuses keys that share a "kid"', async () => {
    const keys = keysOf(es.publicJwk, { ...other.publicJwk, kid: 'es' });
    expect(await verify(tokenOf(es), keys)).toBe('key_unusable');
  });

  it('finds the key of a token without "kid" only when there is exactly one for its algorithm', async () => {
    const token = signCompact(es.sign, { alg: 'ES256' }, {});
    expect(await verify(token, keysOf(es.publicJwk, rs.publicJwk))).toBe('ok');
    expect(await verify(token, keysOf(es.publicJwk, other.publicJwk))).toBe('key_unusable');
    expect(await verify(token, keysOf(rs.publicJwk))).toBe('key_unknown');
  });

  it('imports a key once, however many tokens it verifies', async () => {
    const keys = keysOf(es.publicJwk);
    const [material] = keys.map((key) => vi.spyOn(key.material, 'toCryptoKey'));
    const subtle = vi.spyOn(crypto.subtle, 'importKey');
    for (const sub of ['a', 'b', 'c']) expect(await verify(tokenOf(es, { sub }), keys)).toBe('ok');
    expect(material).toHaveBeenCalledTimes(1);
    expect(subtle).not.toHaveBeenCalled();
    subtle.mockRestore();
  });

  it('repeats no part of a token in a failure but its quoted header values', async () => {
    const hostile = tokenOf(es, {}, { kid: `x\n\u001b[2J${'y'.repeat(5000)}` });
    const failed = await verifyJws(parsedToken(hostile), keysOf(es.publicJwk), { algorithms: ['ES256'] });
    expect(failed.ok ? '' : failed.error.detail).toMatch(/^[\x20-\x7e…]{1,200}$/);
  });

  it('fails aloud when the check itself could not run', async () => {
    const [key] = keysOf(es.publicJwk);
    const [rsaKey] = keysOf(rs.publicJwk);
    if (key === undefined || rsaKey === undefined) throw new Error('no keys');
    const broken: VerificationKey = { ...key, material: rsaKey.material };
    await expect(verify(tokenOf(es), [broken])).rejects.toMatchObject({ code: 'ERR_SIGNATURE_CHECK' });
  });
});
