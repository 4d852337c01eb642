// Why nothing is granted though the policy allows it: a freeze, or an epoch. The store decides within the grant; this says which one it was.
import { type Epoch, formatScope, isWithin, type Scoped } from '../base/core/epoch.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { Freeze, StsStore } from './store.ts';

/** What is to be granted, and since when its token can be. */
export interface Stoppable extends Scoped {
  readonly issuedFrom: EpochSeconds;
}

/** `epoch_raised` or `granting_frozen`, in this order, as the store has it now; undefined when neither stands. Rejects when the store does. */
export async function findStop(
  store: Pick<StsStore, 'listEpochs' | 'listFreezes'>,
  of: Stoppable,
): Promise<Failure | undefined> {
  const epoch = (await store.listEpochs()).find((one) => one.at >= of.issuedFrom && isWithin(one, of));
  if (epoch !== undefined) return raised(epoch);
  const freeze = (await store.listFreezes()).find((one) => isWithin(one, of));
  return freeze === undefined ? undefined : frozen(freeze);
}

const raised = (epoch: Epoch): Failure =>
  failure(
    'epoch_raised',
    `an operator ended what was issued up to ${moment(epoch.at)}, of ${formatScope(epoch)}: a newer token is needed`,
  );

const frozen = (freeze: Freeze): Failure =>
  failure('granting_frozen', `an operator froze ${formatScope(freeze)} at ${moment(freeze.since)}`);

const moment = (at: EpochSeconds): string => new Date(at * 1000).toISOString();
