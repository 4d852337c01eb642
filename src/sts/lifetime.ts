// How long a session lives: the smallest of every bound that applies. Pure.
import type { Wire } from '../base/audit/record.ts';
import type { LifetimeTrace } from '../base/core/decision.ts';
import { type Failure, failure } from '../base/core/reasons.ts';
import { err, ok, type Result } from '../base/core/result.ts';
import type { EpochSeconds } from '../base/core/time.ts';

/** Design, section 3: without news of the job's end a session dies soon, unless the operator set a bound for the issuer. */
export const UNBOUND_SESSION_SECONDS = 20 * 60;

export interface LifetimeBounds {
  readonly now: EpochSeconds;
  /** What the request asks for; undefined: as much as the rest allows. */
  readonly askedSeconds: number | undefined;
  readonly roleSeconds: number;
  /** The tenant's ceiling. */
  readonly ceilingSeconds: number;
  /** The bound set for the issuer; null: none. */
  readonly issuerSeconds: number | null;
  /** Whether the STS hears of the job's end. */
  readonly jobBound: boolean;
  /** When the job must be over; null: not told. */
  readonly deadline: EpochSeconds | null;
  /** The end of the session that this one comes of; undefined: it comes of none. */
  readonly parentEnd?: EpochSeconds | undefined;
}

/** cloud-wire §1.8: botocore renews credentials 15 minutes before their end, so shorter ones are renewed at every call. */
const LEAST_CALM_SECONDS = 20 * 60;

/** The lifetime, with a note when clients of the wire will suffer from it. */
export function notedLifetime(lifetime: LifetimeTrace, wire: Wire): LifetimeTrace {
  if (wire !== 'aws' || lifetime.givenSeconds >= LEAST_CALM_SECONDS) return lifetime;
  return { ...lifetime, note: 'shorter than 20 min: boto3 asks for new credentials before every call' };
}

type Bound = readonly [LifetimeTrace['boundBy'], number];

/**
 * The lifetime in whole seconds, at least one, and which bound gave it (of equal ones the first in the trace's order).
 * Errors: duration_invalid for an asked value that is no whole positive number; lifetime_exhausted when nothing is left.
 */
export function sessionLifetime(
  bounds: LifetimeBounds,
): Result<LifetimeTrace, Failure & { readonly trace?: LifetimeTrace }> {
  const { askedSeconds } = bounds;
  if (askedSeconds !== undefined && !(Number.isSafeInteger(askedSeconds) && askedSeconds > 0)) {
    return err(failure('duration_invalid', 'the asked lifetime is not a whole positive number of seconds'));
  }
  const issuerSeconds = bounds.issuerSeconds ?? (bounds.jobBound ? undefined : UNBOUND_SESSION_SECONDS);
  const untilDeadlineSeconds = bounds.deadline === null ? undefined : bounds.deadline - bounds.now;
  const untilParentSeconds = bounds.parentEnd === undefined ? undefined : bounds.parentEnd - bounds.now;
  const candidates: readonly (readonly [LifetimeTrace['boundBy'], number | undefined])[] = [
    ['asked', askedSeconds],
    ['role', bounds.roleSeconds],
    ['ceiling', bounds.ceilingSeconds],
    ['issuer', issuerSeconds],
    ['deadline', untilDeadlineSeconds],
    ['parent', untilParentSeconds],
  ];
  const applying = candidates.filter((candidate): candidate is Bound => candidate[1] !== undefined);
  const [boundBy, smallest] = applying.reduce((least, bound) => (bound[1] < least[1] ? bound : least));
  const trace: LifetimeTrace = {
    ...(askedSeconds === undefined ? {} : { askedSeconds }),
    roleSeconds: bounds.roleSeconds,
    ceilingSeconds: bounds.ceilingSeconds,
    ...(issuerSeconds === undefined ? {} : { issuerSeconds }),
    ...(untilDeadlineSeconds === undefined ? {} : { untilDeadlineSeconds }),
    ...(untilParentSeconds === undefined ? {} : { untilParentSeconds }),
    givenSeconds: Math.max(0, Math.floor(smallest)),
    boundBy,
  };
  if (trace.givenSeconds >= 1) return ok(trace);
  return err({ ...failure('lifetime_exhausted', `nothing is left within the bound of the ${boundBy}`), trace });
}
