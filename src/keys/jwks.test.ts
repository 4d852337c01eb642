import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import { JobpassError } from '../base/core/errors.ts';
import { publicJwk, thumbprint } from './jwks.ts';

/** RFC 7638 §3.1. */
const RFC_KEY = {
  kty: 'RSA',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  e: 'AQAB',
  alg: 'RS256',
  kid: '2011-04-29',
};

describe('the thumbprint', () => {
  it('is the one of RFC 7638', () => {
    expect(thumbprint(RFC_KEY)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });

  it('is refused for keys that lack a member or are of another type', () => {
    for (const jwk of [
      { kty: 'RSA', n: 'AQ' },
      { kty: 'oct', k: 'AQ' },
      {},
      { kty: 'toString' },
      { kty: 'EC', crv: 'P-256', x: 'AQ', y: 1 },
    ]) {
      expect(() => thumbprint(jwk)).toThrow(JobpassError);
    }
  });
});

describe('public JWKs', () => {
  it.each([
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, ['e', 'kty', 'n']],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, ['crv', 'kty', 'x', 'y']],
    ['EdDSA', generateKeyPairSync('ed25519').privateKey, ['crv', 'kty', 'x']],
  ])('%s has its public members, kid, use and alg, and nothing private', async (algorithm, key, members) => {
    const fromPublic = publicJwk(createPublicKey(key), { use: 'sig', algorithm });
    expect(Object.keys(fromPublic)).toEqual([...members, 'kid', 'use', 'alg']);
    expect(fromPublic).toMatchObject({ use: 'sig', alg: algorithm });
    expect(fromPublic.kid).toBe(await calculateJwkThumbprint({ ...fromPublic }));
    expect(publicJwk(key, { use: 'sig', algorithm })).toEqual(fromPublic);
  });
});
