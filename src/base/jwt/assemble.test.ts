import { describe, expect, it } from 'vitest';
import { newTestKey } from '../../../test/conformance/signing.ts';
import type { Signer, SigningAlgorithm } from '../ports/signer.ts';
import { assembleJws } from './assemble.ts';
import { importKeySet } from './jwk.ts';
import { parseJws } from './jws.ts';
import { verifyJws } from './verify.ts';

const ALGORITHMS: readonly SigningAlgorithm[] = ['RS256', 'ES256', 'EdDSA'];

function newSigner(algorithm: SigningAlgorithm) {
  const key = newTestKey(algorithm, 'k1');
  const signer: Signer = {
    kid: 'k1',
    algorithm,
    sign: async (input) => key.sign(Buffer.from(input).toString('ascii')),
  };
  return { signer, jwks: { keys: [key.publicJwk] } };
}

describe('assembling a token', () => {
  it.each(ALGORITHMS)('makes a token that %s verification accepts, with the claims as given', async (algorithm) => {
    const { signer, jwks } = newSigner(algorithm);
    const claims = { sub: 'é', exp: 1, list: ['a'], __proto__: null };
    const parsed = parseJws(await assembleJws({ typ: 'at+jwt' }, claims, signer));
    const set = importKeySet(jwks);
    if (!parsed.ok || !set.ok) throw new Error('not well-formed');
    expect(parsed.value.header).toEqual({ alg: algorithm, kid: 'k1', typ: 'at+jwt' });
    expect(parsed.value.claims).toEqual({ sub: 'é', exp: 1, list: ['a'] });
    expect((await verifyJws(parsed.value, set.value.keys, { algorithms: [algorithm] })).ok).toBe(true);
  });

  it('writes the header members in the order alg, kid, typ, and the claims in theirs', async () => {
    const signer: Signer = { kid: 'k', algorithm: 'ES256', sign: async () => Uint8Array.from([1, 2, 3]) };
    const [header, payload, signature] = (await assembleJws({ typ: 'JWT' }, { b: 1, a: 2 }, signer)).split('.');
    expect(Buffer.from(header ?? '', 'base64url').toString()).toBe('{"alg":"ES256","kid":"k","typ":"JWT"}');
    expect(Buffer.from(payload ?? '', 'base64url').toString()).toBe('{"b":1,"a":2}');
    expect(signature).toBe('AQID');
  });

  it('makes no token that is too long to be read', async () => {
    const { signer } = newSigner('ES256');
    const claims = { pad: 'x'.repeat(16_384) };
    await expect(assembleJws({ typ: 'JWT' }, claims, signer)).rejects.toMatchObject({ code: 'ERR_TOKEN_TOO_LARGE' });
    const long = await assembleJws({ typ: 'JWT', maxBytes: 32_768 }, claims, signer);
    expect(parseJws(long, { maxBytes: 32_768 }).ok).toBe(true);
  });

  it('passes the failure of the signer on', async () => {
    const failing: Signer = { kid: 'k', algorithm: 'ES256', sign: () => Promise.reject(new Error('no key')) };
    await expect(assembleJws({ typ: 'JWT' }, {}, failing)).rejects.toThrow('no key');
  });
});
