// Our own vectors of times and audiences against the claim checks, with the 60 s skew that the vectors are written for.
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { JsonValue } from '../../src/base/core/json.ts';
import { parseJsonObject } from '../../src/base/json/parse.ts';
import { checkAudience, checkTimes } from '../../src/base/jwt/claims.ts';
import { describeVectors, readVectors } from './vectors.ts';

const NOW = 1_800_000_000;
const SKEW_SECONDS = 60;
const MAX_LIFETIME_SECONDS = 3600;
const IAT = NOW - 120;

describeVectors('own/time-claims', () => {
  const Case = z.object({
    name: z.string(),
    exp: z.string().optional(),
    nbf: z.string().optional(),
    iat: z.string().optional(),
    expect: z.string(),
  });
  const { cases } = z.object({ cases: z.array(Case) }).parse(readVectors('own/time-claims.json'));

  /** The vectors' arithmetic on NOW as JSON text; any other text stands as it is, whether or not it is JSON. */
  const jsonText = (text: string): string =>
    text
      .replace(/NOW\*(\d+)/, (_, factor: string) => `${NOW * Number(factor)}`)
      .replace(/NOW([+-][\d.]+)?/, (_, offset: string | undefined) => `${NOW + Number(offset ?? 0)}`);

  /** The two cases whose claims are only in their name. */
  const LIFETIME: Readonly<Record<string, string>> = {
    'exp-iat = max_token_lifetime': `${IAT + MAX_LIFETIME_SECONDS}`,
    'exp-iat = max_token_lifetime+1': `${IAT + MAX_LIFETIME_SECONDS + 1}`,
  };

  const FAMILIES: Readonly<Record<string, readonly string[]>> = {
    grant: ['ok'],
    expired: ['token_expired'],
    'not yet valid': ['token_not_yet_valid'],
    malformed: ['token_malformed'],
    invalid: ['token_malformed', 'claim_missing', 'claim_malformed', 'token_not_yet_valid', 'token_lifetime_too_long'],
  };

  function outcome(vector: z.infer<typeof Case>): string {
    const claims = { iat: `${IAT}`, exp: LIFETIME[vector.name] ?? 'NOW+300', nbf: 'absent', ...vector };
    const members = (['iat', 'exp', 'nbf'] as const)
      .map((name) => [name, claims[name] ?? 'absent'] as const)
      .filter(([, text]) => text !== 'absent')
      .map(([name, text]) => `"${name}":${jsonText(text)}`);
    const parsed = parseJsonObject(Buffer.from(`{${members.join(',')}}`));
    if (!parsed.ok) return 'token_malformed';
    const checked = checkTimes(parsed.value, {
      nowSeconds: NOW,
      skewSeconds: SKEW_SECONDS,
      maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    });
    return checked.ok ? 'ok' : checked.error.reason;
  }

  it('are 29', () => {
    expect(cases).toHaveLength(29);
  });

  it.each(cases)('$name: $expect', (vector) => {
    const family = Object.keys(FAMILIES).find((name) => vector.expect.startsWith(name)) ?? 'unknown';
    expect(FAMILIES[family]).toContain(outcome(vector));
  });
});

describeVectors('own/aud-iss-sub, the audiences', () => {
  const Case = z.object({ aud: z.json().optional(), azp: z.string().optional(), expect: z.string() });
  const { cases } = z.object({ cases: z.array(Case) }).parse(readVectors('own/aud-iss-sub.json'));
  const audiences = cases.filter((vector) => vector.aud !== undefined);

  it('are 18; issuers and subjects are compared where they are registered', () => {
    expect(audiences).toHaveLength(18);
  });

  it.each(audiences)('$aud: $expect', ({ aud, azp, expect: verdict }) => {
    const claims = { aud: aud as JsonValue, ...(azp === undefined ? {} : { azp }) };
    // "By profile" is a refusal here: there is one profile, and it takes exactly one audience.
    expect(checkAudience(claims, ['sts.example.test']).ok).toBe(verdict === 'grant');
  });
});
