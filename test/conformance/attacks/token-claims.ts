// Attacks on the type and the registered claims of a token whose signature is good.
import { expect, it } from 'vitest';
import type { JsonValue } from '../../../src/base/core/json.ts';
import { checkAudience, checkTimes } from '../../../src/base/jwt/claims.ts';
import { checkPlainType, checkType } from '../../../src/base/jwt/token-type.ts';

/** The tests of each attack, by its id in own/attacks.json. */
export const CLAIM_ATTACKS: Readonly<Record<string, () => void>> = {
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
