// Work in steps, sorting above all, that can be interrupted, so that a large set does not hold up requests.

/** Entries that are sorted or merged between two steps. */
const RUN = 1000;

/** The entries in order (stable), yielding after each part of the work. The input stays as it is. */
export function* sortInSteps<T>(entries: readonly T[], compare: (a: T, b: T) => number): Generator<void, readonly T[]> {
  let runs: (readonly T[])[] = [];
  for (let at = 0; at < entries.length; at += RUN) {
    runs.push(entries.slice(at, at + RUN).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const longer: (readonly T[])[] = [];
    for (let at = 0; at < runs.length; at += 2)
      longer.push(yield* mergeInSteps(runs[at] ?? [], runs[at + 1] ?? [], compare));
    runs = longer;
  }
  return runs[0] ?? [];
}

function* mergeInSteps<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<void, readonly T[]> {
  const merged: T[] = [];
  let bAt = 0;
  for (const one of a) {
    for (let other = b[bAt]; other !== undefined && compare(other, one) < 0; other = b[bAt]) {
      merged.push(other);
      bAt += 1;
      if (merged.length % RUN === 0) yield;
    }
    merged.push(one);
    if (merged.length % RUN === 0) yield;
  }
  for (; bAt < b.length; bAt += RUN) {
    merged.push(...b.slice(bAt, bAt + RUN));
    yield;
  }
  return merged;
}

/** Runs work in steps to its end. */
export function drain<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** As `drain`, with `breathe` awaited after each step. */
export async function drainSlowly<T>(steps: Generator<void, T>, breathe: () => Promise<void> | undefined): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await breathe();
  }
}
