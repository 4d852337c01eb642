// What Prometheus reads, and what no caller can make of it.
import { describe, expect, test } from 'vitest';
import { METRICS } from './catalogue.ts';
import { type MetricDefinition, Registry } from './registry.ts';

const COUNTER = { name: 'a_total', kind: 'counter', help: 'Some.', labels: { kind: ['one', 'two'] } } as const;
const OPEN = { name: 'b_total', kind: 'counter', help: 'More.', labels: { role: { atMost: 2 } } } as const;
const TIMES = { name: 'c_seconds', kind: 'histogram', help: 'Times.', labels: {}, buckets: [0.1, 1] } as const;
const GAUGE = { name: 'd', kind: 'gauge', help: 'Now.', labels: { of: { atMost: 9 } } } as const;

const lines = async (registry: Registry): Promise<readonly string[]> =>
  (await registry.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('a label', () => {
  test('that is not on its list is other', async () => {
    const registry = new Registry([COUNTER]);
    for (const kind of ['one', 'one', 'three', '__proto__', '']) registry.count(COUNTER, { kind });
    expect(await lines(registry)).toEqual(['a_total{kind="one"} 2', 'a_total{kind="other"} 3']);
  });

  test('beyond its number is other, and those before it stay themselves', async () => {
    const registry = new Registry([OPEN]);
    for (let at = 0; at < 50; at += 1) registry.count(OPEN, { role: `r${at}` });
    registry.count(OPEN, { role: 'r0' });
    expect(await lines(registry)).toEqual(['b_total{role="r0"} 2', 'b_total{role="r1"} 1', 'b_total{role="other"} 48']);
  });

  test('cannot break out of its quotes', async () => {
    const registry = new Registry([GAUGE]);
    registry.collect(() => registry.set(GAUGE, { of: 'a"} 1\nb{c="\\' }, 1));
    expect(await lines(registry)).toEqual(['d{of="a\\"} 1\\nb{c=\\"\\\\"} 1']);
  });
});

test('all labels together are bounded too', async () => {
  const wide: MetricDefinition<'a' | 'b'> = {
    name: 'w_total',
    kind: 'counter',
    help: '',
    labels: { a: { atMost: 100 }, b: { atMost: 100 } },
  };
  const registry = new Registry([wide]);
  for (let at = 0; at < 10_000; at += 1) registry.count(wide, { a: String(at % 100), b: String(Math.floor(at / 100)) });
  const counted = await lines(registry);
  expect(counted).toHaveLength(1001);
  expect(counted.at(-1)).toBe('w_total{a="other",b="other"} 9000');
});

test('a histogram counts each observation in every bucket that holds it', async () => {
  const registry = new Registry([TIMES]);
  for (const seconds of [0.05, 0.1, 0.5, 3]) registry.observe(TIMES, {}, seconds);
  expect(await lines(registry)).toEqual([
    'c_seconds_bucket{le="0.1"} 2',
    'c_seconds_bucket{le="1"} 3',
    'c_seconds_bucket{le="+Inf"} 4',
    'c_seconds_sum 3.65',
    'c_seconds_count 4',
  ]);
});

test('gauges are asked for at each reading: what can no longer be told is gone', async () => {
  const registry = new Registry([GAUGE]);
  let known: number | undefined = 1;
  registry.collect(async () => {
    if (known === undefined) throw new Error('the store is away');
    registry.set(GAUGE, { of: 'a' }, known);
  });
  registry.collect(() => registry.set(GAUGE, { of: 'b' }, Number.POSITIVE_INFINITY));
  expect(await lines(registry)).toEqual(['d{of="a"} 1', 'd{of="b"} +Inf']);
  known = undefined;
  expect(await lines(registry)).toEqual(['d{of="b"} +Inf']);
});

test('the catalogue keeps to the conventions: names, units, bounded labels', () => {
  for (const { help, kind, labels, name } of Object.values(METRICS) as MetricDefinition[]) {
    expect(name).toMatch(/^(?:jobpass|process)_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    expect(help).toMatch(/\.$/);
    const sizes = Object.values(labels).map((values) => ('atMost' in values ? values.atMost : values.length));
    expect(sizes.every((size) => size > 0 && size <= 250)).toBe(true);
  }
});
