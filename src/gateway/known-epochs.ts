// The epochs that a gateway was told of. None is taken back: a store of the STS that was put back from a copy may know fewer.
import { type Epoch, formatScope } from '../base/core/epoch.ts';
import { EPOCH_KEPT_SECONDS } from '../base/core/limits.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';
import { epochsIdOf, NO_EPOCHS_ID } from '../wire/feed/epochs.ts';
import type { FeedMessage } from '../wire/feed/message.ts';

/** Epochs by their scope, and the id that the STS gave the last list. */
export class KnownEpochs {
  readonly #byScope = new Map<string, Epoch>();
  #id = NO_EPOCHS_ID;

  /** What the next poll names. */
  get id(): string {
    return this.#id;
  }

  /** Takes the epochs of a message in. Failure (`feed_stale`): it names others than it brings, or others than are known and brings none. */
  take({ epochs, epochsId }: Pick<FeedMessage, 'epochs' | 'epochsId'>): Result<null, Failure> {
    // An STS of a version that knows no epochs; those that were told of before stay.
    if (epochsId === undefined) return ok(null);
    if (epochs === undefined && epochsId === this.#id) return ok(null);
    if (epochs === undefined)
      return err(failure('feed_stale', `the feed names epochs ${epochsId} and does not bring them`));
    if (epochsIdOf(epochs) !== epochsId)
      return err(failure('feed_stale', `the feed brings other epochs than ${epochsId}`));
    for (const epoch of epochs) {
      const scope = formatScope(epoch);
      if (epoch.at >= (this.#byScope.get(scope)?.at ?? 0)) this.#byScope.set(scope, epoch);
    }
    this.#id = epochsId;
    return ok(null);
  }

  /** The epoch that ended what was issued to such a session, if one did. */
  covering({ issuedAt, jobIssuer, role }: Pick<CarriedSession, 'role' | 'jobIssuer' | 'issuedAt'>): Epoch | undefined {
    if (this.#byScope.size === 0) return undefined;
    const tenant = role.slice(0, role.indexOf('/'));
    const scopes = ['all', `issuer ${jobIssuer}`, `tenant ${tenant}`, `role ${role}`];
    return scopes.map((scope) => this.#byScope.get(scope)).find((epoch) => epoch !== undefined && issuedAt <= epoch.at);
  }

  /** Forgets epochs that nothing of before can be alive under, by the STS's clock. */
  forget(stsSeconds: EpochSeconds): void {
    for (const [scope, { at }] of this.#byScope) if (at + EPOCH_KEPT_SECONDS < stsSeconds) this.#byScope.delete(scope);
  }
}
