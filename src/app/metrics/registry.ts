// Counts in memory, and tells them as Prometheus reads them. Every label is bounded: what is not on its list, or beyond its
// number, is `other`, so that no caller can make the text or the memory grow.

/** The values a label may have: these, or any so many; whatever comes beyond them is `other`. */
export type LabelValues = readonly string[] | { readonly atMost: number };

/** What a metric is, and which values its labels may have. */
export interface MetricDefinition<Label extends string = string> {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** One sentence. */
  readonly help: string;
  readonly labels: Readonly<Record<Label, LabelValues>>;
  /** Upper bounds of a histogram, in seconds, rising. */
  readonly buckets?: readonly number[];
}

type Labels<D extends MetricDefinition> = Readonly<Record<keyof D['labels'] & string, string>>;

/** Series of one metric, all labels together; more than these are counted under `other` alone. */
const MAX_SERIES = 1000;
const OTHER = 'other';

interface Series {
  readonly labels: string;
  value: number;
  /** Of a histogram: observations at or below each bound. */
  readonly counts: number[];
  observations: number;
}

class Metric {
  readonly definition: MetricDefinition;
  readonly series = new Map<string, Series>();
  readonly #seen = new Map<string, Set<string>>();

  constructor(definition: MetricDefinition) {
    this.definition = definition;
  }

  at(labels: Readonly<Record<string, string>>): Series {
    const names = Object.keys(this.definition.labels);
    const values = names.map((name) => this.#bounded(name, labels[name] ?? ''));
    const key = values.join('\n');
    const known = this.series.get(key);
    if (known !== undefined) return known;
    const isFull = this.series.size >= MAX_SERIES;
    const written = names.map((name, at) => `${name}="${escaped(isFull ? OTHER : (values[at] ?? ''))}"`).join(',');
    const ofAll = isFull ? this.series.get(OTHER) : undefined;
    if (ofAll !== undefined) return ofAll;
    const made = { labels: written, value: 0, observations: 0, counts: (this.definition.buckets ?? []).map(() => 0) };
    this.series.set(isFull ? OTHER : key, made);
    return made;
  }

  #bounded(name: string, value: string): string {
    const allowed: LabelValues = this.definition.labels[name] ?? [];
    if (!('atMost' in allowed)) return allowed.includes(value) ? value : OTHER;
    const seen = this.#seen.get(name) ?? new Set();
    if (seen.has(value)) return value;
    if (seen.size >= allowed.atMost) return OTHER;
    this.#seen.set(name, seen.add(value));
    return value;
  }
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** All metrics of one program. */
export class Registry {
  readonly #metrics = new Map<MetricDefinition, Metric>();
  readonly #sources: (() => void | Promise<void>)[] = [];

  constructor(definitions: readonly MetricDefinition[]) {
    for (const definition of definitions) this.#metrics.set(definition, new Metric(definition));
  }

  /** Adds to a counter. */
  count<D extends MetricDefinition>(definition: D, labels: Labels<D>, by = 1): void {
    this.#at(definition, labels).value += by;
  }

  /** Adds one observation to a histogram, in seconds. */
  observe<D extends MetricDefinition>(definition: D, labels: Labels<D>, seconds: number): void {
    const series = this.#at(definition, labels);
    series.value += seconds;
    series.observations += 1;
    const { buckets = [] } = definition;
    for (let at = buckets.length - 1; at >= 0 && seconds <= (buckets[at] ?? 0); at -= 1)
      series.counts[at] = (series.counts[at] ?? 0) + 1;
  }

  /** What a gauge, or a counter that somebody else counts, stands at. */
  set<D extends MetricDefinition>(definition: D, labels: Labels<D>, value: number): void {
    this.#at(definition, labels).value = value;
  }

  /** Asks `source` for gauges whenever somebody reads the metrics. What it cannot tell is left out. */
  collect(source: () => void | Promise<void>): void {
    this.#sources.push(source);
  }

  /** The text exposition format, version 0.0.4. */
  async text(): Promise<string> {
    for (const { definition, series } of this.#metrics.values()) if (definition.kind === 'gauge') series.clear();
    await Promise.allSettled(this.#sources.map(async (source) => source()));
    return [...this.#metrics.values()].map(textOf).join('');
  }

  #at(definition: MetricDefinition, labels: Readonly<Record<string, string>>): Series {
    const metric = this.#metrics.get(definition);
    if (metric === undefined) throw new TypeError(`${definition.name} is not registered`);
    return metric.at(labels);
  }
}

function textOf({ definition, series }: Metric): string {
  const { help, kind, name } = definition;
  const lines = [...series.values()].flatMap((one) =>
    kind === 'histogram' ? histogramLines(definition, one) : [`${name}${braced(one.labels)} ${numberOf(one.value)}`],
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.map((line) => `${line}\n`).join('')}`;
}

function histogramLines({ buckets = [], name }: MetricDefinition, series: Series): string[] {
  const { counts, labels, observations, value } = series;
  const bucket = (bound: string, count: number): string =>
    `${name}_bucket${braced([labels, `le="${bound}"`].filter((part) => part !== '').join(','))} ${count}`;
  return [
    ...buckets.map((bound, at) => bucket(String(bound), counts[at] ?? 0)),
    bucket('+Inf', observations),
    `${name}_sum${braced(labels)} ${numberOf(value)}`,
    `${name}_count${braced(labels)} ${observations}`,
  ];
}

const braced = (labels: string): string => (labels === '' ? '' : `{${labels}}`);
const numberOf = (value: number): string => (value === Number.POSITIVE_INFINITY ? '+Inf' : String(value));
