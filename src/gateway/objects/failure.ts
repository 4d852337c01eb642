// How an object store says no. No adapter's knowledge.
import { type Err, err } from '../../base/core/result.ts';
import type { ObjectFailure, ObjectProblem } from './store.ts';

/** An expected failure as a value. `detail` is for the operator and holds no secret. */
export const objectFailure = (
  problem: ObjectProblem,
  detail: string,
  more: Pick<ObjectFailure, 'current' | 'cause'> = {},
): Err<ObjectFailure> => err({ problem, detail, ...more });

/** `aborted` once the call has ended, else undefined. To be asked right before a change, after all that was waited for. */
export const endedCall = ({ aborted }: AbortSignal): Err<ObjectFailure> | undefined =>
  aborted ? objectFailure('aborted', 'the call was ended before the change') : undefined;
