// Puts a gateway together: the feed it listens to, the decision, its front and the check listener. No listener is opened here.
import { createServer, type Server, type ServerOptions } from 'node:http';
import type { TrustedProxies } from '../base/address/caller-address.ts';
import { JobpassError } from '../base/core/errors.ts';
import { ID_RANDOM_BYTES, newId } from '../base/core/ids.ts';
import type { Limits } from '../base/limit/rate-limits.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { GuardedFetch } from '../base/ports/fetch.ts';
import type { Log } from '../base/ports/log.ts';
import type { Random } from '../base/ports/random.ts';
import type { Authority } from './authorize.ts';
import { type BlobFrontDependencies, createBlobFront } from './blob/front.ts';
import { createCheck } from './check.ts';
import { createEntrance } from './entrance.ts';
import { FeedClient, type Unwrapper } from './feed-client.ts';
import { FeedState } from './feed-state.ts';
import { createGcsFront, type GcsFrontDependencies } from './gcs/front.ts';
import { createGuard } from './guard.ts';
import { LiveRequests } from './live-requests.ts';
import type { ObjectStore } from './objects/store.ts';
import type { GatewayObserver } from './observer.ts';
import { RefusalDesk } from './refusal.ts';
import type { Handler } from './request.ts';
import { resourceMetadata } from './resource-metadata.ts';
import { createS3Front, type S3FrontDependencies } from './s3/front.ts';
import type { Door, GatewaySettings } from './settings.ts';
import { Turns } from './turns.ts';
import { createUpstream } from './upstream.ts';

export interface GatewayDependencies {
  readonly settings: GatewaySettings;
  /** The gateway's own key, which the STS wraps the group key to. */
  readonly key: Unwrapper;
  readonly fetch: GuardedFetch;
  /** How often each address and each job may ask; absent: as often as it likes. */
  readonly limits?: Limits;
  /** Whose word about their callers is taken; absent: nobody's. */
  readonly trustedProxies?: TrustedProxies;
  /** Told how each request ended; absent: nobody is. */
  readonly observer?: GatewayObserver;
  /** What the S3 front serves: the store that `settings.s3` describes. The gateway closes it. */
  readonly objects?: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Gateway {
  /** The handler in front of the resource, HTTP guard or S3, for `createGatewayServer`; null when nothing is served here. */
  readonly front: Handler | null;
  /** The handlers of the doors that the settings have, each for a `createGatewayServer` of its own. */
  readonly doors: Readonly<Record<Door, Handler | null>>;
  /** The check listener's handler, for a `createGatewayServer` of its own. */
  readonly check: Handler;
  /** True while requests can be judged and the group key is known. */
  ready(): Promise<boolean>;
  /** How old what it knows from its STS is; Infinity before the first word. */
  feedAgeMs(): number;
  /** Begins to listen to the feed and to watch live requests. */
  start(): void;
  /** Ends both. Precondition: the listeners are closed; requests that still run are no longer watched. */
  close(): Promise<void>;
}

/**
 * Bounds of a gateway's listeners (design, section 8): heads within 10 s and 32 KiB (a token is at most 16), idle connections
 * closed, bodies bounded by the guard's own idle time instead of a total one, and never the lenient parser.
 */
const SERVER_OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 0,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5000,
  maxHeaderSize: 32 * 1024,
  insecureHTTPParser: false,
  requireHostHeader: true,
} as const satisfies ServerOptions;

/** Open connections of one listener; further ones are closed at once. */
const MAX_CONNECTIONS = 1024;

/**
 * A server for one of a gateway's handlers, within its bounds; it does not listen yet. `open` makes the socket's side of it:
 * plain http unless said otherwise. A request with `Expect: 100-continue`
 * goes to the handler too: left to itself, Node would ask for the body before the decision.
 */
export function createGatewayServer(
  handler: Handler,
  open: (options: ServerOptions, handler: Handler) => Server = createServer,
): Server {
  const server = open(SERVER_OPTIONS, handler).on('checkContinue', handler);
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/** Makes a gateway. Nothing runs before `start`. Throws ERR_GATEWAY_FRONT for two fronts, and for objects to serve without a store. */
export function createGateway(d: GatewayDependencies): Gateway {
  const { settings, clock, random, log } = d;
  const live = new LiveRequests(log);
  const state = new FeedState(clock);
  const feed = new FeedClient({ ...d, state, onMessage: () => live.sweep() });
  const authority: Authority = {
    gateway: settings.name,
    group: settings.group,
    stsUrl: settings.sts.url,
    clockSkewSeconds: settings.clockSkewSeconds,
    knowledge: state,
  };
  const newDecisionId = (): string => newId('D', random.bytes(ID_RANDOM_BYTES));
  const turns = new Turns();
  const entrance = createEntrance(d);
  const observing = d.observer === undefined ? {} : { observer: d.observer };
  const shared = {
    ...observing,
    authority,
    entrance,
    newDecisionId,
    log,
    live,
    turns,
    desk: new RefusalDesk({ clock, log }),
  };
  const front = createFront(d, { ...shared, groupKeys: () => feed.groupKeys() });
  return {
    front: front?.handle ?? null,
    doors: createDoors(d, { ...shared, groupKeys: () => feed.groupKeys() }),
    check: createCheck(shared),
    ready: async () => feed.ready(),
    feedAgeMs: () => state.feedAgeMs(),
    start: () => {
      feed.start();
      live.start();
    },
    close: async () => {
      await feed.close();
      live.close();
      await front?.close();
    },
  };
}

interface Front {
  readonly handle: Handler;
  /** Lets go of what is behind it. */
  close(): Promise<void>;
}

/** The one front that the settings ask for; null: there is none. */
function createFront(
  { settings, objects }: GatewayDependencies,
  shared: Omit<S3FrontDependencies, 'settings' | 'store'>,
): Front | null {
  const { s3, sts, upstream: origin, url: resource } = settings;
  if (s3 !== null && origin !== null) throw misconfigured('a gateway has one front: an upstream, or s3');
  if (s3 !== null) {
    if (objects === undefined) throw misconfigured('an S3 front needs a store');
    return { handle: createS3Front({ ...shared, settings: s3, store: objects }), close: () => objects.close() };
  }
  if (origin === null) return null;
  const upstream = createUpstream(origin);
  const metadata = resource === null ? null : resourceMetadata({ resource, stsUrl: sts.url });
  return { handle: createGuard({ ...shared, upstream, metadata }), close: async () => upstream.close() };
}

type DoorDependencies = Omit<BlobFrontDependencies & GcsFrontDependencies, 'settings' | 'store' | 'buckets' | 'clock'>;

function createDoors({ settings, objects, clock }: GatewayDependencies, shared: DoorDependencies): Gateway['doors'] {
  const { doors, s3 } = settings;
  const { blob, gcs } = doors;
  if (blob === null && gcs === null) return { blob: null, gcs: null };
  if (s3 === null || objects === undefined) throw misconfigured('a door needs a store');
  const behind = { store: objects, buckets: new Set(s3.buckets.map(({ name }) => name)), clock };
  return {
    blob: blob === null ? null : createBlobFront({ ...shared, ...behind, settings: blob }),
    gcs: gcs === null ? null : createGcsFront({ ...shared, ...behind, settings: gcs }),
  };
}

const misconfigured = (what: string): JobpassError => new JobpassError('ERR_GATEWAY_FRONT', what);
