// How often the fault suites do what they do: enough to see it in `npm test`, the whole numbers in `npm run soak`.

/** JOBPASS_SOAK=1 asks for the whole numbers. */
export const isSoak = process.env.JOBPASS_SOAK === '1';

/** The number for `npm test`, or the whole one. */
export const count = (brief: number, whole: number): number => (isSoak ? whole : brief);

/** What takes longer hangs: a soak may be long, a part of `npm test` takes seconds where it has the machine to itself. */
export const LIMIT_MS = isSoak ? 3_600_000 : 240_000;

/** A bound of the design, held to the letter in the soak; in `npm test` with room for whatever else the machine does. */
export const bound = (ms: number): number => (isSoak ? ms : 4 * ms);

/** The value that `share` of all values are not above. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** p50, p95, p99 and the most, in milliseconds. */
export const spread = (values: readonly number[]): string =>
  [0.5, 0.95, 0.99]
    .map((share) => `p${share * 100} ${Math.round(percentile(values, share))} ms`)
    .concat(`max ${Math.round(percentile(values, 1))} ms`)
    .join(', ');
