import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from './base64url.ts';

describe('base64url', () => {
  it('gives back any bytes, and their text is the only one accepted for them', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        const text = encodeBase64url(data);
        expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
        expect(Uint8Array.from(decodeBase64url(text) ?? [])).toEqual(data);
      }),
    );
  });

  it('encodes a view of a larger buffer as the view alone, and a string as UTF-8', () => {
    expect(encodeBase64url(Uint8Array.from([1, 2, 3, 4]).subarray(1, 3))).toBe('AgM');
    expect(encodeBase64url('é')).toBe('w6k');
  });

  it.each([
    ['padding', 'QQ=='],
    ['unused bits that are not zero', 'QR'],
    ['a length that no bytes have', 'A'],
    ['the standard alphabet', '-_+/'],
    ['white space', 'QUFB\n'],
    ['leading white space', ' QUFB'],
    ['another character', 'QU?B'],
    ['a full-width letter', 'QUFＢ'],
    ['a NUL', 'QUFB\0'],
  ])('refuses %s', (_, text) => {
    expect(decodeBase64url(text)).toBe(undefined);
  });
});
