// Puts a gateway together from its plan: its own key, the feed, the guard and the check listener.
import type { RequestListener, Server } from 'node:http';
import type { Failure } from '../../base/core/reasons.ts';
import type { Result } from '../../base/core/result.ts';
import type { Log } from '../../base/ports/log.ts';
import { createGateway, createGatewayServer, type Gateway } from '../../gateway/gateway.ts';
import type { ObjectStore } from '../../gateway/objects/store.ts';
import type { S3Settings } from '../../gateway/settings.ts';
import { type Rewrapped, rewrapAll } from '../../keys/rewrap.ts';
import { GatewayKey } from '../../keys/wrap.ts';
import { systemClock, systemRandom } from '../adapters.ts';
import type { GatewayPlan, LimitsPlan, ListenAddress, TlsIdentity } from '../config/plan.ts';
import { createGuardedFetch } from '../net/guarded-fetch.ts';
import { type ConnectionCap, capConnections } from '../server/connection-cap.ts';
import { Drain } from '../server/drain.ts';
import { closeServer, createListener } from '../server/listener.ts';
import { type Host, keepCertificates, limitsOf } from './host.ts';
import { runningKekOf } from './kek-of.ts';
import { listenOn } from './listen.ts';
import { openObjectStore } from './object-store.ts';
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

/** Starts a gateway. Throws a JobpassError when its key or address cannot be had; nothing is left running then. */
export async function startGateway(plan: GatewayPlan, host: Host): Promise<RunningServer> {
  const { settings } = plan;
  const { limits, log, metrics } = host;
  const name = `gateway ${settings.name}`;
  const { key, close } = await openGatewayKey(plan);
  const outbound = createGuardedFetch();
  const servers: { readonly server: Server; readonly tls: TlsIdentity | null }[] = [];
  const drain = new Drain();
  const objects = settings.s3 === null ? undefined : await openOrRelease(settings.s3, { log, release: close });
  const gateway = createGateway({
    settings,
    key,
    ...(objects === undefined ? {} : { objects }),
    fetch: outbound.fetch,
    limits: limitsOf(host, { clock: systemClock, name, rates: limits.gatewayRates }),
    observer: metrics.gatewayObserver(settings.name),
    trustedProxies: limits.trustedProxies,
    clock: systemClock,
    random: systemRandom,
    log,
  });
  const stop = async (): Promise<void> => {
    drain.begin();
    await Promise.all(servers.map(({ server }) => closeServer(server)));
    await gateway.close();
    outbound.close();
    await close();
  };
  try {
    const onRefused = (): void => metrics.limited(name, 'connection');
    for (const listener of listeners(plan, gateway)) {
      const server = await listenWith(listener, { ...limits, onRefused });
      drain.watch(server);
      servers.push({ server, tls: listener.tls });
    }
    metrics.watchAges(() => ({ gateways: { [settings.name]: finite(gateway.feedAgeMs()) } }));
    gateway.start();
  } catch (cause) {
    await stop();
    throw cause;
  }
  const certificates = keepCertificates(host, name, servers);
  return {
    name,
    url: urlOf(plan),
    ready: async () => !drain.begun && (await gateway.ready()),
    drain: () => drain.begin(),
    reload: () => certificates.reload(),
    close: async () => {
      certificates.close();
      await stop();
    },
  };
}

const finite = (ms: number): number | null => (Number.isFinite(ms) ? ms : null);

interface Listener {
  readonly handle: RequestListener;
  readonly listen: ListenAddress;
  readonly what: string;
  readonly tls: TlsIdentity | null;
  /** A proxy on the same machine is its only caller, whose connections are not counted. */
  readonly isForProxy?: boolean;
}

/** What the gateway serves, and where. */
function listeners(
  { settings, guardListen, doorListens, checkListen, tls }: GatewayPlan,
  gateway: Gateway,
): Listener[] {
  const planned: (Omit<Listener, 'handle'> & { readonly handle: RequestListener | null })[] = [
    ...(guardListen === null
      ? []
      : [{ handle: gateway.front, listen: guardListen, what: `the gateway ${settings.name}`, tls }]),
    ...doorListens.map(({ door, listen }) => ({
      handle: gateway.doors[door],
      listen,
      what: `the ${door} listener of ${settings.name}`,
      tls,
    })),
    ...(checkListen === null
      ? []
      : [
          {
            handle: gateway.check,
            listen: checkListen,
            what: `the check listener of ${settings.name}`,
            tls: null,
            isForProxy: true,
          },
        ]),
  ];
  return planned.flatMap(({ handle, ...listener }) => (handle === null ? [] : [{ handle, ...listener }]));
}

/** The store of an S3 front. When it cannot be had, what was opened before it is let go. */
async function openOrRelease(
  s3: S3Settings,
  { log, release }: { readonly log: Log; readonly release: () => Promise<void> },
): Promise<ObjectStore> {
  try {
    return await openObjectStore(s3, log);
  } catch (cause) {
    await release();
    throw cause;
  }
}

/** Where people look for the gateway: at the guard or S3, else at the first door, else at the check listener. */
function urlOf({ guardListen, doorListens, checkListen, tls }: GatewayPlan): string {
  const own = guardListen ?? doorListens[0]?.listen ?? null;
  const address = own ?? checkListen;
  const scheme = own !== null && tls !== null ? 'https' : 'http';
  return address === null ? '' : `${scheme}://${address.host}:${address.port}`;
}

async function listenWith(
  { handle, isForProxy, listen, tls, what }: Listener,
  limits: LimitsPlan & Pick<ConnectionCap, 'onRefused'>,
): Promise<Server> {
  const server = createGatewayServer(handle, (options, handler) => createListener(options, tls, handler));
  if (isForProxy !== true) capConnections(server, { ...limits, perSource: limits.connectionsPerSource });
  await listenOn(server, listen, what);
  return server;
}
