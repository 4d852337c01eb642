// How often somebody may ask one server: by the address they come from before anything of theirs is read, and by who they are
// once that is verified. It answers nobody; each wire says no in its own form.
import { type Failure, failure } from '../core/reasons.ts';
import type { Clock } from '../ports/clock.ts';
import { type Rate, TokenBuckets } from './token-buckets.ts';

/** What is counted: an address; an authenticated client; a trusted issuer's tokens; one job's tokens and sessions. */
const LIMIT_KINDS = ['source', 'client', 'issuer', 'job'] as const;
/** One of them. */
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** How often each may come. */
export type Rates = Readonly<Record<LimitKind, Rate>>;

/** The limits of a server, as its parts ask for them. */
export interface Limits {
  /** Counts one request of `name`. `rate_limited` when there were too many; then it was not counted. */
  check(kind: LimitKind, name: string): Failure | undefined;
}

/** No limits: for whoever calls a part of a server without its listener. */
export const NO_LIMITS: Limits = { check: () => undefined };

/** Limits by token buckets. `onLimited` is told of every refusal. */
export function rateLimits(
  rates: Rates,
  { clock, onLimited = () => {} }: { readonly clock: Clock; readonly onLimited?: (kind: LimitKind) => void },
): Limits {
  const buckets = new Map(LIMIT_KINDS.map((kind) => [kind, new TokenBuckets(rates[kind])]));
  return {
    check: (kind, name) => {
      if (buckets.get(kind)?.isExhausted(name, clock.monotonicMs()) === false) return undefined;
      onLimited(kind);
      return failure('rate_limited', `${kind} ${name}: more than ${rates[kind].perSecond} requests a second`);
    },
  };
}
