// Puts the STS together from what it is given: verifier, pipeline, feeds, policies, routes. The only place that knows them all.
import type { AuditStore } from '../base/audit/store.ts';
import type { StoreWatch } from '../base/audit/store-watch.ts';
import type { ClientRegistry } from '../base/client-auth/authenticate.ts';
import type { StsGrant } from '../base/client-auth/client.ts';
import type { Limits } from '../base/limit/rate-limits.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { GuardedFetch } from '../base/ports/fetch.ts';
import type { Route } from '../base/ports/http.ts';
import type { Log } from '../base/ports/log.ts';
import type { Random } from '../base/ports/random.ts';
import { DriftWatch } from '../base/providers/drift.ts';
import { RefusalDesk } from '../base/refusal/desk.ts';
import type { GroupKeys } from '../keys/group-key.ts';
import type { KeyRing } from '../keys/ring.ts';
import { adminRoutes } from './api/admin-routes.ts';
import { awsRoutes } from './api/aws-route.ts';
import { azureRoutes } from './api/azure-routes.ts';
import { gcpRoutes } from './api/gcp-routes.ts';
import { introspectRoute } from './api/introspect-route.ts';
import { publicRoutes } from './api/public-routes.ts';
import { revokeRoute } from './api/revoke-route.ts';
import { scopeRoutes } from './api/scope-routes.ts';
import { sessionRoutes } from './api/session-routes.ts';
import { tokenRoutes } from './api/token-route.ts';
import { freshIdentity, grantingStore, tellingStore } from './begin-anew.ts';
import { EventReceiver } from './events/receiver.ts';
import type { ExchangeDeps } from './exchange.ts';
import { feedRoute } from './feed/feed-route.ts';
import { ceilingsOf } from './judge.ts';
import type { StsObserver } from './observer.ts';
import { ActivePolicies } from './policy-reload.ts';
import type { PolicySource } from './policy-source.ts';
import { RefusalRing } from './refusal-ring.ts';
import { RepeatedRefusals } from './repeated-refusals.ts';
import type { StsSettings } from './settings.ts';
import { Signal } from './signal.ts';
import type { StsStore } from './store.ts';
import { FeedAges } from './verifier/feed-ages.ts';
import { introspectOver } from './verifier/introspect.ts';
import { JwksCache } from './verifier/jwks-cache.ts';
import { trustedIssuers } from './verifier/trusted-issuers.ts';
import type { VerifierDeps } from './verifier/verify.ts';

/** Expired sessions, uses and tombstones are forgotten this often. */
const PRUNE_MS = 60_000;

export interface StsDeps {
  readonly settings: StsSettings;
  readonly store: StsStore & Pick<AuditStore, 'recordAction'>;
  /** The `access-token` ring, ES256. */
  readonly keys: Pick<KeyRing, 'signer' | 'publicJwks' | 'verificationKeys'>;
  /** By group. */
  readonly groupKeys: ReadonlyMap<string, { readonly view: GroupKeys }>;
  readonly clients: ClientRegistry<StsGrant>;
  readonly policySource: PolicySource;
  /** Opened. Absent: the store is always the one that it was. */
  readonly storeWatch?: StoreWatch;
  readonly fetch: GuardedFetch;
  /** How many tokens each issuer and each job may exchange; absent: any number. */
  readonly limits?: Limits;
  /** Told of every decision; absent: nobody is. */
  readonly observer?: StsObserver;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Sts {
  /** For the public listener. */
  readonly routes: readonly Route[];
  /** For the operator's own listener, never the public one. */
  readonly adminRoutes: readonly Route[];
  /**
   * From the end of `start` to `close`, while the store answers. An issuer's outage does not count, since others are served; nor does
   * a freeze, since sessions go on and who is refused should hear it.
   */
  ready(): Promise<boolean>;
  /** Reads the policies (throws ERR_POLICIES_INVALID with every problem), then listens to the issuers. */
  start(): Promise<void>;
  /** Resolves when every issuer with a feed was asked once since `start`, whatever came of it. */
  issuersAsked(): Promise<void>;
  /** How old what it knows is, in milliseconds; null: never heard. */
  ages(): StsAges;
  /** Answers waiting polls now. */
  letGo(): void;
  /** Stops everything that `start` began; what is under way ends first. */
  close(): Promise<void>;
}

/** By issuer, and by gateway: when its poll was last answered. */
interface StsAges {
  readonly feeds: Readonly<Record<string, number | null>>;
  readonly keySets: Readonly<Record<string, number | null>>;
  readonly polls: Readonly<Record<string, number | null>>;
}

/** The STS on its ports. Throws ERR_ISSUER_REGISTRATION for a registration that can never work. Nothing runs before `start`. */
export function createSts(d: StsDeps): Sts {
  const parts = partsOf(d);
  return {
    ...routesOf(d, parts),
    ...lifecycle(d, parts),
    ages: () => agesOf(d, parts),
    letGo: () => parts.news.notify(),
  };
}

type Parts = ReturnType<typeof partsOf>;

/** What knows something of its own: issuers' keys and news, policies. */
function partsOf({ clock, fetch, log, policySource, random, settings, store, storeWatch }: StsDeps) {
  const issuers = trustedIssuers(settings.trustedIssuers);
  const feedIssuers = settings.trustedIssuers.filter((issuer) => issuer.jobStatus.kind === 'feed');
  const news = new Signal();
  const issuerKeys = new JwksCache({ issuers: settings.trustedIssuers, fetch, clock, log });
  const ages = new FeedAges(
    feedIssuers.map((issuer) => issuer.issuer),
    clock,
  );
  const ceilings = ceilingsOf(settings.tenants);
  const policies = new ActivePolicies({ source: policySource, ceilings, clock, log, onChange: () => news.notify() });
  const introspect = introspectOver(fetch, (issuer) => issuerKeys.discovered(issuer));
  const { clockSkewSeconds } = settings;
  const verifier = { issuers, keys: issuerKeys, store, ages, introspect, clock, clockSkewSeconds };
  const receivers = feedIssuers.flatMap((issuer) => {
    const client = issuer.jobStatus;
    if (client.kind === 'none') return [];
    const onEnded = (): void => news.notify();
    const keys = issuerKeys.forEvents();
    return [new EventReceiver({ issuer, client, fetch, keys, store, ages, clock, random, log, onEnded })];
  });
  storeWatch?.onBegun(() => {
    ages.forget();
    news.notify();
  });
  const answeredAt = new Map<string, number>();
  return { news, issuerKeys, ages, answeredAt, ceilings, policies, verifier, receivers };
}

function agesOf({ clock, settings }: StsDeps, { ages, answeredAt, issuerKeys }: Parts): StsAges {
  const now = clock.monotonicMs();
  const sinceAnswer = (at: number | undefined): number | null => (at === undefined ? null : now - at);
  const polls = settings.gateways.map(({ name }) => [name, sinceAnswer(answeredAt.get(name))]);
  return { feeds: ages.agesFrom(ages.snapshot()), keySets: issuerKeys.agesMs(), polls: Object.fromEntries(polls) };
}

/** What the observer is to know of verified tokens. */
function watchClaims({ observer }: StsDeps): Pick<VerifierDeps, 'onVerified'> {
  if (observer === undefined) return {};
  const watch = new DriftWatch();
  return {
    onVerified: ({ issuer, jobStatus }, claims) => {
      const drift = watch.look(issuer, claims, jobStatus.kind !== 'none');
      if (drift !== undefined) observer.drifted(issuer, drift);
    },
  };
}

function routesOf(d: StsDeps, parts: Parts): Pick<Sts, 'routes' | 'adminRoutes'> {
  const { clients, clock, groupKeys, keys, log, random, settings, store } = d;
  const { ages, answeredAt, ceilings, news, policies, verifier } = parts;
  const onAnswered = (gateway: string): void => void answeredAt.set(gateway, clock.monotonicMs());
  const { clockSkewSeconds, gateways, url: stsUrl } = settings;
  const ring = new RefusalRing();
  const refusals = new RefusalDesk({ clock, random, log });
  const narrowing = { awsPolicies: settings.awsPolicies, resources: resourcesOf(gateways) };
  const granted = d.storeWatch === undefined ? store : grantingStore(store, d.storeWatch);
  const told = d.storeWatch === undefined ? store : tellingStore(store, d.storeWatch);
  const refusing = { store: granted, ring, repeated: new RepeatedRefusals(clock), log };
  const granting = { ...refusing, ...narrowing, ceilings, stsUrl, clock, clockSkewSeconds, random };
  // What an operator evaluates uses nothing up.
  const counted = { ...verifier, ...watchClaims(d), ...(d.limits === undefined ? {} : { limits: d.limits }) };
  const observing = d.observer === undefined ? {} : { observer: d.observer };
  const exchange: ExchangeDeps = { ...granting, ...observing, verifier: counted, policies };
  const credentials = { stsUrl, keys, clock, clockSkewSeconds };
  const groups = [...groupKeys.keys()];
  const standing = { ...credentials, store: told, policies, ages };
  const tenants = settings.tenants.map((ceiling) => ceiling.tenant);
  const issuers = settings.trustedIssuers.map(({ issuer }) => issuer);
  const ending = { clients, refusals, store, tenants, issuers, news, clock, random };
  return {
    routes: [
      ...tokenRoutes({ exchange, keys, clients }),
      introspectRoute({ standing, clients, refusals }),
      revokeRoute({ credentials, groups, store, clients, refusals, news, clock, random, log }),
      ...awsRoutes({ exchange, keys, groupKeys, store: told }),
      ...azureRoutes({ exchange, keys, authority: settings.azureAuthority }),
      ...gcpRoutes({ exchange, keys, bearers: { ...credentials, groups }, sessions: told }),
      ...publicRoutes({ stsUrl, keys }),
      feedRoute({ ...standing, keys, groupKeys, clients, news, gateways, refusals, onAnswered }),
    ],
    adminRoutes: [
      ...adminRoutes({ clients, refusals, store, ring, tenants, verifier, policies, ceilings, clock }),
      ...sessionRoutes(ending),
      ...scopeRoutes({ ...ending, policies }),
    ],
  };
}

/** The groups by the resource identifiers of their gateways. */
const resourcesOf = (gateways: StsSettings['gateways']): ReadonlyMap<string, string> =>
  new Map(gateways.flatMap(({ group, url }) => (url === null ? [] : [[url, group] as const])));

/** What runs in the background, and whether it does. */
function lifecycle(
  d: StsDeps,
  parts: Pick<Parts, 'issuerKeys' | 'news' | 'policies' | 'receivers'>,
): Pick<Sts, 'ready' | 'start' | 'issuersAsked' | 'close'> {
  let isReady = false;
  let pruning: ReturnType<typeof setInterval> | undefined;
  let unwatch = (): void => undefined;
  const prune = (): void => {
    d.store.prune(d.clock.nowSeconds()).catch((error: unknown) => {
      d.log.warn({ err: error }, 'what has expired could not be forgotten');
    });
  };
  return {
    ready: async () =>
      isReady &&
      (await d.store.identity().then(
        () => isReady,
        () => false,
      )),
    start: async () => {
      await parts.policies.start();
      // The witness may have been put back together with the database: so each start counts as a new store.
      await d.store.renewIdentity(freshIdentity(d.random, d.clock.nowSeconds()));
      d.storeWatch?.start();
      unwatch = d.store.watch(() => parts.news.notify());
      parts.issuerKeys.start();
      for (const receiver of parts.receivers) receiver.start();
      pruning = setInterval(prune, PRUNE_MS);
      isReady = true;
    },
    issuersAsked: async () => {
      await Promise.all(parts.receivers.map((receiver) => receiver.asked()));
    },
    close: async () => {
      isReady = false;
      clearInterval(pruning);
      unwatch();
      parts.issuerKeys.close();
      await Promise.all([
        d.storeWatch?.close(),
        parts.policies.close(),
        ...parts.receivers.map((receiver) => receiver.close()),
      ]);
    },
  };
}
