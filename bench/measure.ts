// Measures operations against each other in one run. Absolute numbers of a shared machine swing by a third, so only ratios of
// the same round are evidence; the rounds are interleaved for that.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Something that can be done over and over; `concurrency` are under way at once. */
export interface Subject {
  readonly name: string;
  readonly concurrency: number;
  readonly run: () => unknown;
  /** What the measured process has used of its cores so far, in seconds; where it is given, `costs` are measured too. */
  readonly cpuSeconds?: () => number;
}

export interface Plan {
  readonly rounds: number;
  readonly millisecondsEach: number;
  /** The round before them, which is not measured; half as long as one of them unless given. A server's code is fast only once it ran often. */
  readonly warmUpMilliseconds?: number;
}

/** Operations per second, one number for each round. */
export type Rates = ReadonlyMap<string, readonly number[]>;

/** Rates, and microseconds of the measured process's cores for each operation: other work on the machine costs rates more. */
export interface Measured {
  readonly rates: Rates;
  readonly costs: Rates;
}

interface Round {
  readonly rate: number;
  readonly cost: number;
}

/** A failed operation ends the measurement: a refusal is quick, and would pass for speed. */
async function runRound(subject: Subject, milliseconds: number): Promise<Round> {
  const used = subject.cpuSeconds?.() ?? 0;
  const begin = performance.now();
  const end = begin + milliseconds;
  let count = 0;
  const lane = async (): Promise<void> => {
    // At least a breath for the event loop now and then, also when the subject never waits.
    for (let own = 1; performance.now() < end; own += 1) {
      await subject.run();
      count += 1;
      if (own % 64 === 0) await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: subject.concurrency }, lane));
  const rate = (count * 1000) / (performance.now() - begin);
  return { rate, cost: (((subject.cpuSeconds?.() ?? 0) - used) * 1_000_000) / count };
}

/** As `measureWithCosts`, the rates alone. */
export const measure = async (subjects: readonly Subject[], plan: Plan): Promise<Rates> =>
  (await measureWithCosts(subjects, plan)).rates;

/** Every subject once per round, the order turned by one each time; a first round only warms up. */
export async function measureWithCosts(subjects: readonly Subject[], plan: Plan): Promise<Measured> {
  const rates = new Map<string, number[]>(subjects.map((subject) => [subject.name, []]));
  const costs = new Map<string, number[]>(subjects.map((subject) => [subject.name, []]));
  const { millisecondsEach, warmUpMilliseconds = millisecondsEach / 2 } = plan;
  for (let round = -1; round < plan.rounds; round += 1) {
    const first = Math.max(round, 0) % subjects.length;
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      const done = await runRound(subject, round < 0 ? warmUpMilliseconds : millisecondsEach);
      if (round < 0) continue;
      rates.get(subject.name)?.push(done.rate);
      costs.get(subject.name)?.push(done.cost);
    }
  }
  return { rates, costs };
}

interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
}

const show = ({ median, least, most }: Spread, digits: number): string =>
  `${median.toFixed(digits).padStart(8)}   ${least.toFixed(digits)}–${most.toFixed(digits)}`;

/** One line for each subject: median and range of its rate. */
export function printRates(rates: Rates, unit = 'operations per second'): void {
  console.log(`${unit}, median and range`);
  for (const [name, values] of rates) console.log(`  ${name.padEnd(62)}${show(spreadOf(values), 0)}`);
}

/** One line: the median and range of the ratio, formed round by round. `goal` is what to hold it against. */
export function printRatio(rates: Rates, [upper, lower]: readonly [string, string], goal = ''): void {
  const below = rates.get(lower) ?? [];
  const ratios = (rates.get(upper) ?? []).map((rate, round) => rate / (below[round] ?? Number.NaN));
  console.log(`  ${`${upper} / ${lower}`.padEnd(62)}${show(spreadOf(ratios), 2)}${goal === '' ? '' : `   ${goal}`}`);
}
