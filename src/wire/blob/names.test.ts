// Names in paths: decoded once, normalised never, and one name for each path.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import { readTarget } from './names.ts';

const target = (path: string) => {
  const read = readTarget(path, 'acme');
  return read.ok ? read.value : read.error.code;
};

describe('a path', () => {
  test('names an account, a container or a blob', () => {
    expect(target('/acme')).toEqual({ kind: 'account' });
    expect(target('/acme/')).toEqual({ kind: 'account' });
    expect(target('/acme/web')).toEqual({ kind: 'container', container: 'web' });
    expect(target('/acme/web/a/b')).toEqual({ kind: 'blob', container: 'web', blob: 'a/b' });
  });

  test.each([
    ['%2e%2e/a', '../a'],
    ['../a', '../a'],
    ['a//b', 'a//b'],
    ['/', '/'],
    ['a%2Fb', 'a/b'],
    ['%252F', '%2F'],
    ['a+b', 'a+b'],
    ['a\\b', 'a\\b'],
    ['%F0%9F%98%80', '😀'],
  ])('/acme/web/%s is %j', (path, blob) => {
    expect(target(`/acme/web/${path}`)).toEqual({ kind: 'blob', container: 'web', blob });
  });

  test.each([
    '',
    'acme/web/a',
    'https://x/acme/web/a',
    '/other/web/a',
    '/acmeweb/a',
    '/ACME/web/a',
    '/%61cme/web/a',
    '//acme/web/a',
    '/acme/web/',
    '/acme/web/a#b',
    '/acme/web/a b',
    '/acme/web/%',
    '/acme/web/%zz',
    '/acme/web/%c0%af',
    '/acme/web/%ed%a0%80',
    '/acme/web/%00',
    `/acme/web/${'a'.repeat(1025)}`,
    `/acme/web/${'%C3%A9'.repeat(513)}`,
    `/acme/web/${'a'.repeat(9000)}`,
  ])('%j is none', (path) => {
    expect(target(path)).toBe('InvalidUri');
  });

  test.each(['we', 'Web', '-web', 'web-', 'we_b', 'we.b', '$root', '$web', 'w%65b', 'a'.repeat(64), '..'])(
    'no container is called %j',
    (name) => {
      expect(target(`/acme/${name}/a`)).toBe('InvalidResourceName');
      expect(target(`/acme/${name}`)).toBe('InvalidResourceName');
    },
  );

  test('gives every name that a client escapes back as it was', () => {
    const names = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
      .filter((name) => !name.includes('\0') && name.isWellFormed());
    fc.assert(
      fc.property(names, (name) => {
        const path = `/acme/web/${encodeURIComponent(name)}`;
        expect(target(path)).toEqual({ kind: 'blob', container: 'web', blob: name });
      }),
      { numRuns: propertyRuns() },
    );
  });
});
