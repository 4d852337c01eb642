// What an evaluation may cost, in one currency. It counts; it measures no time, so that a decision is the same everywhere.

/**
 * What one evaluation may cost. A unit is one visited node of an expression inside a macro, about 25 ns; work that grows
 * with its input is charged in the same money, so that all of it takes about half of the 50 ms that an evaluation has.
 */
export const MAX_COST = 500_000;

/** What is left to spend. */
export interface Meter {
  left: number;
}

/** Thrown when nothing is left. Nothing in an expression can catch it, as `||` would absorb an error value. */
export class OverBudget extends Error {}

/** Takes `units` from what the evaluation may still cost. */
export function charge(meter: Meter, units: number): void {
  meter.left -= units;
  if (meter.left < 0) throw new OverBudget();
}

/** Characters that are worth one unit: copying and comparing text is quick. */
const CHARS_PER_UNIT = 32;

/** Charges for looking at every character of a text. */
export const chargeText = (meter: Meter, chars: number): void => charge(meter, 1 + Math.ceil(chars / CHARS_PER_UNIT));

/** Character comparisons that are worth one unit, where a search must start over again and again. */
const COMPARISONS_PER_UNIT = 128;

/** Charges for looking for `part` anywhere in a text: at worst every character of the one meets every one of the other. */
export const chargeSearch = (meter: Meter, chars: number, part: number): void =>
  charge(meter, 1 + Math.ceil((chars * (part + 1)) / COMPARISONS_PER_UNIT));
