// Puts a gateway together from its plan: its own key, the feed, the guard and the check listener.
import type { RequestListener } from 'node:http';
import type { Failure } from '../../base/core/reasons.ts';
import type { Result } from '../../base/core/result.ts';
import { createGateway, createGatewayServer, type Gateway } from '../../gateway/gateway.ts';
import { type Rewrapped, rewrapAll } from '../../keys/rewrap.ts';
import { GatewayKey } from '../../keys/wrap.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { GatewayPlan, ListenAddress, TlsIdentity } from '../config/plan.ts';
import { createGuardedFetch } from '../net/guarded-fetch.ts';
import { capConnections } from '../server/connection-cap.ts';
import { Drain } from '../server/drain.ts';
import { closeServer, createListener } from '../server/listener.ts';
import { type Host, limitsOf } from './host.ts';
import { runningKekOf } from './kek-of.ts';
import { listenOn } from './listen.ts';
import { type Listener, listenAll } from './listeners.ts';
import { openObjectStore } from './object-store.ts';
import { type Opened, startWhole } from './opened.ts';
import type { RunningServer } from './running.ts';
import { openGatewayStorage } from './storage.ts';

/** Opens a gateway's own key, made on first use. The caller closes what `open` opened. */
export async function openGatewayKey(plan: GatewayPlan): Promise<{ readonly key: GatewayKey; close(): Promise<void> }> {
  const store = await openGatewayStorage(plan.database);
  try {
    const key = await GatewayKey.open({
      ring: `gateway/${plan.settings.name}`,
      store,
      kek: runningKekOf(plan),
      clock: systemClock,
    });
    return { key, close: () => store.close() };
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

/** Seals a gateway's keys anew, in its database; it may be running. Gives how many, or why not. Throws as `openGatewayKey` does. */
export async function rewrapGateway(plan: GatewayPlan): Promise<Result<Rewrapped, Failure>> {
  const store = await openGatewayStorage(plan.database);
  try {
    const deps = { store, kek: runningKekOf(plan), clock: systemClock, random: systemRandom };
    return await rewrapAll(deps, { kind: 'server', name: `gateway ${plan.settings.name}` });
  } finally {
    await store.close();
  }
}

/** Starts a gateway. Throws a JobpassError when its key, its objects or an address cannot be had; nothing is left running then. */
export function startGateway(plan: GatewayPlan, host: Host): Promise<RunningServer> {
  return startWhole(host.log, async (opened) => {
    const name = `gateway ${plan.settings.name}`;
    const drain = new Drain();
    const gateway = await openGateway(plan, { host, name, opened });
    const listening = { name, url: urlOf(plan), drain, letGo: () => {}, ready: gateway.ready };
    const listeners = listenersOf(plan, host, { drain, gateway, name });
    const running = await listenAll(listeners, listening, { host, opened });
    host.metrics.watchAges(() => ({ gateways: { [plan.settings.name]: finite(gateway.feedAgeMs()) } }));
    gateway.start();
    return running;
  });
}

/** The gateway with its key and its objects. It hears nothing yet. */
async function openGateway(
  plan: GatewayPlan,
  { host, name, opened }: { readonly host: Host; readonly name: string; readonly opened: Opened },
): Promise<Gateway> {
  const { settings } = plan;
  const { limits, log, metrics } = host;
  const { key } = opened.own(await openGatewayKey(plan));
  const { fetch } = opened.own(createGuardedFetch());
  const objects = settings.s3 === null ? {} : { objects: opened.own(await openObjectStore(settings.s3, log)) };
  return opened.own(
    createGateway({
      ...objects,
      settings,
      key,
      fetch,
      limits: limitsOf(host, { clock: systemClock, name, rates: limits.gatewayRates }),
      observer: metrics.gatewayObserver(settings.name),
      trustedProxies: limits.trustedProxies,
      clock: systemClock,
      random: systemRandom,
      log,
    }),
  );
}

const finite = (ms: number): number | null => (Number.isFinite(ms) ? ms : null);

/** Something that the gateway serves, and where. */
interface Front {
  readonly handle: RequestListener | null;
  readonly listen: ListenAddress | null;
  readonly what: string;
  readonly tls: TlsIdentity | null;
  /** A proxy on the same machine is its only caller, whose connections are not counted. */
  readonly isForProxy?: boolean;
}

function frontsOf({ settings, guardListen, doorListens, checkListen, tls }: GatewayPlan, gateway: Gateway): Front[] {
  const { check, doors, front } = gateway;
  const { name } = settings;
  return [
    { handle: front, listen: guardListen, what: `the gateway ${name}`, tls },
    ...doorListens.map(({ door, listen }) => {
      return { handle: doors[door], listen, what: `the ${door} listener of ${name}`, tls };
    }),
    { handle: check, listen: checkListen, what: `the check listener of ${name}`, tls: null, isForProxy: true },
  ];
}

/** A listener for each front that has both a handler and an address. */
function listenersOf(
  plan: GatewayPlan,
  { limits, metrics }: Host,
  { drain, gateway, name }: { readonly drain: Drain; readonly gateway: Gateway; readonly name: string },
): readonly Listener[] {
  const onRefused = (): void => metrics.limited(name, 'connection');
  const cap = { ...limits, perSource: limits.connectionsPerSource, onRefused };
  return frontsOf(plan, gateway).flatMap(({ handle, isForProxy = false, listen, tls, what }) => {
    if (handle === null || listen === null) return [];
    const server = createGatewayServer(handle, (options, handler) => createListener(options, tls, handler));
    if (!isForProxy) capConnections(server, cap);
    drain.watch(server);
    return [{ server, tls, listen: () => listenOn(server, listen, what), close: () => closeServer(server) }];
  });
}

/** Where people look for the gateway: at the guard or S3, else at the first door, else at the check listener. */
function urlOf({ guardListen, doorListens, checkListen, tls }: GatewayPlan): string {
  const own = guardListen ?? doorListens[0]?.listen ?? null;
  const address = own ?? checkListen;
  const scheme = own !== null && tls !== null ? 'https' : 'http';
  return address === null ? '' : `${scheme}://${address.host}:${address.port}`;
}
