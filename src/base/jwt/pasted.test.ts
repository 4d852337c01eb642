import { expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../core/limits.ts';
import { withoutTrailingSpace } from './pasted.ts';

test.each([
  ['a.b.c', 'a.b.c'],
  ['a.b.c\n', 'a.b.c'],
  ['a.b.c \t\r\n', 'a.b.c'],
  [' a b', ' a b'],
  // No token's business: what the strict parser refuses stays for it to refuse.
  ['a.b.c\u00a0', 'a.b.c\u00a0'],
  ['a.b.c\v', 'a.b.c\v'],
  ['\n\n', ''],
  ['', ''],
])('of %j is left %j', (token, left) => {
  expect(withoutTrailingSpace(token)).toBe(left);
});

test('a body full of spaces inside a token is read like any other', () => {
  // Read as the square of its length this outlives the test.
  const spaces = `${' '.repeat(MAX_BODY_BYTES)}x`;
  expect(withoutTrailingSpace(spaces)).toBe(spaces);
});
