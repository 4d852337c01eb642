// The attack classes J01 to J23 and those of the claim checks, run against the JWS layer. What each must do, and where it
// comes from, stands in own/attacks.json; in attacks/ it is done.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { CLAIM_ATTACKS } from './attacks/token-claims.ts';
import { FORM_ATTACKS } from './attacks/token-form.ts';
import { KEY_ATTACKS } from './attacks/token-keys.ts';
import { describeVectors, readVectors } from './vectors.ts';

const ATTACKS = { ...FORM_ATTACKS, ...KEY_ATTACKS, ...CLAIM_ATTACKS };

// No token makes the verifier fetch anything.
const fetches = vi.fn(() => Promise.reject(new Error('no network')));
beforeEach(() => {
  vi.stubGlobal('fetch', fetches);
});
afterEach(() => {
  expect(fetches).not.toHaveBeenCalled();
  vi.unstubAllGlobals();
});

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
