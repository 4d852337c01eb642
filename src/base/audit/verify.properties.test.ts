// Whatever one thing is done to a chain behind the server's back, the check finds it, and finds nothing where nothing was done.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { propertyRuns } from '../../../test/fakes/property-runs.ts';
import { actionRecord } from '../../storage/conformance/fixtures.ts';
import { appendEntry, type ChainHead, type StoredEntry, startOfChain } from './chain.ts';
import type { Checkpoint } from './checkpoint.ts';
import { encodeRecord } from './record.ts';
import type { AuditReport } from './report.ts';
import type { ChainState } from './store.ts';
import { AuditVerifier } from './verify.ts';

interface Kept {
  readonly entries: readonly StoredEntry[];
  readonly heads: readonly ChainState[];
}

const NOT_PRUNED = { sequence: 0, hash: '' };

/** A chain of `length` records, each with its own name. */
function chainOf(writer: string, length: number): readonly StoredEntry[] {
  let head: ChainHead = startOfChain(writer);
  return Array.from({ length }, (_, index) => {
    const { body, index: found } = encodeRecord(actionRecord(`${writer}${index + 1}`));
    const entry = { ...appendEntry(head, body), index: found };
    head = entry;
    return entry;
  });
}

const headOf = (entry: StoredEntry): ChainHead => ({
  writer: entry.writer,
  sequence: entry.sequence,
  hash: entry.hash,
});

function keep(chains: readonly (readonly StoredEntry[])[]): Kept {
  const heads = chains.flatMap((chain) => chain.slice(-1).map((last) => ({ ...headOf(last), pruned: NOT_PRUNED })));
  return { entries: chains.flat(), heads };
}

/** As the store lists them: each chain by its numbers. */
function verify(kept: Kept, checkpoints: readonly Checkpoint[] = []): AuditReport {
  const verifier = new AuditVerifier({ heads: kept.heads, checkpoints, from: [] });
  for (const entry of kept.entries.toSorted((a, b) => (a.writer === b.writer ? a.sequence - b.sequence : 0)))
    verifier.add(entry);
  return verifier.finish(kept.heads);
}

const checkpointOf = ({ heads }: Kept): Checkpoint => ({ issuer: 'i', at: 1, heads, pruned: [] });

const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 3 });
const world = lengths.map((all) => all.map((length, index) => chainOf(`W${index}`, length)));
/** A world, one of its chains, and a place in it. */
const placed = world.chain((chains) =>
  fc
    .constantFrom(...chains)
    .chain((chain) =>
      fc.record({ chains: fc.constant(chains), chain: fc.constant(chain), at: fc.nat(chain.length - 1) }),
    ),
);

const replaced = (kept: Kept, old: StoredEntry, entry: StoredEntry | undefined): Kept => ({
  ...kept,
  entries: kept.entries.flatMap((other) => (other === old ? (entry ?? []) : other)),
});

function prove<T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, check), { numRuns: propertyRuns() });
}

const firstOf = (report: AuditReport) => report.findings[0];

it('finds nothing in chains as they were written, with and without checkpoints of any moment', () => {
  prove(placed, ({ at, chain, chains }) => {
    const kept = keep(chains);
    const then = chain.slice(at, at + 1).map(headOf);
    const report = verify(kept, [checkpointOf(kept), { issuer: 'i', at: 0, heads: then, pruned: [] }]);
    expect(report).toEqual({
      findings: [],
      found: 0,
      records: kept.entries.length,
      writers: chains.length,
      unchained: 0,
      uncovered: 0,
    });
    expect(verify(kept)).toMatchObject({ found: 0, uncovered: kept.entries.length });
  });
});

it('finds a record whose text was changed by one character', () => {
  prove(fc.tuple(placed, fc.nat(), fc.string({ maxLength: 2 })), ([{ at, chain, chains }, where, text]) => {
    const old = chain[at] as StoredEntry;
    const cut = where % old.body.length;
    const body = old.body.slice(0, cut) + text + old.body.slice(cut + 1);
    fc.pre(body !== old.body);
    const report = verify(replaced(keep(chains), old, { ...old, body }));
    expect(report.found).toBe(1);
    expect(firstOf(report)).toMatchObject({ flaw: 'edited', writer: old.writer, sequence: old.sequence });
  });
});

it('finds a changed hash, at that record alone', () => {
  prove(placed, ({ at, chain, chains }) => {
    const old = chain[at] as StoredEntry;
    const report = verify(replaced(keep(chains), old, { ...old, hash: 'x' }));
    expect(report).toMatchObject({ found: 1, findings: [{ flaw: 'edited', sequence: old.sequence }] });
  });
});

it('finds a column that contradicts its record', () => {
  const change = fc.constantFrom({ kind: 'decision' }, { id: 'A' }, { at: 1 }, { tenant: 'other' }, { tenant: null });
  prove(fc.tuple(placed, change), ([{ at, chain, chains }, column]) => {
    const old = chain[at] as StoredEntry;
    const report = verify(replaced(keep(chains), old, { ...old, index: { ...old.index, ...column } }));
    expect(report).toMatchObject({ found: 1, findings: [{ flaw: 'index', id: expect.anything() }] });
    expect(firstOf(report)?.detail).toContain(Object.keys(column)[0]);
  });
});

it('finds a removed record, wherever it stood', () => {
  prove(placed, ({ at, chain, chains }) => {
    const old = chain[at] as StoredEntry;
    const report = verify(replaced(keep(chains), old, undefined));
    const flaw = at === chain.length - 1 ? 'cut' : 'removed';
    expect(report).toMatchObject({ found: 1, findings: [{ flaw, writer: old.writer, sequence: old.sequence }] });
  });
});

it('finds two records that changed places, by their texts or by their numbers', () => {
  prove(fc.tuple(placed, fc.nat(), fc.boolean()), ([{ at, chain, chains }, other, byText]) => {
    const [a, b] = [chain[at] as StoredEntry, chain[other % chain.length] as StoredEntry];
    fc.pre(a !== b);
    const swap = (to: StoredEntry, from: StoredEntry): StoredEntry =>
      byText ? { ...to, body: from.body, index: from.index } : { ...from, sequence: to.sequence };
    const report = verify(replaced(replaced(keep(chains), a, swap(a, b)), b, swap(b, a)));
    const found = new Set(report.findings.map(({ sequence }) => sequence));
    const places = new Set([a.sequence, b.sequence]);
    expect([...places].filter((place) => !found.has(place))).toEqual([]);
    // The hash that the record after a moved one follows may be gone with it.
    expect([...found].filter((place) => !places.has(place ?? 0) && !places.has((place ?? 0) - 1))).toEqual([]);
  });
});

it('finds a record that stands twice', () => {
  prove(placed, ({ at, chain, chains }) => {
    const old = chain[at] as StoredEntry;
    const kept = keep(chains);
    const report = verify({ ...kept, entries: [...kept.entries, old] });
    expect(report).toMatchObject({ found: 1, findings: [{ flaw: 'reordered', sequence: old.sequence }] });
  });
});

it('finds a cut end by the writer’s own row, and without it by a checkpoint, also when a whole chain is gone', () => {
  prove(placed, ({ at, chain, chains }) => {
    const whole = keep(chains);
    const shorter = keep(chains.map((one) => (one === chain ? one.slice(0, at) : one)));
    const cut = { flaw: 'cut', writer: chain[0]?.writer, sequence: at + 1 };
    expect(verify({ ...whole, entries: shorter.entries })).toMatchObject({ found: 1, findings: [cut] });
    expect(verify(shorter)).toMatchObject({ found: 0 });
    expect(verify(shorter, [checkpointOf(whole)])).toMatchObject({ found: 1, findings: [cut] });
  });
});

it('finds by a checkpoint a chain that was written anew from some record on', () => {
  prove(placed, ({ at, chain, chains }) => {
    const whole = keep(chains);
    let head: ChainHead = chain[at - 1] ?? startOfChain(chain[0]?.writer ?? '');
    const anew = chain.map((entry, place) => {
      if (place < at) return entry;
      const { body, index } = encodeRecord(actionRecord(place === at ? 'other' : `${entry.writer}${place + 1}`));
      const made = { ...appendEntry(head, body), index };
      head = made;
      return made;
    });
    const forged = keep(chains.map((one) => (one === chain ? anew : one)));
    expect(verify(forged)).toMatchObject({ found: 0 });
    const report = verify(forged, [checkpointOf(whole)]);
    expect(report).toMatchObject({ found: 1, findings: [{ flaw: 'rewritten', sequence: chain.length }] });
  });
});

it('finds records behind the end that their writer knows, and a writer that is not known', () => {
  prove(placed, ({ at, chain, chains }) => {
    const whole = keep(chains);
    const known = chain[at - 1];
    const others = whole.heads.filter(({ writer }) => writer !== chain[0]?.writer);
    const heads = known === undefined ? others : [...others, { ...headOf(known), pruned: NOT_PRUNED }];
    const report = verify({ ...whole, heads });
    expect(report).toMatchObject({ found: 1, findings: [{ flaw: 'added', sequence: at + 1 }] });
  });
});

it('takes a beginning as pruned only when a checkpoint says so, up to that very record', () => {
  prove(placed, ({ at, chain, chains }) => {
    const whole = keep(chains);
    const last = chain[at] as StoredEntry;
    const pruned = headOf(last);
    const rest = {
      entries: whole.entries.filter((entry) => entry.writer !== last.writer || entry.sequence > last.sequence),
      heads: whole.heads.map((head) => (head.writer === last.writer ? { ...head, pruned } : head)),
    };
    const said = { ...checkpointOf(whole), pruned: [pruned] };
    expect(verify(rest, [said])).toMatchObject({ found: 0 });
    const flaw = at === chain.length - 1 ? 'cut' : 'removed';
    expect(verify(rest, [checkpointOf(whole)])).toMatchObject({ found: 1, findings: [{ flaw, sequence: 1 }] });
    // One record more is gone than was said.
    const more = {
      ...rest,
      entries: rest.entries.filter(({ sequence, writer }) => writer !== last.writer || sequence > last.sequence + 1),
    };
    fc.pre(at < chain.length - 1);
    const missing = at === chain.length - 2 ? 'cut' : 'removed';
    expect(verify(more, [said])).toMatchObject({ found: 1, findings: [{ flaw: missing, sequence: at + 2 }] });
  });
});
