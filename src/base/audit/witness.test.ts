import { describe, expect, it } from 'vitest';
import { decodeWitness, encodeWitness, judgeStore, type StoreView, type Witness, witnessOf } from './witness.ts';

const head = (writer: string, sequence: number, hash = `${writer}${sequence}`) => ({ writer, sequence, hash });
const BEGINNING = { generation: 2, at: 500, history: 'h1', isRestored: false, vouchedAt: null };
const NEVER = { generation: 0, at: null, history: null, isRestored: false, vouchedAt: null };
const FOUND: StoreView = { history: 'h1', beginning: BEGINNING, mark: 1000, heads: [head('a', 7), head('b', 3)] };
const SEEN: Witness = witnessOf(FOUND);
const found = (change: Partial<StoreView>): StoreView => ({ ...FOUND, ...change });

describe('a database', () => {
  it('that holds what was seen in it, or more, is the same', () => {
    expect(judgeStore(SEEN, FOUND)).toEqual({ kind: 'same' });
    const more = found({ mark: 1001, heads: [head('a', 9), head('b', 3), head('c', 1)] });
    expect(judgeStore(SEEN, more)).toEqual({ kind: 'same' });
  });

  it('that is new needs no witness', () => {
    expect(judgeStore(undefined, found({ beginning: NEVER, mark: 0, heads: [] }))).toEqual({ kind: 'same' });
  });

  it('that nobody remembers begins anew', () => {
    for (const change of [{ mark: 0 }, { heads: [] }, {}])
      expect(judgeStore(undefined, found(change))).toEqual({ kind: 'anew', cause: 'no_witness', lost: [] });
  });

  it('that lacks records begins anew, and says which', () => {
    const older = found({ heads: [head('a', 5)] });
    const lost = [
      { writer: 'a', from: 6, to: 7 },
      { writer: 'b', from: 1, to: 3 },
    ];
    expect(judgeStore(SEEN, older)).toEqual({ kind: 'anew', cause: 'older_copy', lost });
  });

  it('that has another record in the same place begins anew', () => {
    const forked = found({ heads: [head('a', 7, 'other'), head('b', 3)] });
    expect(judgeStore(SEEN, forked)).toEqual({
      kind: 'anew',
      cause: 'older_copy',
      lost: [{ writer: 'a', from: 7, to: 7 }],
    });
  });

  it('whose time or beginnings went back begins anew', () => {
    const before = found({ beginning: { ...BEGINNING, generation: 1, at: 300 } });
    for (const older of [found({ mark: 999 }), before])
      expect(judgeStore(SEEN, older)).toEqual({ kind: 'anew', cause: 'older_copy', lost: [] });
  });

  it('with another history begins anew, whatever it holds', () => {
    expect(judgeStore(SEEN, found({ history: 'h2' }))).toEqual({ kind: 'anew', cause: 'history_changed', lost: [] });
  });

  it('that is marked as restored begins anew, witness or not', () => {
    const beginning = { ...BEGINNING, isRestored: true };
    for (const witness of [SEEN, undefined])
      expect(judgeStore(witness, found({ beginning }))).toEqual({ kind: 'anew', cause: 'restored', lost: [] });
  });

  it('that holds nothing although it did is not begun with, unless it is marked', () => {
    const empty = found({ beginning: NEVER, mark: 0, heads: [] });
    expect(judgeStore(SEEN, empty)).toMatchObject({ kind: 'empty' });
    expect(judgeStore({ ...SEEN, heads: [] }, empty)).toMatchObject({ kind: 'empty' });
    const marked = { ...empty, beginning: { ...NEVER, isRestored: true } };
    expect(judgeStore(SEEN, marked)).toMatchObject({ kind: 'anew', cause: 'restored' });
  });
});

describe('a beginning by another server', () => {
  const begun = (change: Partial<typeof BEGINNING>, view: Partial<StoreView> = {}) =>
    found({ ...view, beginning: { ...BEGINNING, generation: 3, at: 1500, ...change } });

  it('is taken over', () => {
    expect(judgeStore(SEEN, begun({}))).toEqual({ kind: 'begun', lost: [] });
  });

  it('for the new history, or for what was lost, is not repeated', () => {
    expect(judgeStore(SEEN, begun({ history: 'h2' }, { history: 'h2' }))).toEqual({ kind: 'begun', lost: [] });
    const shorter = begun({}, { heads: [head('a', 6), head('b', 3), head('c', 1)] });
    expect(judgeStore(SEEN, shorter)).toEqual({ kind: 'begun', lost: [{ writer: 'a', from: 7, to: 7 }] });
  });

  it('is not enough when it was for another history, or before what was seen here', () => {
    expect(judgeStore(SEEN, begun({ history: 'h1' }, { history: 'h2' }))).toMatchObject({ cause: 'history_changed' });
    expect(judgeStore(SEEN, begun({ history: 'h2', at: 999 }, { history: 'h2' }))).toMatchObject({ kind: 'anew' });
    expect(judgeStore(SEEN, begun({ generation: 1, at: 400 }, { heads: [] }))).toMatchObject({ cause: 'older_copy' });
    const known = { ...SEEN, begunAt: 1500, mark: 1400 };
    expect(judgeStore(known, begun({}, { heads: [head('a', 1)] }))).toMatchObject({ cause: 'older_copy' });
  });
});

describe('a witness', () => {
  it('comes back from its file as it was', () => {
    expect(decodeWitness(encodeWitness(SEEN))).toEqual(SEEN);
  });

  it('that is cut, changed in form, or of another version is none', () => {
    const text = encodeWitness(SEEN);
    const others = [
      '',
      text.slice(0, -3),
      text.replace('"version":1', '"version":2'),
      text.replace('"mark":1000', '"mark":-1'),
      '{}',
    ];
    for (const other of others) expect(decodeWitness(other), other).toBeUndefined();
  });
});
