// One outage under load: broken, looked at, repaired, and what callers were told meanwhile.
import { expect } from 'vitest';
import { bound } from './counts.ts';
import { breathe, type ExchangeLoad } from './exchange-load.ts';

/** How soon after the repair callers must be served. */
export const BACK_LIMIT_MS = bound(5000);
/** Until the first refusal: what was under way may be answered yet. */
const NOTICED_LIMIT_MS = bound(5000);

export interface Outage {
  readonly name: string;
  readonly lastsMs: number;
  /** How soon every refusal must come. */
  readonly refusedLimitMs: number;
  readonly breakIt: () => void | Promise<void>;
  readonly repair: () => void | Promise<void>;
}

/**
 * Precondition: `load` runs. Nothing is granted once the outage is noticed, every refusal is a 503 that says when to come again, and
 * callers are served soon after the repair. The load is stopped.
 */
export async function liveThrough(
  load: ExchangeLoad,
  { breakIt, lastsMs, name, refusedLimitMs, repair }: Outage,
): Promise<void> {
  await load.untilGranted(20);
  load.refused.length = 0;
  await breakIt();
  const broken = performance.now();
  while (load.refused.length === 0) {
    expect(performance.now() - broken).toBeLessThan(NOTICED_LIMIT_MS);
    await breathe(5);
  }
  await breathe(lastsMs / 2);
  const before = load.granted.length;
  await breathe(lastsMs / 2);
  const during = load.granted.length - before;
  await repair();
  const back = await load.untilGranted(1);
  await load.stop();
  const slowest = Math.max(...load.refused.map(({ tookMs }) => tookMs));
  console.info(
    `${name}: ${load.refused.length} calls refused, the slowest in ${Math.round(slowest)} ms; granting again ${Math.round(back)} ms after the repair`,
  );
  expect(during).toBe(0);
  expectTold(load);
  expect(slowest).toBeLessThan(refusedLimitMs);
  expect(back).toBeLessThan(BACK_LIMIT_MS);
}

/** Every refusal was a 503 that says when to come again. */
export function expectTold(load: ExchangeLoad): void {
  for (const { body, retryAfter, status } of load.refused)
    expect([status, body.reason, retryAfter]).toEqual([503, 'unavailable', '1']);
}
