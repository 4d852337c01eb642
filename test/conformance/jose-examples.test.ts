// The published examples of the JOSE RFCs (7515, 7520, 7638, 7797, 8037) against the JWS layer.
import { calculateJwkThumbprint } from 'jose';
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../src/base/core/json.ts';
import { ALGORITHMS_OF, ISSUER_ALGORITHMS } from '../../src/base/jwt/algorithms.ts';
import { importKeySet } from '../../src/base/jwt/jwk.ts';
import { parseCompactJws, parseJws } from '../../src/base/jwt/jws.ts';
import { verifyJws } from '../../src/base/jwt/verify.ts';
import { describeVectors, readVectors } from './vectors.ts';

const Jwk = z.record(z.string(), z.json());

/** `valid` or the reason of the refusal, with the public part of the key. */
async function verdict(token: string, jwk: JsonObject, symmetric = false): Promise<string> {
  const members = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use', 'alg', ...(symmetric ? ['k'] : [])];
  const publicJwk = Object.fromEntries(Object.entries(jwk).filter(([name]) => members.includes(name)));
  const set = importKeySet({ keys: [publicJwk] }, { symmetric });
  const parsed = parseCompactJws(token);
  if (!parsed.ok || !set.ok) return parsed.ok ? 'key_unusable' : parsed.error.reason;
  const algorithms = symmetric ? ALGORITHMS_OF.oct : ISSUER_ALGORITHMS;
  const verified = await verifyJws(parsed.value, set.value.keys, { algorithms });
  return verified.ok ? 'valid' : verified.error.reason;
}

describeVectors('RFC 7520, 7797, 8037 (JOSE cookbook)', () => {
  const Example = z.object({
    input: z.object({ key: z.union([Jwk, z.array(Jwk)]) }),
    output: z.object({ compact: z.string().optional(), json: z.json() }),
  });
  const example = (name: string) => Example.parse(readVectors(`jose-cookbook/${name}.json`));
  const keyOf = (key: z.infer<typeof Jwk> | z.infer<typeof Jwk>[]): JsonObject => (Array.isArray(key) ? {} : key);

  it.each([
    ['jws__4_1.rsa_v15_signature', 'valid'],
    ['jws__4_2.rsa-pss_signature', 'valid'],
    ['jws__4_3.ecdsa_signature', 'valid'],
    ['curve25519__jws', 'valid'],
    // HMAC is no issuer's algorithm: the next test is its only way in.
    ['jws__4_4.hmac-sha2_integrity_protection', 'algorithm_refused'],
    ['jws__4_5.signature_with_detached_content', 'algorithm_refused'],
    ['rfc7797__hmac-sha2_b64_false', 'token_malformed'],
  ])('%s: %s', async (name, expected) => {
    const { input, output } = example(name);
    expect(await verdict(output.compact ?? '', keyOf(input.key))).toBe(expected);
  });

  it.each([
    ['jws__4_4.hmac-sha2_integrity_protection', 'valid'],
    ['jws__4_5.signature_with_detached_content', 'signature_invalid'],
    ['rfc7797__hmac-sha2_b64_false', 'token_malformed'],
  ])('%s with a set of shared secrets: %s', async (name, expected) => {
    const { input, output } = example(name);
    expect(await verdict(output.compact ?? '', keyOf(input.key), true)).toBe(expected);
  });

  it.each([
    'jws__4_1.rsa_v15_signature',
    'jws__4_6.protecting_specific_header_fields',
    'jws__4_7.protecting_content_only',
    'jws__4_8.multiple_signatures',
    'rfc7797__4.2.hmac-sha2_b64_false',
  ])('%s in the JSON serialization is refused', (name) => {
    expect(parseCompactJws(JSON.stringify(example(name).output.json))).toMatchObject({
      error: { reason: 'token_malformed' },
    });
  });

  it.each([
    ['jwk__3_1.ec_public_key', true],
    ['jwk__3_2.ec_private_key', false],
    ['jwk__3_3.rsa_public_key', true],
    ['jwk__3_4.rsa_private_key', false],
    ['jwk__3_5.symmetric_key_mac_computation', false],
    ['jwk__3_6.symmetric_key_encryption', false],
  ])('%s as an issuer key: taken is %s', (name, isTaken) => {
    const set = importKeySet({ keys: [readVectors(`jose-cookbook/${name}.json`) as JsonValue] });
    expect(set.ok && set.value.keys.length === 1).toBe(isTaken);
  });
});

describeVectors('RFC 7515, 7638, 8037 examples', () => {
  const Example = z.object({
    ref: z.string(),
    alg: z.string().optional(),
    jwk: Jwk.nullable(),
    jws: z.string().optional(),
    thumbprint_sha256: z.string().optional(),
  });
  const examples = z.array(Example).parse(readVectors('rfc-examples/examples.json'));
  const outcomes: Readonly<Record<string, string>> = {
    HS256: 'algorithm_refused',
    ES256: 'valid',
    EdDSA: 'valid',
    none: 'algorithm_refused',
  };

  it('are five', () => {
    expect(examples).toHaveLength(5);
  });

  it.each(examples.filter(({ jws }) => jws !== undefined))(
    '$ref, $alg, as an issuer would send it',
    async (example) => {
      expect(await verdict(example.jws ?? '', example.jwk ?? {})).toBe(outcomes[example.alg ?? '']);
    },
  );

  it('RFC 7515 A.1 verifies where shared secrets are asked for', async () => {
    const [first] = examples;
    // The example's key names no algorithm, and a shared secret must.
    expect(await verdict(first?.jws ?? '', { ...first?.jwk, alg: 'HS256' }, true)).toBe('valid');
  });

  it('RFC 8037 A.4 is no JWT: its payload is not a JSON object', () => {
    const example = examples.find(({ alg }) => alg === 'EdDSA');
    expect(parseJws(example?.jws ?? '')).toMatchObject({ error: { reason: 'token_malformed' } });
  });

  it.each(examples.filter(({ thumbprint_sha256 }) => thumbprint_sha256 !== undefined))(
    '$ref has the thumbprint that the RFC says',
    async (example) => {
      expect(await calculateJwkThumbprint({ ...example.jwk })).toBe(example.thumbprint_sha256);
    },
  );
});
