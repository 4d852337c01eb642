import { expect, test } from 'vitest';
import { actionRecord, grantedRecord } from '../../storage/conformance/fixtures.ts';
import { appendEntry, type ChainHead, type StoredEntry, startOfChain, UNCHAINED } from './chain.ts';
import { decisionEntry, encodeRecord } from './record.ts';
import type { ChainState } from './store.ts';
import { AuditVerifier, type VerifyOptions } from './verify.ts';

const NOTHING: VerifyOptions = { heads: [], checkpoints: [], from: [] };
const entryAfter = (head: ChainHead, name: string): StoredEntry => {
  const { body, index } = encodeRecord(actionRecord(name));
  return { ...appendEntry(head, body), index };
};
const first = entryAfter(startOfChain('W'), '1');
const second = entryAfter(first, '2');
const third = entryAfter(second, '3');
const stateOf = ({ hash, sequence, writer }: ChainHead): ChainState => ({
  writer,
  sequence,
  hash,
  pruned: { sequence: 0, hash: '' },
});

const run = (options: Partial<VerifyOptions>, entries: readonly StoredEntry[], after: readonly ChainState[]) => {
  const verifier = new AuditVerifier({ ...NOTHING, ...options });
  for (const entry of entries) verifier.add(entry);
  return verifier.finish(after);
};

test('records that were written while it was read are neither cut nor added', () => {
  expect(run({ heads: [stateOf(first)] }, [first, second], [stateOf(third)]).found).toBe(0);
});

test('records of before there was a chain are counted, and their columns checked', () => {
  const { body, index } = decisionEntry(grantedRecord('1'));
  const old = { writer: UNCHAINED, sequence: 7, hash: '', body, index };
  const heads = [{ ...stateOf(old) }];
  expect(run({ heads }, [old], heads)).toMatchObject({ found: 0, unchained: 1, records: 1, writers: 0 });
  const moved = { ...old, index: { ...index, tenant: 'other' } };
  expect(run({ heads }, [moved], heads).findings).toMatchObject([{ flaw: 'index', id: 'D1' }]);
});

test('later records alone are checked from the one before them, which a checkpoint may contradict', () => {
  const heads = [stateOf(third)];
  const from = [stateOf(first)];
  expect(run({ heads, from }, [second, third], heads).found).toBe(0);
  expect(run({ heads, from: [{ ...stateOf(first), hash: 'x' }] }, [second, third], heads).findings).toMatchObject([
    { flaw: 'edited', sequence: 2 },
  ]);
  const checkpoints = [{ issuer: 'i', at: 1, heads: [{ writer: 'W', sequence: 1, hash: 'x' }], pruned: [] }];
  expect(run({ heads, from, checkpoints }, [second, third], heads).findings).toMatchObject([
    { flaw: 'rewritten', sequence: 1 },
  ]);
});

test('checkpoints that contradict each other are a rewritten chain', () => {
  const checkpoints = ['x', first.hash].map((hash, at) => ({
    issuer: 'i',
    at,
    heads: [{ writer: 'W', sequence: 1, hash }],
    pruned: [],
  }));
  const heads = [stateOf(first)];
  const report = run({ heads, checkpoints }, [first], heads);
  expect(report.findings.map(({ flaw }) => flaw)).toEqual(['rewritten', 'rewritten']);
});

test('a writer’s row with another hash than its last record is found', () => {
  const heads = [{ ...stateOf(first), hash: 'x' }];
  expect(run({ heads }, [first], heads).findings).toMatchObject([{ flaw: 'rewritten', sequence: 1, id: 'A1' }]);
});

test('a record that is no JSON is no record, even when its hash is right', () => {
  const entry = { ...appendEntry(startOfChain('W'), 'x'), index: first.index };
  const heads = [stateOf(entry)];
  expect(run({ heads }, [entry], heads).findings).toMatchObject([{ flaw: 'index' }]);
});

test('what was pruned later may still be there', () => {
  const heads = [stateOf(third)];
  const checkpoints = [{ issuer: 'i', at: 1, heads, pruned: [stateOf(second)] }];
  expect(run({ heads, checkpoints }, [first, second, third], heads).found).toBe(0);
  const earlier = { issuer: 'i', at: 0, heads, pruned: [stateOf(first)] };
  expect(run({ heads, checkpoints: [...checkpoints, earlier] }, [second, third], heads).found).toBe(0);
  const claimed = [{ ...stateOf(third), pruned: { sequence: 1, hash: first.hash } }];
  expect(run({ heads: claimed, checkpoints }, [second, third], claimed).found).toBe(0);
});

test('a record at a pruned place is not taken for the one that was there', () => {
  const heads = [stateOf(third)];
  const checkpoints = [{ issuer: 'i', at: 1, heads, pruned: [stateOf(second)] }];
  const { body, index } = encodeRecord(actionRecord('planted'));
  const planted = { ...second, body, index };
  expect(run({ heads, checkpoints }, [planted, third], heads).findings).toMatchObject([
    { flaw: 'removed', sequence: 1 },
  ]);
  const claimed = [{ ...stateOf(third), pruned: { sequence: 1, hash: first.hash } }];
  expect(run({ heads: claimed, checkpoints }, [planted, third], claimed).findings).toMatchObject([
    { flaw: 'edited', sequence: 2, id: 'Aplanted' },
  ]);
});

test('findings are listed up to a bound and counted beyond it', () => {
  const verifier = new AuditVerifier(NOTHING);
  for (let index = 0; index < 1002; index += 1) verifier.refuseCheckpoint('x');
  const report = verifier.finish([]);
  expect([report.found, report.findings.length, report.findings[0]?.flaw]).toEqual([1002, 1000, 'checkpoint']);
});
