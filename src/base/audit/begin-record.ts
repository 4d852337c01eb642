// The record of a store that begins anew: why, and what of its audit was lost.
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { newAction } from './new-action.ts';
import type { ActionRecord } from './record.ts';
import type { Begin } from './store-watch.ts';

/** More writers than these are only counted. */
const MAX_LISTED = 100;

/** The record to store with the beginning. `server`: `issuer` or `sts`. */
export function beginRecord(
  { cause, expectedGeneration, history, lost }: Begin,
  { clock, random, server }: { readonly clock: Clock; readonly random: Random; readonly server: string },
): ActionRecord {
  const detail = {
    cause,
    generation: expectedGeneration + 1,
    history,
    lost_records: lost.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    lost: lost.slice(0, MAX_LISTED).map(({ from, to, writer }) => ({ writer, from, to })),
  };
  const actor = { kind: 'server', name: server } as const;
  return newAction({ clock, random }, { actor, action: 'store.begin_anew', tenant: null, target: 'store', detail });
}
