// Attacks on the choice of algorithm and key, and on the signature.
import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/core/json.ts';
import { encodeBase64url as encode } from '../../../src/base/jwt/base64url.ts';
import { importKeySet } from '../../../src/base/jwt/jwk.ts';
import { parseJws } from '../../../src/base/jwt/jws.ts';
import { verifyJws } from '../../../src/base/jwt/verify.ts';
import { hmacSigner, newTestKey, signCompact, tokenOf } from '../signing.ts';
import { attempt, EVERYTHING, es, ISSUER, rs, without, withParts } from './issuer.ts';

/** The tests of each attack, by its id in own/attacks.json. */
export const KEY_ATTACKS: Readonly<Record<string, () => void>> = {
  J01: () => {
    it.each(['none', 'None', 'NONE', 'nOnE', 'none ', ''])(
      'alg %j, signed or not, even when all else is allowed',
      async (alg) => {
        for (const token of [tokenOf(es, {}, { alg }), tokenOf(es, {}, { alg }).replace(/[^.]+$/, '')]) {
          expect(await attempt(token, ISSUER, EVERYTHING)).toBe('algorithm_refused');
        }
      },
    );
  },

  J02: () => {
    const jwkText = JSON.stringify(rs.publicJwk);
    const pem = rs.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const bytesOf = (jwk: JsonObject, ...names: string[]) =>
      Buffer.concat(names.map((name) => Buffer.from(String(jwk[name]), 'base64url')));
    it.each<[string, string, string | Uint8Array]>([
      ['the PEM', 'rs', pem],
      ['the PEM without its last line break', 'rs', pem.trim()],
      ['the PEM behind a space', 'rs', ` ${pem}`],
      ['the DER', 'rs', rs.publicKey.export({ type: 'spki', format: 'der' })],
      ['the PKCS#1 DER', 'rs', rs.publicKey.export({ type: 'pkcs1', format: 'der' })],
      ['the JWK', 'rs', jwkText],
      ['the modulus', 'rs', bytesOf(rs.publicJwk, 'n')],
      ['the coordinates', 'es', bytesOf(es.publicJwk, 'x', 'y')],
    ])('HMAC keyed with %s', async (_, kid, secret) => {
      const token = signCompact(hmacSigner(secret), { alg: 'HS256', kid }, { sub: 'a' });
      expect(await attempt(token)).toBe('algorithm_refused');
      expect(await attempt(token, ISSUER, EVERYTHING)).toBe('key_unusable');
      const bare = { keys: [without(kid === 'rs' ? rs.publicJwk : es.publicJwk, 'alg', 'use')] };
      expect(await attempt(token, bare, EVERYTHING)).toBe('key_unusable');
    });
  },

  J03: () => {
    it('a header algorithm other than the key says', async () => {
      expect(await attempt(tokenOf(rs), { keys: [{ ...rs.publicJwk, alg: 'PS256' }] })).toBe('key_unusable');
      expect(await attempt(tokenOf(rs), { keys: [{ ...rs.publicJwk, alg: 'RS512' }] })).toBe('key_unusable');
    });
    it('a key without "alg" and a header of another family', async () => {
      const bare = { keys: [without(rs.publicJwk, 'alg')] };
      expect(await attempt(tokenOf(rs, {}, { alg: 'ES256' }), bare)).toBe('key_unusable');
      expect(await attempt(tokenOf(rs), bare, ['ES256'])).toBe('algorithm_refused');
    });
    it('an RS256 key used as PS256', async () => {
      const ps = newTestKey('PS256', 'k');
      expect(await attempt(tokenOf(ps), { keys: [{ ...ps.publicJwk, alg: 'RS256' }] })).toBe('key_unusable');
    });
  },

  J04: () => {
    it('an embedded key that verifies the token', async () => {
      const attacker = newTestKey('ES256', 'es');
      expect(await attempt(tokenOf(attacker, {}, { jwk: attacker.publicJwk }))).toBe('token_malformed');
      expect(await attempt(tokenOf(attacker))).toBe('signature_invalid');
    });
  },

  J13: () => {
    const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
    const hex = (value: bigint) => value.toString(16).padStart(64, '0');
    const raw = (r: bigint, s: bigint) => Buffer.from(hex(r) + hex(s), 'hex').toString('base64url');
    const good = Buffer.from(tokenOf(es).split('.')[2] ?? '', 'base64url');
    const edges = [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n];
    it.each(edges.flatMap((r) => edges.map((s) => [r, s] as const)))('r = %s, s = %s', async (r, s) => {
      expect(await attempt(withParts({ signature: raw(r, s) }))).toBe('signature_invalid');
    });
    it.each([
      ['truncated', good.subarray(0, 63)],
      ['extended', Buffer.concat([good, Buffer.from([0])])],
      ['with a leading zero', Buffer.concat([Buffer.from([0]), good])],
      [
        'in DER form',
        Buffer.concat([
          Buffer.from('30440220', 'hex'),
          good.subarray(0, 32),
          Buffer.from('0220', 'hex'),
          good.subarray(32),
        ]),
      ],
      ['empty', Buffer.alloc(0)],
    ])('a signature %s', async (_, signature) => {
      expect(await attempt(withParts({ signature: encode(signature) }))).toBe('signature_invalid');
    });
    it('a P-256 key with ES384', async () => {
      expect(await attempt(tokenOf(es, {}, { alg: 'ES384' }))).toBe('key_unusable');
    });
  },

  J14: () => {
    const modulus = Buffer.from(String(rs.publicJwk.n), 'base64url');
    const even = Buffer.from(modulus.map((byte, index) => (index === modulus.length - 1 ? byte & 0xfe : byte)));
    it.each([
      ['exponent 1', { ...rs.publicJwk, e: 'AQ' }],
      ['exponent 3', { ...rs.publicJwk, e: 'Aw' }],
      ['1024 bits', { ...newTestKey('RS256', 'rs', 1024).publicJwk }],
      ['an even modulus', { ...rs.publicJwk, n: encode(even) }],
    ])('a key with %s is never used (ROCA: see the Wycheproof key sets)', async (_, jwk) => {
      expect(await attempt(tokenOf(rs), { keys: [jwk] })).toBe('key_unknown');
    });
    it.each([0, 1, 255])('a signature of the bytes %i', async (byte) => {
      const [header, payload] = tokenOf(rs).split('.');
      expect(await attempt(`${header}.${payload}.${encode(Buffer.alloc(256, byte))}`)).toBe('signature_invalid');
    });
  },

  J15: () => {
    it('a shared secret in a key set is left out, with a problem, and verifies nothing', async () => {
      const secret = { kty: 'oct', k: encode(Buffer.alloc(32, 1)), alg: 'HS256', kid: 'hs' };
      const set = importKeySet({ keys: [secret, es.publicJwk] });
      expect(set.ok && [set.value.keys.length, set.value.problems.length]).toEqual([1, 1]);
      const sign = (input: string) => createHmac('sha256', Buffer.alloc(32, 1)).update(input).digest();
      const token = signCompact(sign, { alg: 'HS256', kid: 'hs' }, {});
      expect(await attempt(token, { keys: [secret] }, EVERYTHING)).toBe('key_unknown');
    });
    it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])(
      'a key with the member "%s" is left out',
      async (name) => {
        const leaked = { ...es.publicJwk, [name]: 'AQAB' };
        expect(await attempt(tokenOf(es), { keys: [leaked] })).toBe('key_unknown');
      },
    );
  },

  J16: () => {
    it.each([{ use: 'enc' }, { use: '' }, { key_ops: ['encrypt'] }, { key_ops: ['sign'] }, { key_ops: [] }])(
      'a key with %j verifies nothing',
      async (members) => {
        expect(await attempt(tokenOf(es), { keys: [{ ...es.publicJwk, ...members }] })).toBe('key_unknown');
      },
    );
  },

  J17: () => {
    const second = newTestKey('ES256', 'es');
    it('two keys with the token’s kid', async () => {
      expect(await attempt(tokenOf(es), { keys: [es.publicJwk, second.publicJwk] })).toBe('key_unusable');
      expect(await attempt(tokenOf(second), { keys: [es.publicJwk, second.publicJwk] })).toBe('key_unusable');
    });
    it('no kid and two keys for its algorithm', async () => {
      const token = signCompact(es.sign, { alg: 'ES256' }, {});
      expect(await attempt(token, { keys: [es.publicJwk, { ...second.publicJwk, kid: 'b' }] })).toBe('key_unusable');
      expect(await attempt(token)).toBe('ACCEPTED');
    });
  },

  J18: () => {
    it.each([
      ['null', null],
      ['an unknown type', { kty: 'XYZ', kid: 'x' }],
      ['a post-quantum key', { kty: 'AKP', alg: 'ML-DSA-65', kid: 'pq', pub: 'AAAA' }],
      ['a torn key', { kty: 'RSA', n: 7, e: {}, kid: 'torn' }],
      ['a key with a hostile kid', { kty: 'EC', kid: { toString: 'x' } }],
    ])('%s beside a good key: the good key works', async (_, bad) => {
      expect(await attempt(tokenOf(es), { keys: [bad, es.publicJwk] })).toBe('ACCEPTED');
    });
  },

  J23: () => {
    it('a verified token lends nothing to another one with the same kid, signature or beginning', async () => {
      const first = tokenOf(es, { sub: 'a' });
      const [header, , signature] = first.split('.');
      const set = importKeySet(ISSUER);
      const forged = parseJws(`${header}.${encode('{"sub":"b"}')}.${signature}`);
      const honest = parseJws(first);
      if (!set.ok || !forged.ok || !honest.ok) throw new Error('not well-formed');
      for (const [token, isGood] of [
        [honest, true],
        [forged, false],
        [honest, true],
        [forged, false],
      ] as const) {
        const verified = await verifyJws(token.value, set.value.keys, { algorithms: ['ES256'] });
        expect(verified.ok).toBe(isGood);
      }
    });
  },
};
