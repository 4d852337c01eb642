// The metrics of this program, as its parts report to them. What each says stands in the catalogue.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { formatRoleRef } from '../../base/core/decision.ts';
import type { LimitKind } from '../../base/limit/rate-limits.ts';
import type { Clock } from '../../base/ports/clock.ts';
import type { GatewayObserver } from '../../gateway/observer.ts';
import type { KeyStore } from '../../keys/store.ts';
import type { StsObserver } from '../../sts/observer.ts';
import { systemClock } from '../adapters.ts';
import { METRICS } from './catalogue.ts';
import { ClockWatch } from './clock-watch.ts';
import { Registry } from './registry.ts';

const CLOCK_LOOK_MS = 5000;
const LOOP_RESOLUTION_MS = 50;
const NANOSECONDS = 1e9;

/** Ages as the wings tell them; null: never heard. */
type Ages = Readonly<Record<string, number | null>>;

/** All metrics of one program; several servers in one process share them. */
export class Metrics {
  readonly #registry = new Registry(Object.values(METRICS));
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#registry.collect(() => this.#process());
    this.#watchClock();
    this.#watchLoop();
  }

  /** As Prometheus reads them. */
  text(): Promise<string> {
    return this.#registry.text();
  }

  /** What the STS reports. */
  stsObserver(): StsObserver {
    const registry = this.#registry;
    return {
      decided: ({ ms, outcome, reason, role, wire }) => {
        const [tenant, name] = role === null ? ['none', 'none'] : [role.tenant, formatRoleRef(role)];
        registry.count(METRICS.decisions, { wire, outcome, reason: reason ?? 'none', tenant, role: name });
        if (ms !== null) registry.observe(METRICS.exchangeSeconds, { wire, outcome }, ms / 1000);
      },
      drifted: (issuer, { missing, unknown }) => {
        for (const claim of missing) registry.count(METRICS.claims, { issuer, drift: 'missing', claim });
        for (const claim of unknown) registry.count(METRICS.claims, { issuer, drift: 'unknown', claim });
      },
    };
  }

  /** What a gateway reports. */
  gatewayObserver(gateway: string): GatewayObserver {
    return {
      answered: ({ front, reason, status }) =>
        this.#registry.count(METRICS.gatewayRequests, {
          gateway,
          front,
          reason: reason ?? 'none',
          class: classOf(status),
        }),
    };
  }

  /** One answer of a listener of issuer or STS. */
  answered(listener: 'issuer' | 'sts' | 'admin', status: number): void {
    this.#registry.count(METRICS.responses, { listener, class: classOf(status) });
  }

  limited(server: string, kind: LimitKind | 'connection'): void {
    this.#registry.count(METRICS.limited, { server, kind });
  }

  /** One write of a store. */
  wrote(server: string, operation: string, { failed, tookMs }: { tookMs: number; failed: boolean }): void {
    this.#registry.observe(METRICS.storeSeconds, { server, operation }, tookMs / 1000);
    if (failed) this.#registry.count(METRICS.storeFailures, { server, operation });
  }

  /** Asks a server whether it is ready whenever the metrics are read. */
  watchReady(server: string, ready: () => Promise<boolean>): void {
    this.#registry.collect(async () => {
      const isReady = await ready().catch(() => false);
      this.#registry.set(METRICS.ready, { server }, isReady ? 1 : 0);
    });
  }

  /** Asks for ages in milliseconds whenever the metrics are read. */
  watchAges(
    ages: () => { readonly feeds?: Ages; readonly keySets?: Ages; readonly polls?: Ages; readonly gateways?: Ages },
  ): void {
    this.#registry.collect(() => {
      const { feeds = {}, gateways = {}, keySets = {}, polls = {} } = ages();
      for (const [issuer, ms] of Object.entries(feeds)) this.#registry.set(METRICS.feedAge, { issuer }, secondsOf(ms));
      for (const [issuer, ms] of Object.entries(keySets))
        this.#registry.set(METRICS.jwksAge, { issuer }, secondsOf(ms));
      for (const [gateway, ms] of Object.entries(polls))
        this.#registry.set(METRICS.gatewayPollAge, { gateway }, secondsOf(ms));
      for (const [gateway, ms] of Object.entries(gateways))
        this.#registry.set(METRICS.gatewayFeedAge, { gateway }, secondsOf(ms));
    });
  }

  /** Asks when the certificate of a server expires whenever the metrics are read. */
  watchCertificate(server: string, expiresAt: () => number): void {
    this.#registry.collect(() => this.#registry.set(METRICS.certificateExpiry, { server }, expiresAt()));
  }

  /** Looks at a ring whenever the metrics are read; while its store is away, nothing is told of it. */
  watchRing(server: string, ring: string, store: Pick<KeyStore, 'readRing'>): void {
    this.#registry.collect(async () => {
      const { keys } = await store.readRing(ring);
      const active = keys.find(({ state }) => state === 'active');
      if (active === undefined) return;
      this.#registry.set(METRICS.signingKeyAge, { server, ring }, this.#clock.nowSeconds() - active.stateSince);
    });
  }

  #process(): void {
    const registry = this.#registry;
    const { system, user } = process.cpuUsage();
    registry.set(METRICS.residentMemory, {}, process.memoryUsage.rss());
    registry.set(METRICS.cpuSeconds, {}, (user + system) / 1e6);
    registry.set(METRICS.startTime, {}, Math.round((performance.timeOrigin / 1000) * 1000) / 1000);
  }

  #watchClock(): void {
    const watch = new ClockWatch(this.#clock);
    const look = (): void => {
      const step = watch.look();
      if (step !== 0) this.#registry.count(METRICS.clockSteps, { direction: step > 0 ? 'forward' : 'back' });
    };
    setInterval(look, CLOCK_LOOK_MS).unref();
    this.#registry.collect(look);
    for (const direction of ['forward', 'back']) this.#registry.count(METRICS.clockSteps, { direction }, 0);
  }

  #watchLoop(): void {
    const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
    delay.enable();
    this.#registry.collect(() => {
      // What is measured is the time between two ticks; how late the second was is what lies beyond the resolution.
      const late = (ns: number): number => Math.max(0, (ns - LOOP_RESOLUTION_MS * 1e6) / NANOSECONDS);
      this.#registry.set(METRICS.eventLoopDelay, { quantile: '0.5' }, late(delay.percentile(50)));
      this.#registry.set(METRICS.eventLoopDelay, { quantile: '0.99' }, late(delay.percentile(99)));
      this.#registry.set(METRICS.eventLoopDelay, { quantile: '1' }, late(delay.max));
      delay.reset();
    });
  }
}

const classOf = (status: number): string => `${Math.floor(status / 100)}xx`;
const secondsOf = (ms: number | null): number => (ms === null ? Number.POSITIVE_INFINITY : ms / 1000);
