// The attack classes J01 to J23 and those of the claim checks, run against the JWS layer. What each must do, and where it
// comes from, stands in own/attacks.json; here it is done.
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../src/base/core/json.ts';
import { ALGORITHMS_OF, ISSUER_ALGORITHMS } from '../../src/base/jwt/algorithms.ts';
import { encodeBase64url as encode } from '../../src/base/jwt/base64url.ts';
import { checkAudience, checkTimes } from '../../src/base/jwt/claims.ts';
import { importKeySet } from '../../src/base/jwt/jwk.ts';
import { parseJws } from '../../src/base/jwt/jws.ts';
import { checkPlainType, checkType } from '../../src/base/jwt/token-type.ts';
import { verifyJws } from '../../src/base/jwt/verify.ts';
import { hmacSigner, newTestKey, signCompact, tokenOf } from './signing.ts';
import { describeVectors, readVectors } from './vectors.ts';

const es = newTestKey('ES256', 'es');
const rs = newTestKey('RS256', 'rs');
const EVERYTHING = Object.values(ALGORITHMS_OF).flat();
const ISSUER: JsonValue = { keys: [es.publicJwk, rs.publicJwk] };

/** What a verifier of issuer tokens says: parsed, and verified against the issuer's keys. */
async function attempt(token: string, jwks: JsonValue = ISSUER, algorithms = ISSUER_ALGORITHMS): Promise<string> {
  const set = importKeySet(jwks);
  const parsed = parseJws(token);
  if (!set.ok || !parsed.ok) return parsed.ok ? 'key_unusable' : parsed.error.reason;
  const verified = await verifyJws(parsed.value, set.value.keys, { algorithms });
  return verified.ok ? 'ACCEPTED' : verified.error.reason;
}

const without = (jwk: JsonObject, ...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(jwk).filter(([name]) => !names.includes(name)));

/** A token of `es` whose parts are replaced by the given texts. */
function withParts(parts: { header?: string; payload?: string; signature?: string }): string {
  const [header = '', payload = '', signature = ''] = tokenOf(es).split('.');
  return [parts.header ?? header, parts.payload ?? payload, parts.signature ?? signature].join('.');
}

const fetches = vi.fn(() => Promise.reject(new Error('no network')));
beforeEach(() => {
  vi.stubGlobal('fetch', fetches);
});
afterEach(() => {
  expect(fetches).not.toHaveBeenCalled();
  vi.unstubAllGlobals();
});

const ATTACKS: Readonly<Record<string, () => void>> = {
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

  J05: () => {
    it.each(['jku', 'x5u', 'x5c'])('"%s" to a key of the attacker', async (name) => {
      const value = name === 'x5c' ? ['AAAA'] : 'http://169.254.169.254/keys';
      expect(await attempt(tokenOf(es, {}, { [name]: value }))).toBe('token_malformed');
    });
  },

  J06: () => {
    it.each(['../../etc/passwd', "' OR 1=1 --", 'es\0', '__proto__', 'constructor', '', '*', 'http://10.0.0.1/'])(
      'kid %j names no key',
      async (kid) => {
        expect(await attempt(tokenOf(es, {}, { kid }))).toBe('key_unknown');
      },
    );
    it.each([{}, ['es'], null, 1, true])('kid %j is malformed', async (kid) => {
      expect(await attempt(tokenOf(es, {}, { kid }))).toBe('token_malformed');
    });
    it('a kid of 1 MiB', async () => {
      expect(await attempt(tokenOf(es, {}, { kid: 'x'.repeat(1_048_576) }))).toBe('token_too_large');
    });
  },

  J07: () => {
    it.each([
      '{"alg":"none","kid":"es","alg":"ES256"}',
      '{"alg":"ES256","kid":"es","kid":"es"}',
      '{"alg":"ES256","kid":"rs","\\u006bid":"es"}',
    ])('the header %s', async (header) => {
      expect(await attempt(signCompact(es.sign, header, {}))).toBe('token_malformed');
    });
    it.each(['{"sub":"a","sub":"b"}', '{"sub":"a","s\\u0075b":"b"}', '{"a":{"b":1,"b":1}}'])(
      'the claims %s',
      async (claims) => {
        expect(await attempt(tokenOf(es, claims))).toBe('token_malformed');
      },
    );
  },

  J08: () => {
    it.each([[['x']], [[]], [['exp', 'exp']], ['exp'], [['alg']], [['b64']], [null]])('crit %j', async (crit) => {
      expect(await attempt(tokenOf(es, {}, { crit, x: 1 }))).toBe('token_malformed');
    });
  },

  J09: () => {
    it('b64 false, with and without crit, and even b64 true', async () => {
      for (const header of [{ b64: false }, { b64: false, crit: ['b64'] }, { b64: true }]) {
        expect(await attempt(tokenOf(es, {}, header))).toBe('token_malformed');
      }
    });
    it('a detached payload', async () => {
      expect(await attempt(withParts({ payload: '' }))).toBe('token_malformed');
    });
  },

  J10: () => {
    it('five parts', async () => {
      const header = encode(JSON.stringify({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'AAAA' }));
      expect(await attempt([header, 'AAAA', 'AAAA', 'AAAA', 'AAAA'].join('.'))).toBe('token_malformed');
    });
    it.each([{ enc: 'A128GCM' }, { zip: 'DEF' }, { alg: 'RSA-OAEP', enc: 'A256GCM' }])(
      'three parts and %j',
      async (header) => {
        expect(await attempt(tokenOf(es, {}, header))).toBe('token_malformed');
      },
    );
    it('an iteration count of 2^31 without "enc"', async () => {
      expect(await attempt(tokenOf(es, {}, { alg: 'PBES2-HS256+A128KW', p2c: 2 ** 31 }))).toBe('algorithm_refused');
    });
    it('a token inside a token', async () => {
      expect(await attempt(tokenOf(es, tokenOf(es), { cty: 'JWT' }))).toBe('token_malformed');
    });
  },

  J11: () => {
    const [header = '', payload = '', signature = ''] = tokenOf(es).split('.');
    it.each([
      { payload, protected: header, signature },
      { payload, signatures: [{ protected: header, signature }] },
      { [`${header}.${payload}.${signature}`]: 1 },
    ])('the JSON serialization %#', async (json) => {
      expect(await attempt(JSON.stringify(json))).toBe('token_malformed');
      expect(await attempt(`${JSON.stringify(json)}.${payload}.${signature}`)).toBe('token_malformed');
    });
  },

  J12: () => {
    const token = tokenOf(es);
    const [header = '', payload = '', signature = ''] = token.split('.');
    // 64 bytes leave four unused bits in the last character; setting them changes no byte.
    const twin = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1);
    it.each([
      ['padding', `${token}==`],
      ['white space before', ` ${token}`],
      ['white space after', `${token}\n`],
      ['white space inside', `${header}. ${payload}.${signature}`],
      [
        'the standard alphabet',
        `${header}.${encode('{"a":"\u00ff\u00fe???>>>"}').replace(/-/g, '+').replace(/_/g, '/')}.${signature}`,
      ],
      ['unused bits', `${header}.${payload}.${twin}`],
      ['a trailing dot', `${token}.`],
      ['an extra part', `${token}.AAAA`],
      ['a leading dot', `.${token}`],
    ])('%s', async (_, bad) => {
      expect(await attempt(bad)).toBe('token_malformed');
    });
    it('and the token itself is good', async () => {
      expect(await attempt(token)).toBe('ACCEPTED');
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

  J19: () => {
    it.each([64 * 1024, 1024 * 1024, 100 * 1024 * 1024])(
      '%i bytes are refused by their number alone',
      async (bytes) => {
        expect(await attempt('x'.repeat(bytes))).toBe('token_too_large');
        expect(await attempt('.'.repeat(bytes))).toBe('token_too_large');
      },
    );
    it('dots, nested arrays and claims up to the bound', async () => {
      expect(await attempt('.'.repeat(16_384))).toBe('token_malformed');
      expect(await attempt(tokenOf(es, `{"a":${'['.repeat(11_000)}`))).toBe('token_malformed');
      expect(await attempt(tokenOf(es, `{"a":${'['.repeat(16)}${']'.repeat(16)}}`))).toBe('token_malformed');
      const claims = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`c${index}`, 1]));
      expect(await attempt(tokenOf(es, claims))).toBe('ACCEPTED');
    });
  },

  J20: () => {
    it.each([
      ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
      ['an encoded surrogate', Buffer.from('7b22eda080223a317d', 'hex')],
      ['an escaped lone surrogate', Buffer.from('{"a":"\\ud800"}')],
      ['a byte order mark', Buffer.from('\ufeff{}')],
      ['UTF-16', Buffer.from('{}', 'utf16le')],
    ])('a payload with %s', async (_, payload) => {
      expect(await attempt(tokenOf(es, payload))).toBe('token_malformed');
    });
  },

  J21: () => {
    it.each(['at+jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt', 'jobpass-feed+jwt', 'application/at+jwt'])(
      'typ %s is no ID token',
      (typ) => {
        expect(checkPlainType({ alg: 'ES256', typ })).toMatchObject({ error: { reason: 'token_type_refused' } });
      },
    );
    it.each([undefined, 'JWT', 'dpop+jwt', 'jobpass-feed+jwt'])('typ %s is no access token', (typ) => {
      const header = { alg: 'ES256', ...(typ === undefined ? {} : { typ }) };
      expect(checkType(header, 'at+jwt')).toMatchObject({ error: { reason: 'token_type_refused' } });
    });
  },

  J22: () => {
    it.each([undefined, 'JWT', 'jwt', 'application/jwt'])('typ %s is an ID token of a third party', (typ) => {
      expect(checkPlainType({ alg: 'ES256', ...(typ === undefined ? {} : { typ }) }).ok).toBe(true);
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

  C02: () => {
    const now = 1_800_000_000;
    const options = { nowSeconds: now, skewSeconds: 30, maxLifetimeSeconds: 3600 };
    it.each([
      ['nbf in the future', { iat: now, exp: now + 300, nbf: now + 31 }, 'token_not_yet_valid'],
      ['iat in the future', { iat: now + 31, exp: now + 300 }, 'token_not_yet_valid'],
      ['no iat', { exp: now + 300 }, 'claim_missing'],
      ['a life above the longest', { iat: now, exp: now + 3601 }, 'token_lifetime_too_long'],
    ])('%s', (_, claims, reason) => {
      expect(checkTimes(claims, options)).toMatchObject({ error: { reason } });
    });
  },

  C03: () => {
    it('a skew above 300 s is never used', () => {
      expect(() => checkTimes({}, { nowSeconds: 0, skewSeconds: 301 })).toThrow('clock skew');
    });
  },

  C06: () => {
    const cases: [JsonValue, string][] = [
      [['sts', 'other'], 'audience_mismatch'],
      [{ sts: true }, 'claim_malformed'],
      ['st', 'audience_mismatch'],
      ['stsx', 'audience_mismatch'],
      ['STS', 'audience_mismatch'],
      ['', 'claim_malformed'],
    ];
    it.each(cases)('aud %j', (aud, reason) => {
      expect(checkAudience({ aud }, ['sts'])).toMatchObject({ error: { reason } });
    });
    it('no configured audience means no accepted audience', () => {
      expect(checkAudience({ aud: 'sts' }, [])).toMatchObject({ error: { reason: 'audience_mismatch' } });
    });
  },
};

describeVectors('own/attacks, the JWT layer', () => {
  const Row = z.object({ id: z.string(), area: z.string(), attack: z.string(), expect: z.string() });
  const rows = z.array(Row).parse(readVectors('own/attacks.json'));

  it('has a test for every attack on JWTs', () => {
    const ids = rows.filter(({ area }) => area === 'jwt').map(({ id }) => id);
    expect(ids).toHaveLength(23);
    expect(Object.keys(ATTACKS)).toEqual(expect.arrayContaining(ids));
  });

  for (const { id, attack } of rows) {
    const run = ATTACKS[id];
    if (run !== undefined) describe(`${id}: ${attack}`, run);
  }
});
