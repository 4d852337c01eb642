// Spans of resumable uploads.
import { expect, test } from 'vitest';
import { readUploadSpan } from './content-range.ts';

test.each([
  [undefined, { kind: 'rest', first: 0 }],
  ['bytes 0-*/*', { kind: 'rest', first: 0 }],
  ['bytes 7-*/*', { kind: 'rest', first: 7 }],
  ['bytes 0-*/9', { kind: 'bytes', first: 0, last: 8, total: 9 }],
  ['bytes 0-*/0', { kind: 'rest', first: 0 }],
  ['bytes 0-8/9', { kind: 'bytes', first: 0, last: 8, total: 9 }],
  ['bytes 0-8/*', { kind: 'bytes', first: 0, last: 8, total: null }],
  ['bytes */9', { kind: 'query', total: 9 }],
  ['bytes */*', { kind: 'query', total: null }],
])('%s is read', (text, span) => {
  expect(readUploadSpan(text)).toEqual({ ok: true, value: span });
});

test.each([
  '',
  'bytes',
  'bytes 0-9',
  'bytes 9-8/*',
  'bytes 0-9/9',
  'bytes 5-*/4',
  'bytes -1/2',
  'items 0-1/2',
  'bytes 0-1/2 ',
])('%j is refused', (text) => {
  expect(readUploadSpan(text)).toMatchObject({ error: { reason: 'invalid' } });
});
