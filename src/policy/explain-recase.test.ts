import { describe, expect, it } from 'vitest';
import { recased, recasedWithin } from './explain-recase.ts';

describe('a wanted text in the case of a presented one', () => {
  it.each([
    ['refs/heads/main', 'refs/heads/Main', 'refs/heads/Main'],
    ['repo:Acme/web:ref:refs/heads/main', 'repo:acme/web:ref:refs/heads/main', 'repo:acme/web:ref:refs/heads/main'],
    ['repo:Acme/web:*', 'repo:acme/web:environment:Production', 'repo:acme/web:*'],
    ['repo:Acme/*:ref:refs/heads/Main', 'repo:acme/web:ref:refs/heads/main', 'repo:acme/*:ref:refs/heads/main'],
    ['*:Main', 'x:main', '*:main'],
    ['**/Web?', 'a/b/web1', '**/web?'],
  ])('%s for %s: %s', (wanted, presented, written) => {
    expect(recased(wanted, presented)).toBe(written);
  });

  it.each([
    ['main', 'main'],
    ['main', 'Mains'],
    ['Main', 'xmain'],
    ['repo:Acme/*', 'repo:other/web'],
    ['*:Main', 'x:main:y'],
    ['Straße', 'STRASSE'],
    ['x', 'İ'],
  ])('is none of %s for %s', (wanted, presented) => {
    expect(recased(wanted, presented)).toBeUndefined();
  });
});

it.each([
  ["assertion.ref == 'refs/heads/Main'", 'refs/heads/main', "assertion.ref == 'refs/heads/main'"],
  ["assertion.ref == 'refs/heads/main'", 'refs/heads/main', undefined],
  ["assertion.a == 'X' || assertion.b == 'X'", 'x', undefined],
  ["assertion.a == 'y'", 'x', undefined],
  ["assertion.a == 'y'", '', undefined],
  ["assertion.a == 'İ'", 'i', undefined],
])('within %s for %j: %j', (expression, presented, written) => {
  expect(recasedWithin(expression, presented)).toBe(written);
});
