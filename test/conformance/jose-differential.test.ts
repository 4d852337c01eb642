// The JWS layer against plain jose on random tokens, good and mutated: ours accepts nothing that jose refuses, and what
// it refuses beyond jose it refuses for its form.
import fc from 'fast-check';
import { compactVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { ISSUER_ALGORITHMS } from '../../src/base/jwt/algorithms.ts';
import { importKeySet } from '../../src/base/jwt/jwk.ts';
import { parseJws } from '../../src/base/jwt/jws.ts';
import { verifyJws } from '../../src/base/jwt/verify.ts';
import { newTestKey, type TestKey, tokenOf } from './signing.ts';

async function ours(token: string, key: TestKey): Promise<string> {
  const set = importKeySet({ keys: [key.publicJwk] });
  const parsed = parseJws(token);
  if (!set.ok || !parsed.ok) return parsed.ok ? 'key_unusable' : parsed.error.reason;
  const verified = await verifyJws(parsed.value, set.value.keys, { algorithms: [key.algorithm] });
  return verified.ok ? 'ok' : verified.error.reason;
}

async function plainJose(token: string, key: TestKey): Promise<string> {
  try {
    await compactVerify(token, key.publicKey, { algorithms: [key.algorithm] });
    return 'ok';
  } catch {
    return 'refused';
  }
}

type Mutation = (token: string) => string;

const edit = fc
  .tuple(fc.nat(), fc.nat({ max: 2 }), fc.constantFrom('', 'A', '-', '_', '=', '.', ' ', '+', '\n', 'é'))
  .map(
    ([at, removed, inserted]): Mutation =>
      (token) => {
        const place = at % (token.length + 1);
        return token.slice(0, place) + inserted + token.slice(place + removed);
      },
  );
/** At the end of a part, where unused bits and padding are. */
const ending = fc.tuple(fc.nat({ max: 2 }), fc.constantFrom('B', 'R', '=', '==', ' ', '')).map(
  ([index, text]): Mutation =>
    (token) =>
      token
        .split('.')
        .map((part, each) => (each === index ? part.slice(0, text === '' ? -1 : undefined) + text : part))
        .join('.'),
);
const twin = fc.nat({ max: 2 }).map(
  (index): Mutation =>
    (token) => {
      const parts = token.split('.');
      const part = parts[index] ?? '';
      const next = String.fromCharCode(part.charCodeAt(part.length - 1) + 1);
      return parts.map((each, place) => (place === index ? part.slice(0, -1) + next : each)).join('.');
    },
);
const mutation = fc.oneof(
  fc.constant<Mutation>((token) => token),
  edit,
  ending,
  twin,
);

const header = fc.oneof(
  { weight: 3, arbitrary: fc.record({ typ: fc.string(), cty: fc.string() }, { requiredKeys: [] }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ crit: ['exp'], exp: 1 }, { x5u: 'https://a.test/' }, { enc: '' }, { b64: true }),
  },
);
const payload = fc.oneof(
  { weight: 3, arbitrary: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })) },
  { weight: 1, arbitrary: fc.string() },
);

describe.each(ISSUER_ALGORITHMS)('against plain jose, %s:', (algorithm) => {
  const key = newTestKey(algorithm);

  it('accepts nothing that jose refuses, and refuses more only for its form', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(payload, header, mutation, async (claims, members, mutate) => {
        const token = mutate(tokenOf(key, claims, members));
        const [our, theirs] = [await ours(token, key), await plainJose(token, key)];
        seen.add(`${our === 'ok' ? 'ok' : 'refused'}/${theirs}`);
        if (our === 'ok') expect(theirs).toBe('ok');
        else if (theirs === 'ok') expect(our).toBe('token_malformed');
      }),
      { numRuns: 250 },
    );
    // All three kinds must have come up, or the comparison has compared nothing.
    expect([...seen].sort()).toEqual(['ok/ok', 'refused/ok', 'refused/refused']);
  });
});
