import { expect, test } from 'vitest';
import { actionRecord, grantedRecord, refusedRecord } from '../../storage/conformance/fixtures.ts';
import { decodeRecord } from './decode.ts';
import { type AuditRecord, encodeRecord } from './record.ts';

const RECORDS: readonly AuditRecord[] = [
  { kind: 'decision', ...grantedRecord('1') },
  { kind: 'decision', ...refusedRecord('2') },
  actionRecord('3', { detail: { ['__proto__']: 'own' } }),
  actionRecord('4', { actor: { kind: 'server', name: '' }, tenant: null }),
];

test.each(RECORDS)('a record comes back from its text as it was: $kind $id', (record) => {
  expect(decodeRecord(encodeRecord(record).body)).toStrictEqual(record);
});

test.each([
  ['no JSON', 'x'],
  ['no object', '[]'],
  ['another kind', JSON.stringify({ ...actionRecord('1'), kind: 'decision' })],
  ['an unknown action', JSON.stringify({ ...actionRecord('1'), action: 'session.make' })],
  ['an unknown reason', JSON.stringify({ kind: 'decision', ...refusedRecord('1'), reason: 'toString' })],
  ['a member more', JSON.stringify({ ...actionRecord('1'), more: 1 })],
  ['a member less', JSON.stringify({ ...actionRecord('1'), target: undefined })],
  ['an actor of another kind', JSON.stringify({ ...actionRecord('1'), actor: { kind: 'god', name: '' } })],
])('what no version wrote is no record: %s', (_, body) => {
  expect(decodeRecord(body)).toBeUndefined();
});
