// Whose word about addresses is taken, and how far it reaches.
import { describe, expect, test } from 'vitest';
import { type AddressRange, parseRange } from './address.ts';
import { callerAddress, isTrusted, sourceOf } from './caller-address.ts';

const ranges = (...texts: string[]): readonly AddressRange[] =>
  texts.map((text) => {
    const range = parseRange(text);
    if (range === undefined) throw new Error(text);
    return range;
  });

const PROXIES = ranges('10.0.0.0/8', '2001:db8:ffff::/48');
const callerOf = (peer: string | undefined, ...headers: string[]) => callerAddress(peer, headers, PROXIES);

describe('the caller', () => {
  test.each<[string, string, string[], string]>([
    ['is the peer, whatever it says, when it is no trusted proxy', '198.51.100.9', ['192.0.2.1'], '198.51.100.9'],
    ['is whom a trusted proxy speaks for', '10.1.2.3', ['192.0.2.1'], '192.0.2.1'],
    [
      'is found from the right: what stands left of it is its own invention',
      '10.1.2.3',
      ['10.9.9.9, 192.0.2.1'],
      '192.0.2.1',
    ],
    ['is found behind several trusted proxies', '10.1.2.3', ['1.1.1.1, 192.0.2.1, 10.7.7.7'], '192.0.2.1'],
    ['is found in the last of several headers', '10.1.2.3', ['1.1.1.1', '192.0.2.1'], '192.0.2.1'],
    ['is the proxy itself when it speaks for nobody', '10.1.2.3', [], '10.1.2.3'],
    ['is the first proxy when all are trusted', '10.1.2.3', ['10.4.4.4, 10.5.5.5'], '10.4.4.4'],
    ['may have a port', '10.1.2.3', ['192.0.2.1:4711'], '192.0.2.1'],
    ['may be of the other family', '10.1.2.3', ['2001:db8::7'], '2001:db8::7'],
    ['may be of the other family, with a port', '10.1.2.3', ['[2001:db8::7]:443'], '2001:db8::7'],
    ['may come through a proxy of the other family', '2001:db8:ffff::1', ['192.0.2.1'], '192.0.2.1'],
    ['is plain where a listener shows both families', '::ffff:10.1.2.3', ['::ffff:192.0.2.1'], '192.0.2.1'],
    ['is nobody’s address where a trusted proxy names none', '10.1.2.3', ['192.0.2.1, unknown'], ''],
    ['is nobody’s address where an entry is empty', '10.1.2.3', ['192.0.2.1,'], ''],
    ['is nobody’s address behind an obfuscated name', '10.1.2.3', ['_hidden'], ''],
  ])('%s', (_what, peer, headers, caller) => {
    expect(callerOf(peer, ...headers)).toBe(caller);
  });

  test('is the peer where no proxy is trusted, and nobody where there is no peer', () => {
    expect(callerAddress('10.1.2.3', ['192.0.2.1'], [])).toBe('10.1.2.3');
    expect(callerAddress(undefined, ['192.0.2.1'], PROXIES)).toBe('');
  });

  test('is looked for in no more than 32 entries', () => {
    expect(callerOf('10.1.2.3', `192.0.2.1, ${Array(40).fill('10.0.0.1').join(', ')}`)).toBe('10.0.0.1');
  });
});

test('a range of one family trusts no address of the other, and garbage is not trusted', () => {
  expect(isTrusted('::a01:203', ranges('10.0.0.0/8'))).toBe(false);
  expect(isTrusted('10.1.2.3.4', PROXIES)).toBe(false);
  expect(isTrusted('', ranges('0.0.0.0/0', '::/0'))).toBe(false);
});

test('an IPv4 address counts alone, an IPv6 address with its /64', () => {
  expect(sourceOf('192.0.2.1')).not.toBe(sourceOf('192.0.2.2'));
  expect(sourceOf('2001:db8::1')).toBe(sourceOf('2001:db8::ffff:0:0:9'));
  expect(sourceOf('2001:db8:0:1::1')).not.toBe(sourceOf('2001:db8::1'));
});
