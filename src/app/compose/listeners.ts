// What a server listens on. Its listeners are bound one after the other, and closed together.
import type { Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Route } from '../../base/ports/http.ts';
import type { ListenAddress, TlsIdentity } from '../config/plan.ts';
import type { Drain } from '../server/drain.ts';
import { serveRoutes } from '../server/serve-routes.ts';
import { type Host, keepCertificates } from './host.ts';
import { listenOn, listenOnSocket } from './listen.ts';
import type { Opened } from './opened.ts';
import type { RunningServer } from './running.ts';

/** A listener that is made but not bound. */
export interface Listener {
  readonly server: Server;
  /** What its handshakes show; null: plain http. */
  readonly tls: TlsIdentity | null;
  /** Throws ERR_LISTEN when its address cannot be had. */
  listen(): Promise<void>;
  /** Takes nothing new, and lets what runs end for a moment. Does nothing to one that is not bound. */
  close(): Promise<void>;
}

/** Routes at an address; `what` is said when it cannot be had. */
export const publicListener = (
  routes: FastifyInstance,
  { listen, tls, what }: { readonly listen: ListenAddress; readonly tls: TlsIdentity | null; readonly what: string },
): Listener => ({
  server: routes.server,
  tls,
  listen: async () => {
    await routes.ready();
    await listenOn(routes.server, listen, what);
  },
  close: () => routes.close(),
});

/** Routes for operators, on the Unix socket at `path`. Whoever reaches it has no address that could be counted. */
export function operatorsListener(
  routes: readonly Route[],
  o: { readonly host: Host; readonly path: string; readonly ready: () => Promise<boolean> },
): Listener {
  const { log, metrics } = o.host;
  const onAnswered = (status: number): void => metrics.answered('admin', status);
  const operators = serveRoutes({ routes, ready: o.ready, log, tls: null, onAnswered });
  return {
    server: operators.server,
    tls: null,
    listen: async () => {
      await operators.ready();
      await listenOnSocket(operators.server, o.path);
    },
    close: () => operators.close(),
  };
}

/** The server behind the listeners. */
interface Listening extends Pick<RunningServer, 'name' | 'url' | 'ready'> {
  readonly drain: Drain;
  /** Answers whoever waits, before the listeners close. */
  readonly letGo: () => void;
}

/** Binds the listeners in their order. `opened` closes them; the rest of what a running server needs is given. */
export async function listenAll(
  listeners: readonly Listener[],
  { drain, letGo, name, ready, url }: Listening,
  { host, opened }: { readonly host: Host; readonly opened: Opened },
): Promise<Omit<RunningServer, 'close'>> {
  opened.own({ close: () => closeAll(listeners) });
  opened.own({
    close: () => {
      drain.begin();
      letGo();
    },
  });
  for (const listener of listeners) await listener.listen();
  const certificates = opened.own(keepCertificates(host, name, listeners));
  return {
    name,
    url,
    ready: async () => !drain.begun && (await ready()),
    drain: () => drain.begin(),
    reload: () => certificates.reload(),
  };
}

/** Rejects with the first failure, when all have closed or failed to: nothing behind them goes while one still serves. */
async function closeAll(listeners: readonly Listener[]): Promise<void> {
  const closed = await Promise.allSettled(listeners.map((listener) => listener.close()));
  for (const one of closed) if (one.status === 'rejected') throw one.reason;
}
