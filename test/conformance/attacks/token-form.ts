// Attacks on the form of a token: what the parser refuses, and what it never does.
import { expect, it } from 'vitest';
import { encodeBase64url as encode } from '../../../src/base/jwt/base64url.ts';
import { signCompact, tokenOf } from '../signing.ts';
import { attempt, es, withParts } from './issuer.ts';

/** The tests of each attack, by its id in own/attacks.json. */
export const FORM_ATTACKS: Readonly<Record<string, () => void>> = {
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
};
