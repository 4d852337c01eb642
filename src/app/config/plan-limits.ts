// The limits section as a plan, defaults filled in.
import { type AddressRange, parseRange } from '../../base/address/address.ts';
import type { Rates } from '../../base/limit/rate-limits.ts';
import type { Rate } from '../../base/limit/token-buckets.ts';
import { seconds } from './defaults.ts';
import type { LimitsPlan } from './plan.ts';
import type { LimitsSection } from './schema-limits.ts';

/** Far more than one network of runners needs, and a fraction of what a server answers: one address leaves room for others. */
const DEFAULT_RATE: Rate = { perSecond: 1000, burst: 2000 };
/** A job asks for a handful of tokens; clients that ask for one at each call stay below this. */
const DEFAULT_JOB: Rate = { perSecond: 50, burst: 200 };
/** A job that moves many small objects at once. */
const DEFAULT_GATEWAY_JOB: Rate = { perSecond: 500, burst: 2000 };
const DEFAULT_CONNECTIONS_PER_SOURCE = 500;
/** A balancer that looks every two seconds has looked twice. */
const DEFAULT_DRAIN = '5s';

/** What the section says; undefined: it is not there. */
export function planLimits(section: LimitsSection | undefined): LimitsPlan {
  const rates = section?.rates;
  const shared: Rates = {
    source: rateOf(rates?.source, DEFAULT_RATE),
    client: rateOf(rates?.client, DEFAULT_RATE),
    issuer: rateOf(rates?.issuer, DEFAULT_RATE),
    job: rateOf(rates?.job, DEFAULT_JOB),
  };
  return {
    trustedProxies: planRanges(section?.trusted_proxies),
    drainSeconds: seconds(section?.drain ?? DEFAULT_DRAIN),
    connectionsPerSource: section?.connections_per_source ?? DEFAULT_CONNECTIONS_PER_SOURCE,
    rates: shared,
    gatewayRates: { ...shared, job: rateOf(rates?.gateway_job, DEFAULT_GATEWAY_JOB) },
  };
}

/** The ranges of a list that the schema has checked. */
export const planRanges = (texts: readonly string[] | undefined): readonly AddressRange[] =>
  (texts ?? []).map(parseRange).filter((range) => range !== undefined);

const rateOf = (given: { per_second: number; burst?: number | undefined } | undefined, otherwise: Rate): Rate =>
  given === undefined
    ? otherwise
    : { perSecond: given.per_second, burst: given.burst ?? Math.min(2 * given.per_second, Number.MAX_SAFE_INTEGER) };
