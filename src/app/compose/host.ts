// What every server of one program is started with besides its own plan.
import type { Server } from 'node:http';
import type { TrustedProxies } from '../../base/address/caller-address.ts';
import { type Limits, type Rates, rateLimits } from '../../base/limit/rate-limits.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { Log } from '../../base/ports/log.ts';
import type { LimitsPlan, TlsIdentity } from '../config/plan.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { timedStore } from '../metrics/timed-store.ts';
import type { Drain } from '../server/drain.ts';
import type { ServeRoutesOptions } from '../server/serve-routes.ts';
import { keepIdentity } from '../server/tls-reload.ts';

/** What the program has once, whichever of its servers uses it. */
export interface Host {
  readonly log: Log;
  readonly limits: LimitsPlan;
  /** Of the whole program. */
  readonly metrics: Metrics;
  /** Who may read the metrics besides this machine. */
  readonly metricsFrom: TrustedProxies;
  /** Whether a listener of its own shows the metrics: then no public one does, to nobody. */
  readonly hasMetricsListener: boolean;
}

/** What a listener of routes is bound with, as its host has it. `name` is the server's, for counting. */
export function boundsOf(
  { hasMetricsListener, limits, log, metrics, metricsFrom }: Host,
  { drain, name }: { readonly drain: Drain; readonly name: 'issuer' | 'sts' },
): Omit<ServeRoutesOptions, 'routes' | 'ready' | 'tls' | 'limits'> {
  const { connectionsPerSource, trustedProxies } = limits;
  return {
    drain,
    log,
    connectionsPerSource,
    trustedProxies,
    ...(hasMetricsListener ? {} : { metrics: { text: () => metrics.text(), from: metricsFrom } }),
    onAnswered: (status) => metrics.answered(name, status),
    onTurnedAway: () => metrics.limited(name, 'connection'),
  };
}

/** Keeps the certificates of a server's listeners up to date. */
export function keepCertificates(
  { log, metrics }: Host,
  server: string,
  listeners: readonly { readonly server: Server; readonly tls: TlsIdentity | null }[],
): { reload(): void; close(): void } {
  const kept = listeners.flatMap((listener) => keepIdentity(listener.server, listener.tls, log) ?? []);
  const [first] = kept;
  if (first !== undefined) metrics.watchCertificate(server, () => first.expiresAt());
  return {
    reload: () => {
      for (const one of kept) one.reload();
    },
    close: () => {
      for (const one of kept) one.close();
    },
  };
}

/** The limits of one server, counted under its name. */
export const limitsOf = ({ limits, metrics }: Host, { clock, name, rates = limits.rates }: LimitsOf): Limits =>
  rateLimits(rates, { clock, onLimited: (kind) => metrics.limited(name, kind) });

/** A store whose writes are measured. */
export const timed = <Store extends object>(
  { metrics }: Host,
  server: string,
  opened: { readonly store: Store; readonly operations: readonly (keyof Store & string)[] },
): Store =>
  timedStore(opened.store, {
    operations: opened.operations,
    onDone: (operation, tookMs, failed) => metrics.wrote(server, operation, { tookMs, failed }),
  });

interface LimitsOf {
  readonly clock: Clock;
  readonly name: string;
  readonly rates?: Rates;
}
