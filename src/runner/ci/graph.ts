// The order of jobs. Pure: names and what each needs, nothing of what they do.

/** What each job needs, by name. */
export type Needs = ReadonlyMap<string, readonly string[]>;

/**
 * One way round each knot of jobs that wait for each other, as `[a, b, a]`; empty when the jobs have an order.
 * Needs that name no job are ignored.
 */
export function findCycles(needs: Needs): readonly (readonly string[])[] {
  const cycles: (readonly string[])[] = [];
  const left = new Map(needs);
  for (;;) {
    removeOrdered(left);
    const first = left.keys().next();
    if (first.done === true) return cycles;
    const cycle = walkRound(left, first.value);
    cycles.push(cycle);
    for (const name of cycle) left.delete(name);
  }
}

/** Takes away every job that can run before the knots: what is left has at least one need that is left. */
function removeOrdered(left: Map<string, readonly string[]>): void {
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [name, wanted] of left) {
      if (!wanted.some((need) => left.has(need))) left.delete(name);
    }
  }
}

function walkRound(left: Needs, start: string): readonly string[] {
  const path: string[] = [];
  let at = start;
  while (!path.includes(at)) {
    path.push(at);
    at = (left.get(at) ?? []).find((need) => left.has(need)) ?? at;
  }
  return [...path.slice(path.indexOf(at)), at];
}

/** The chosen jobs and everything they need, directly or not. */
export function closureOf(needs: Needs, chosen: readonly string[]): ReadonlySet<string> {
  const wanted = new Set<string>();
  const open = [...chosen];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (wanted.has(name)) continue;
    wanted.add(name);
    open.push(...(needs.get(name) ?? []));
  }
  return wanted;
}
