import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { appendEntry, startOfChain } from './chain.ts';

test('an entry’s hash covers its writer, its place, the hash before it and its record, and nothing else', () => {
  const first = appendEntry(startOfChain('W1'), '{"a":"ä"}');
  const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('base64url');
  expect(first).toEqual({ writer: 'W1', sequence: 1, body: '{"a":"ä"}', hash: sha256('W1\n1\n\n{"a":"ä"}') });
  const second = appendEntry(first, '{}');
  expect(second).toEqual({ writer: 'W1', sequence: 2, body: '{}', hash: sha256(`W1\n2\n${first.hash}\n{}`) });
});

test('no two places of any chain have the same hash for one record', () => {
  const first = appendEntry(startOfChain('W1'), '{}');
  const others = [
    startOfChain('W2'),
    first,
    { ...startOfChain('W1'), sequence: 1 },
    { ...startOfChain('W1'), hash: 'x' },
  ];
  const hashes = [first, ...others.map((head) => appendEntry(head, '{}'))].map(({ hash }) => hash);
  expect(new Set(hashes).size).toBe(hashes.length);
});
