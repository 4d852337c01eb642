// What an STS does about an issuer whose store began anew: an epoch of that issuer, once for each beginning, whoever of the replicas hears of it first.
import { newAction } from '../../base/audit/new-action.ts';
import type { Epoch } from '../../base/core/epoch.ts';
import { EPOCH_KEPT_SECONDS } from '../../base/core/limits.ts';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { Random } from '../../base/ports/random.ts';
import type { StsStore } from '../store.ts';

interface Began {
  readonly issuer: string;
  readonly knownSince: EpochSeconds;
  readonly clock: Clock;
  readonly random: Random;
}

/** The epoch that was raised. Precondition: `knownSince` is at most a clock skew ahead (see verifyEvent). Undefined when what was granted before has ended already, or cannot be alive any more. */
export async function issuerEpoch(
  store: Pick<StsStore, 'listEpochs' | 'raiseEpoch'>,
  { clock, issuer, knownSince, random }: Began,
): Promise<Epoch | undefined> {
  const now = clock.nowSeconds();
  if (knownSince < now - EPOCH_KEPT_SECONDS) return undefined;
  const isOurs = (epoch: Epoch): boolean =>
    epoch.scope === 'all' || (epoch.scope === 'issuer' && epoch.name === issuer);
  if ((await store.listEpochs()).some((epoch) => isOurs(epoch) && epoch.at >= knownSince)) return undefined;
  // By the issuer's clock if that is ahead: an epoch below what it claims would be raised again with its next word.
  const at = Math.max(now, knownSince);
  const record = newAction(
    { clock, random },
    {
      actor: { kind: 'server', name: 'sts' },
      action: 'epoch.raise',
      tenant: null,
      target: `issuer ${issuer}`,
      detail: { cause: 'issuer_began_anew', known_since: knownSince },
    },
  );
  return store.raiseEpoch({ scope: { scope: 'issuer', name: issuer }, now: at, record });
}
