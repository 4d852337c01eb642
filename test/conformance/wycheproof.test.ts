// Wycheproof's JOSE vectors against the JWS layer. Verdicts that differ from upstream's stand in OVERRIDES.json, each
// with its reason.
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonValue } from '../../src/base/core/json.ts';
import { ALGORITHMS_OF } from '../../src/base/jwt/algorithms.ts';
import { importKeySet } from '../../src/base/jwt/jwk.ts';
import { parseCompactJws } from '../../src/base/jwt/jws.ts';
import { verifyJws } from '../../src/base/jwt/verify.ts';
import { describeVectors, readVectors } from './vectors.ts';

const Key = z.record(z.string(), z.json());
const Vector = z.object({
  tcId: z.number(),
  comment: z.string(),
  jws: z.json().optional(),
  jwe: z.json().optional(),
  result: z.enum(['valid', 'invalid']),
});
const VectorFile = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(
    z.object({ public: Key.optional(), private: Key.optional(), comment: z.string(), tests: z.array(Vector) }),
  ),
});
const Overrides = z.object({ json_web_signature_test: z.record(z.string(), z.object({ ours: z.string() })) });

/** Everything is allowed here, so that what refuses a vector is the key or the signature, not the allow-list. */
const EVERY_ALGORITHM = Object.values(ALGORITHMS_OF).flat();

interface Case {
  readonly name: string;
  readonly tcId: number;
  readonly token: string;
  readonly jwks: JsonValue;
  readonly expected: string;
}

/** `our verdict`, or the reason of the refusal. A set with any shared secret is read as a set of shared secrets. */
async function verdict(vector: Case): Promise<string> {
  const symmetric = JSON.stringify(vector.jwks).includes('"kty":"oct"');
  const set = importKeySet(vector.jwks, { symmetric });
  if (!set.ok) return set.error.reason;
  const token = parseCompactJws(vector.token);
  if (!token.ok) return token.error.reason;
  const verified = await verifyJws(token.value, set.value.keys, { algorithms: EVERY_ALGORITHM });
  return verified.ok ? 'valid' : verified.error.reason;
}

function readCases(path: string, overrides: Readonly<Record<string, { ours: string }>> = {}): Case[] {
  const file = VectorFile.parse(readVectors(path));
  const cases = file.testGroups.flatMap((group) =>
    group.tests.map((test) => {
      const key = group.public ?? group.private ?? {};
      const token = test.jws ?? test.jwe ?? null;
      return {
        name: `${test.tcId} ${group.comment}: ${test.comment}`,
        tcId: test.tcId,
        token: typeof token === 'string' ? token : JSON.stringify(token),
        jwks: Object.hasOwn(key, 'keys') ? key : { keys: [key] },
        // A valid JWE is no JWS: the verifier of signatures refuses all of them.
        expected: test.jws === undefined ? 'invalid' : (overrides[test.tcId]?.ours ?? test.result),
      };
    }),
  );
  expect(cases).toHaveLength(file.numberOfTests);
  return cases;
}

function run(cases: readonly Case[], count: number): void {
  it(`runs ${count} vectors, good and bad ones`, () => {
    expect(cases).toHaveLength(count);
    expect(new Set(cases.map((vector) => vector.expected)).size).toBe(2);
  });
  it.each(cases)('$name is $expected', async (vector) => {
    const ours = await verdict(vector);
    expect(ours === 'valid' ? 'valid' : 'invalid', ours).toBe(vector.expected);
  });
}

describeVectors('Wycheproof JSON Web Signature', () => {
  const overrides = Overrides.parse(readVectors('wycheproof/OVERRIDES.json')).json_web_signature_test;
  run(readCases('wycheproof/json_web_signature_test.json', overrides), 401);
});

describeVectors('Wycheproof JSON Web Key sets', () => {
  const cases = readCases('wycheproof/json_web_key_test.json');
  run(cases, 26);

  it('refuses the weak keys for being weak, not by accident', async () => {
    const problems = cases.flatMap((vector) => {
      const set = importKeySet(vector.jwks);
      return set.ok ? set.value.problems : [];
    });
    for (const sign of ['ROCA', '1024 bits', 'exponent', '"use"', '"alg"', 'not a valid public key']) {
      expect(problems.join('\n')).toContain(sign);
    }
  });
});

describeVectors('Wycheproof JOSE mix', () => {
  run(readCases('wycheproof/json_web_crypto_test.json'), 83);
});
