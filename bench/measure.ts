// Measures operations against each other in one run. Absolute numbers of a shared machine swing by a third, so only ratios of
// the same round are evidence; the rounds are interleaved for that.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Something that can be done over and over; `concurrency` are under way at once. */
export interface Subject {
  readonly name: string;
  readonly concurrency: number;
  readonly run: () => unknown;
}

export interface Plan {
  readonly rounds: number;
  readonly millisecondsEach: number;
}

/** Operations per second, one number for each round. */
export type Rates = ReadonlyMap<string, readonly number[]>;

/** A failed operation ends the measurement: a refusal is quick, and would pass for speed. */
async function ratePerSecond(subject: Subject, milliseconds: number): Promise<number> {
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
  return (count * 1000) / (performance.now() - begin);
}

/** Every subject once per round, the order turned by one each time; a first round only warms up. */
export async function measure(subjects: readonly Subject[], plan: Plan): Promise<Rates> {
  const rates = new Map<string, number[]>(subjects.map((subject) => [subject.name, []]));
  for (let round = -1; round < plan.rounds; round += 1) {
    const first = Math.max(round, 0) % subjects.length;
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      const rate = await ratePerSecond(subject, round < 0 ? plan.millisecondsEach / 2 : plan.millisecondsEach);
      if (round >= 0) rates.get(subject.name)?.push(rate);
    }
  }
  return rates;
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
export function printRates(rates: Rates): void {
  console.log('operations per second, median and range');
  for (const [name, values] of rates) console.log(`  ${name.padEnd(62)}${show(spreadOf(values), 0)}`);
}

/** One line: the median and range of the ratio, formed round by round. `goal` is what to hold it against. */
export function printRatio(rates: Rates, [upper, lower]: readonly [string, string], goal = ''): void {
  const below = rates.get(lower) ?? [];
  const ratios = (rates.get(upper) ?? []).map((rate, round) => rate / (below[round] ?? Number.NaN));
  console.log(`  ${`${upper} / ${lower}`.padEnd(62)}${show(spreadOf(ratios), 2)}${goal === '' ? '' : `   ${goal}`}`);
}
