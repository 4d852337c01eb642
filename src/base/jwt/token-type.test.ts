import { describe, expect, it } from 'vitest';
import { checkPlainType, checkType } from './token-type.ts';

const header = (typ: string | undefined) => ({ alg: 'ES256', ...(typ === undefined ? {} : { typ }) });
const refused = { ok: false, error: { reason: 'token_type_refused' } };

describe('the type of a token', () => {
  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt'])('%s is an access token', (typ) => {
    expect(checkType(header(typ), 'at+jwt').ok).toBe(true);
  });

  it.each([undefined, '', 'JWT', 'jwt', 'at', 'at+jwt ', 'x/at+jwt', 'dpop+jwt', 'secevent+jwt'])(
    '%s is not one',
    (typ) => {
      expect(checkType(header(typ), 'at+jwt')).toMatchObject(refused);
    },
  );

  it.each([undefined, 'JWT', 'jwt', 'application/jwt', 'Application/JWT'])('%s may be an ID token', (typ) => {
    expect(checkPlainType(header(typ)).ok).toBe(true);
  });

  it.each(['', 'at+jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt', 'jobpass-feed+jwt', 'text/jwt', 'JWT\0'])(
    '%j is not an ID token',
    (typ) => {
      expect(checkPlainType(header(typ))).toMatchObject(refused);
    },
  );
});
