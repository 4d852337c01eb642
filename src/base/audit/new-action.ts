// Makes the record of an action that happens now.
import { ID_RANDOM_BYTES, newId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { ActionRecord } from './record.ts';

/** A record with an id of its own. Nothing of it may be a secret. */
export const newAction = (
  { clock, random }: { readonly clock: Pick<Clock, 'nowMs'>; readonly random: Random },
  facts: Pick<ActionRecord, 'actor' | 'action' | 'tenant' | 'target' | 'detail'>,
): ActionRecord => ({
  kind: 'action',
  id: newId('A', random.bytes(ID_RANDOM_BYTES)),
  at: clock.nowMs(),
  ...facts,
});
