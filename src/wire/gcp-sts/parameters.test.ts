// Bodies for Google's STS: a form or JSON, snake or camel case, each parameter once.
import { describe, expect, test } from 'vitest';
import { readParameters } from './parameters.ts';

const read = (body: string, o: { type?: string; headers?: Record<string, string>; query?: string } = {}) =>
  readParameters({
    query: o.query ?? '',
    headers: { 'content-type': o.type ?? 'application/json', ...o.headers },
    body: new TextEncoder().encode(body),
  });
const FORM = 'application/x-www-form-urlencoded';
const named = (...args: Parameters<typeof read>): unknown => {
  const parameters = read(...args);
  return parameters.ok ? Object.fromEntries(parameters.value) : parameters.error.reason;
};

describe('the parameters', () => {
  const wanted = { grant_type: 'x', subject_token: 'a.b.c' };

  test.each([
    ['a form', 'grant_type=x&subject_token=a.b.c', FORM],
    ['a form in camel case', 'grantType=x&subjectToken=a.b.c', `${FORM}; charset=utf-8`],
    ['JSON', '{"grant_type":"x","subject_token":"a.b.c"}', 'application/json'],
    ['JSON in camel case, with nulls', '{"grantType":"x","subjectToken":"a.b.c","scope":null}', 'Application/JSON'],
  ])('of %s are the same', (_what, body, type) => {
    expect(named(body, { type })).toEqual(wanted);
  });

  test('are omitted when they are empty, and no less doubled for it', () => {
    expect(named('scope=&grant_type=x', { type: FORM })).toEqual({ grant_type: 'x' });
    expect(named('scope=&scope=x', { type: FORM })).toBe('request_malformed');
  });

  test('may come with the client that gcloud has, whose secret nobody looks at', () => {
    for (const authorization of ['Basic Z2Nsb3VkOngiLg==', 'basic !!', 'Basic']) {
      expect(named('{"scope":"a"}', { headers: { authorization } })).toEqual({ scope: 'a' });
    }
  });

  test('may hold options as JSON in JSON', () => {
    expect(named('{"options":{"userProject":"42"}}')).toEqual({ options: '{"userProject":"42"}' });
  });

  test.each<[string, ...Parameters<typeof read>]>([
    ['twice in a form', 'scope=a&scope=b', { type: FORM }],
    ['twice in two spellings', 'subject_token=a&subjectToken=b', { type: FORM }],
    ['twice in two spellings of JSON', '{"subject_token":"a","subjectToken":"b"}'],
    ['twice in one spelling of JSON', '{"scope":"a","scope":"b"}'],
    ['twice though nobody knows it', 'x=a&x=b', { type: FORM }],
    ['a number', '{"scope":7}'],
    ['a list', '{"audience":["a"]}'],
    ['an object', '{"audience":{}}'],
    ['broken', '{"scope":"a"', {}],
    ['no object', '["a"]', {}],
    ['broken percent-encoding', 'scope=%zz', { type: FORM }],
    ['of no type', '{}', { type: '' }],
    ['plain text', '{}', { type: 'text/plain' }],
    ['XML', '<a/>', { type: 'application/xml' }],
    ['in the URL', '{}', { query: 'subject_token=a.b.c' }],
    ['beside a bearer token', '{}', { headers: { authorization: 'Bearer a.b.c' } }],
  ])('are refused: %s', (_what, ...args) => {
    expect(named(...args)).toBe('request_malformed');
  });

  test('are never quoted', () => {
    const secret = 'eyJhbGciOi';
    const bodies = [`${secret}=a&${secret}=b`, `scope=${secret}&scope=${secret}`];
    for (const body of bodies) expect(JSON.stringify(read(body, { type: FORM }))).not.toContain(secret);
    expect(JSON.stringify(read(`{"${secret}":7}`))).toContain('eyJhbGciOi is not text');
    expect(JSON.stringify(read(`{"${secret}.${secret}":7}`))).not.toContain(secret);
  });
});
