// Epochs as gateways are told of them: their content address, so that a list is sent once, and their form on the wire.
import { hash } from 'node:crypto';
import * as z from 'zod';
import { type Epoch, type EpochScope, nameOfScope, scopeOf } from '../../base/core/epoch.ts';
import type { JsonObject } from '../../base/core/json.ts';

/** Operators raise them by hand, and they are forgotten after a day and a half. */
const MAX_EPOCHS = 10_000;

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const canonical = (epoch: Epoch): string => JSON.stringify([epoch.scope, nameOfScope(epoch), epoch.at]);

/** The same for the same epochs, in whatever order. */
export const epochsIdOf = (epochs: readonly Epoch[]): string =>
  hash('sha256', `[${epochs.map(canonical).sort(compare).join(',')}]`);

/** The id of no epochs at all: what every gateway knows before it was told of one. */
export const NO_EPOCHS_ID: string = epochsIdOf([]);

/** One epoch; without a name it is of the scope `all`. */
const epoch = z
  .strictObject({
    scope: z.string(),
    name: z.string().min(1).max(2048).optional(),
    at: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  })
  .transform(({ at, name = '', scope }, context): Epoch => {
    const known: EpochScope | undefined = scopeOf(scope, name);
    if (known !== undefined) return { ...known, at };
    // One that is not understood must not be overlooked.
    context.addIssue({ code: 'custom', message: 'a scope that is not known here' });
    return z.NEVER;
  });

/** The member `epochs` of a message. */
export const epochList = z.array(epoch).max(MAX_EPOCHS);

/** The member `epochs` as JSON. */
export const encodeEpochs = (epochs: readonly Epoch[]): readonly JsonObject[] =>
  epochs.map((one) => {
    const { at, scope } = one;
    return one.scope === 'all' ? { scope, at } : { scope, name: one.name, at };
  });
