// Single use under fire: a token that many present at once is granted once, whatever dies meanwhile, and never while the clock is behind.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tokensOf } from './tools/calls.ts';
import { count, LIMIT_MS } from './tools/counts.ts';
import { breathe } from './tools/exchange-load.ts';
import { type Fleet, makeFleet } from './tools/fleet.ts';
import { Presentations } from './tools/presentations.ts';

const TOKENS = count(100, 1000);
const TIMES = count(20, 100);
const KILLS = count(3, 10);

let fleet: Fleet;

beforeAll(async () => {
  fleet = await makeFleet();
  await fleet.issuers[0]?.start();
  await fleet.stss[0]?.start();
});
afterAll(() => fleet?.close());

/** How often each token has a record of a grant, as the most of any. */
function mostRecordsOfOneToken(): number {
  const raw = new DatabaseSync(join(fleet.folder, 'sts-1/data/sts.db'), { readOnly: true });
  try {
    const row = raw
      .prepare(`SELECT count(*) AS times FROM audit_entry
        WHERE json_extract(body, '$.outcome') = 'granted' AND json_extract(body, '$.role.name') = 'once'
        GROUP BY json_extract(body, '$.tokenId') ORDER BY times DESC LIMIT 1`)
      .get();
    return Number(row?.times);
  } finally {
    raw.close();
  }
}

test(
  `${TOKENS} tokens, each presented ${TIMES} times at once: ${TOKENS} grants`,
  async () => {
    const presentations = new Presentations(await tokensOf(fleet, TOKENS));
    await presentations.present(fleet.doors.sts, TIMES);
    expect(presentations.unanswered).toBe(0);
    expect(presentations.grantedTimes(1)).toBe(TOKENS);
    expect([...presentations.refused]).toEqual([['400 token_invalid', TOKENS * (TIMES - 1)]]);
    expect(mostRecordsOfOneToken()).toBe(1);
  },
  LIMIT_MS,
);

test(
  `${TOKENS} tokens, with ${KILLS} × kill -9 meanwhile: no token is granted twice, nor afterwards`,
  async () => {
    const presentations = new Presentations(await tokensOf(fleet, TOKENS));
    let isOver = false;
    const presented = presentations.present(fleet.doors.sts, TIMES).finally(() => {
      isOver = true;
    });
    for (let kill = 0; kill < KILLS && !isOver; kill += 1) {
      await breathe(100 + Math.random() * 300);
      await fleet.stss[0]?.end('SIGKILL');
      await fleet.stss[0]?.start();
    }
    await presented;
    await presentations.present(fleet.doors.sts, 2);
    console.info(
      `${presentations.unanswered} presentations cut off, ${presentations.grantedTimes(0)} tokens used up by them`,
    );
    expect(presentations.grantedTimes(0) + presentations.grantedTimes(1)).toBe(TOKENS);
    expect(presentations.unanswered).toBeGreaterThan(0);
    expect(mostRecordsOfOneToken()).toBe(1);
  },
  LIMIT_MS,
);

test(
  'while the clock is behind the latest time that was acted on, nothing is granted',
  async () => {
    const presentations = new Presentations(await tokensOf(fleet, 5));
    await fleet.stss[0]?.end();
    const raw = new DatabaseSync(join(fleet.folder, 'sts-1/data/sts.db'));
    raw.exec('UPDATE high_water SET at = at + 60');
    raw.close();
    await fleet.stss[0]?.start();
    await presentations.present(fleet.doors.sts, 4);
    expect(presentations.grantedTimes(0)).toBe(5);
    expect([...presentations.refused]).toEqual([['503 unavailable', 20]]);
  },
  LIMIT_MS,
);
