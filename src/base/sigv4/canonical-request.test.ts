// Canonical requests: the rules for paths, queries and headers, each by itself.
import { describe, expect, it } from 'vitest';
import { EMPTY_HASH, unsignedRequest } from '../../../test/fakes/signed-requests.ts';
import { canonicalRequest } from './canonical-request.ts';
import { canonicalPath, type PathEncoding } from './path.ts';
import { decode } from './percent.ts';
import { canonicalQuery, parseQuery } from './query.ts';

describe('the canonical path', () => {
  it.each<[PathEncoding, string, string]>([
    ['single', '/', '/'],
    ['single', '//a/./../b/', '//a/./../b/'],
    ['single', '/a%20b%2Bc~%C3%A9', '/a%20b%2Bc~%C3%A9'],
    ['single', '/%41%7E', '/A~'],
    ['single', "/a+b=c!'()*", '/a%2Bb%3Dc%21%27%28%29%2A'],
    ['single', '/a%2Fb', '/a/b'],
    ['single', '/a%252Fb', '/a%252Fb'],
    ['single', '/a%FF%00', '/a%FF%00'],
    ['double', '/a%20b', '/a%2520b'],
    ['double', '//a/./b/../c/', '/a/c/'],
    ['double', '/../..', '/'],
    ['double', '/a/.', '/a'],
  ])('%s: of %s is %s', (encoding, path, canonical) => {
    expect(canonicalPath(path, encoding)).toEqual({ ok: true, value: canonical });
  });
});

describe('the canonical query', () => {
  const canonical = (query: string) => {
    const parameters = parseQuery(query);
    return parameters.ok ? canonicalQuery(parameters.value) : parameters.error.problem;
  };

  it.each([
    ['', ''],
    ['uploads', 'uploads='],
    ['b=2&a=1', 'a=1&b=2'],
    ['a=2&a=10&a=', 'a=&a=10&a=2'],
    ['a-b=&a=', 'a=&a-b='],
    ['a=&B=&_=&10=&9=', '10=&9=&B=&_=&a='],
    ['%C3%A9=1&z=2', '%C3%A9=1&z=2'],
    ['a=b=c', 'a=b%3Dc'],
    ['a=b+c%20d', 'a=b%2Bc%20d'],
    ['prefix=a/b:c', 'prefix=a%2Fb%3Ac'],
    ['%61=1', 'a=1'],
    ['a=1&X-Amz-Signature=abc', 'a=1'],
  ])('of "%s" is "%s"', (query, expected) => {
    expect(canonical(query)).toBe(expected);
  });

  it.each(['a=%', 'a=%2', 'a=%2g', 'a=%2f', '%=1', 'a=é', 'a=\t', '&', 'a=1&', 'a=1&&b=2', '=1', '='])(
    'does not exist for "%s"',
    (query) => {
      expect(canonical(query)).toBe('query_malformed');
    },
  );

  it('stands for UTF-8 text, or for none', () => {
    expect(decode('a%20b%2B%C3%A9')).toBe('a b+é');
    expect(decode('%FF')).toBeUndefined();
  });
});

describe('the canonical headers', () => {
  const canonical = (headers: Readonly<Record<string, readonly string[]>>, signedHeaders: readonly string[]) => {
    const request = unsignedRequest({ headers: new Map(Object.entries(headers)) });
    return canonicalRequest(request, { signedHeaders, payloadHash: EMPTY_HASH, pathEncoding: 'single' });
  };

  it('are exactly the signed ones, trimmed, inner spaces collapsed, repeated ones joined', () => {
    const headers = { host: ['  h  '], a: [' x   y ', 'z'], b: [''], c: ['never'] };
    expect(canonical(headers, ['a', 'b', 'host'])).toEqual({
      ok: true,
      value: `GET\n/\n\na:x y,z\nb:\nhost:h\n\na;b;host\n${EMPTY_HASH}`,
    });
  });

  it('keep tabs and bytes beyond ASCII as they were sent', () => {
    expect(canonical({ host: ['\ta\t\u00c3\u00a9'] }, ['host'])).toMatchObject({
      value: expect.stringContaining('host:\ta\t\u00c3\u00a9\n'),
    });
  });

  it('are made in linear time', () => {
    const started = process.cpuUsage();
    canonical({ host: [`a${' '.repeat(200_000)}b${' '.repeat(200_000)}`] }, ['host']);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(500);
  });

  it('do not exist when a signed one is absent', () => {
    expect(canonical({ host: ['h'] }, ['host', 'range'])).toMatchObject({
      error: { problem: 'signed_header_absent', component: 'range' },
    });
  });
});
