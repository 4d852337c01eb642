// Single use under fire, on whatever fleet: a token that many present at once is granted once, whatever dies meanwhile, and never while
// the clock is behind.
import { expect, test } from 'vitest';
import { type AuditRows, mostGrantsOfOneToken } from './auditor.ts';
import { tokensOf } from './calls.ts';
import { count, LIMIT_MS } from './counts.ts';
import { breathe } from './exchange-load.ts';
import type { Fleet } from './fleet.ts';
import { Presentations } from './presentations.ts';

const TOKENS = count(100, 1000);
const TIMES = count(20, 100);
const KILLS = count(3, 10);

export interface Proven {
  fleet(): Fleet;
  /** What the STSs' database holds. */
  rows(): AuditRows | Promise<AuditRows>;
  /** Puts the latest time that was acted on a minute further, as if every clock had gone back by that much. */
  raiseMark(): void | Promise<void>;
}

/** Once each, or not at all where a call of the token went unanswered and may have used it up. Whoever had an answer knows. */
function expectGrantedOnce(presentations: Presentations): void {
  const usedUp = presentations.grantedTimes(0);
  console.info(`${presentations.unknown} presentations without an answer, ${usedUp} tokens used up by them`);
  expect(presentations.grantedTimes(1) + usedUp).toBe(TOKENS);
  expect(usedUp).toBeLessThanOrEqual(presentations.unknown);
  expect([...presentations.others]).toEqual([]);
}

/** Registers the tests. The last one leaves the fleet refusing. */
export function proveSingleUse({ fleet, raiseMark, rows }: Proven): void {
  test(
    `${TOKENS} tokens, each presented ${TIMES} times at once: ${TOKENS} grants`,
    async () => {
      const presentations = new Presentations(await tokensOf(fleet(), TOKENS));
      await presentations.present(fleet().doors.sts, TIMES);
      expectGrantedOnce(presentations);
      expect(mostGrantsOfOneToken(await rows(), 'once')).toBe(1);
    },
    LIMIT_MS,
  );

  test(
    `${TOKENS} tokens, with ${KILLS} × kill -9 meanwhile: no token is granted twice, nor afterwards`,
    async () => {
      const presentations = new Presentations(await tokensOf(fleet(), TOKENS));
      let isOver = false;
      const presented = presentations.present(fleet().doors.sts, TIMES).finally(() => {
        isOver = true;
      });
      for (let kill = 0; kill < KILLS && !isOver; kill += 1) {
        await breathe(100 + Math.random() * 300);
        const replica = fleet().stss[kill % fleet().stss.length];
        await replica?.end('SIGKILL');
        await replica?.start();
      }
      await presented;
      await presentations.present(fleet().doors.sts, 2);
      expectGrantedOnce(presentations);
      expect(presentations.unknown).toBeGreaterThan(0);
      expect(mostGrantsOfOneToken(await rows(), 'once')).toBe(1);
    },
    LIMIT_MS,
  );

  test(
    'while the clock is behind the latest time that was acted on, nothing is granted',
    async () => {
      const tokens = await tokensOf(fleet(), 5);
      const presentations = new Presentations(tokens);
      for (const replica of fleet().stss) await replica.end();
      await raiseMark();
      for (const replica of fleet().stss) await replica.start();
      await presentations.present(fleet().doors.sts, 4);
      expect(presentations.grantedTimes(0)).toBe(tokens.length);
      expect(presentations.unknown).toBe(tokens.length * 4);
    },
    LIMIT_MS,
  );
}
