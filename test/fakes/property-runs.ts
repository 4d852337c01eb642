// How many random cases a property meets: few enough for everyday runs, as many as asked for by JOBPASS_PROPERTY_RUNS.

/** 2,000, or what JOBPASS_PROPERTY_RUNS says. Throws when that is no whole positive number. */
export function propertyRuns(): number {
  const asked = process.env.JOBPASS_PROPERTY_RUNS;
  if (asked === undefined) return 2000;
  if (!/^[1-9][0-9]{0,8}$/.test(asked)) throw new Error('JOBPASS_PROPERTY_RUNS wants a whole positive number');
  return Number(asked);
}
