import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Claims, JsonValue } from '../core/json.ts';
import { checkAudience, checkTimes } from './claims.ts';

const NOW = 1_800_000_000;
const OPTIONS = { nowSeconds: NOW, skewSeconds: 30, maxLifetimeSeconds: 3600 };
const GOOD = { iat: NOW - 10, exp: NOW + 300 };
const reasonOf = (claims: Claims, options = OPTIONS): string => {
  const checked = checkTimes(claims, options);
  return checked.ok ? 'ok' : checked.error.reason;
};

describe('the times of a token', () => {
  it('are given in whole seconds, rounded so that no fraction lengthens a life', () => {
    expect(checkTimes(GOOD, OPTIONS)).toEqual({ ok: true, value: { issuedAt: NOW - 10, expiresAt: NOW + 300 } });
    const fractions = { iat: NOW - 9.5, exp: NOW + 300.9, nbf: NOW - 9.5 };
    expect(checkTimes(fractions, OPTIONS)).toEqual({
      ok: true,
      value: { issuedAt: NOW - 10, expiresAt: NOW + 300, notBefore: NOW - 9 },
    });
  });

  it.each<[string, Claims, string]>([
    ['no exp', { iat: NOW }, 'claim_missing'],
    ['no iat', { exp: NOW + 1 }, 'claim_missing'],
    ['an exp that only the prototype has', Object.create({ exp: NOW + 1, iat: NOW }), 'claim_missing'],
    ['an exp that is a string', { ...GOOD, exp: `${NOW + 300}` }, 'claim_malformed'],
    ['an exp that is null', { ...GOOD, exp: null }, 'claim_malformed'],
    ['an exp in milliseconds', { ...GOOD, exp: NOW * 1000 }, 'claim_malformed'],
    ['an iat that is an array', { ...GOOD, iat: [NOW] }, 'claim_malformed'],
    ['an nbf that is null', { ...GOOD, nbf: null }, 'claim_malformed'],
    ['an nbf at exp', { ...GOOD, exp: NOW + 20, nbf: NOW + 20 }, 'claim_malformed'],
    ['an iat after exp', { iat: NOW + 10, exp: NOW + 5 }, 'claim_malformed'],
    ['an exp exactly the skew ago', { ...GOOD, exp: NOW - 30, iat: NOW - 60 }, 'token_expired'],
    ['an exp one second less ago', { ...GOOD, exp: NOW - 29, iat: NOW - 60 }, 'ok'],
    ['an nbf exactly the skew ahead', { ...GOOD, nbf: NOW + 30 }, 'ok'],
    ['an nbf a fraction more ahead', { ...GOOD, nbf: NOW + 30.001 }, 'token_not_yet_valid'],
    ['an iat exactly the skew ahead', { ...GOOD, iat: NOW + 30 }, 'ok'],
    ['an iat a fraction more ahead', { ...GOOD, iat: NOW + 30.001 }, 'token_not_yet_valid'],
    ['the longest life', { iat: NOW, exp: NOW + 3600 }, 'ok'],
    ['a longer life', { iat: NOW, exp: NOW + 3601 }, 'token_lifetime_too_long'],
    ['a life longer by a fraction', { iat: NOW, exp: NOW + 3600.5 }, 'token_lifetime_too_long'],
  ])('with %s: %s', (_, claims, reason) => {
    expect(reasonOf(claims)).toBe(reason);
  });

  it('refuses to run with a skew out of range', () => {
    for (const skewSeconds of [-1, 301, Number.NaN]) {
      expect(() => checkTimes(GOOD, { ...OPTIONS, skewSeconds })).toThrow(
        expect.objectContaining({ code: 'ERR_CLOCK_SKEW' }),
      );
    }
  });

  it('hold for no token outside its window, whatever the claims', () => {
    const time = fc.oneof(fc.double(), fc.integer({ min: NOW - 5000, max: NOW + 5000 }), fc.jsonValue());
    fc.assert(
      fc.property(fc.record({ iat: time, exp: time, nbf: time }, { requiredKeys: [] }), (claims) => {
        const checked = checkTimes(claims as Claims, OPTIONS);
        if (!checked.ok) return;
        const { issuedAt, expiresAt, notBefore } = checked.value;
        expect(expiresAt).toBeGreaterThan(NOW - 30);
        expect(issuedAt).toBeLessThanOrEqual(NOW + 30);
        expect(notBefore ?? NOW).toBeLessThanOrEqual(NOW + 30);
        expect(expiresAt - issuedAt).toBeLessThanOrEqual(3600);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the audience of a token', () => {
  const check = (aud: JsonValue | undefined, allowed: readonly string[] = ['sts', 'other']): string => {
    const checked = checkAudience(aud === undefined ? {} : { aud }, allowed);
    return checked.ok ? `ok: ${checked.value}` : checked.error.reason;
  };

  it.each<[JsonValue | undefined, string]>([
    ['sts', 'ok: sts'],
    [['other'], 'ok: other'],
    [undefined, 'claim_missing'],
    ['STS', 'audience_mismatch'],
    ['sts ', 'audience_mismatch'],
    [['sts', 'other'], 'audience_mismatch'],
    [['sts', 'sts'], 'audience_mismatch'],
    [['sts', null], 'audience_mismatch'],
    [[], 'claim_malformed'],
    ['', 'claim_malformed'],
    [[''], 'claim_malformed'],
    [null, 'claim_malformed'],
    [1, 'claim_malformed'],
    [[['sts']], 'claim_malformed'],
    [{ '0': 'sts' }, 'claim_malformed'],
  ])('%j: %s', (aud, outcome) => {
    expect(check(aud)).toBe(outcome);
  });

  it('is never right when no audience is allowed', () => {
    expect(check('sts', [])).toBe('audience_mismatch');
    expect(check('', [''])).toBe('claim_malformed');
  });

  it('does not count when only the prototype has it', () => {
    expect(checkAudience(Object.create({ aud: 'sts' }), ['sts'])).toMatchObject({ error: { reason: 'claim_missing' } });
  });

  it('is not overridden by "azp"', () => {
    expect(checkAudience({ aud: 'x', azp: 'sts' }, ['sts'])).toMatchObject({ error: { reason: 'audience_mismatch' } });
  });
});
