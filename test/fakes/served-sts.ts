// The STS of sts-world behind the program's own HTTP server on a loopback port, for real clients of the clouds, at the machine's time.
import type { TlsIdentity } from '../../src/app/config/plan.ts';
import { serveRoutes } from '../../src/app/server/serve-routes.ts';
import type { HttpResponse, Route } from '../../src/base/ports/http.ts';
import { freePort } from './free-port.ts';
import { StsWorld, type StsWorldOptions } from './sts-world.ts';

export interface ServedSts {
  readonly world: StsWorld;
  readonly url: string;
  /** The action of every `POST /` and the status it was answered with, in order: `GetCallerIdentity 200`. */
  readonly calls: string[];
  close(): Promise<void>;
}

export interface ServeOptions extends StsWorldOptions {
  /** Absent: plain http. */
  readonly tls?: TlsIdentity;
  /** The STS is called as it is reached: for clients that compare the two. */
  readonly isItsUrl?: boolean;
}

/** Listens on a free port of 127.0.0.1. Azure's clients are told this address. */
export async function serveSts({ isItsUrl = false, tls, ...options }: ServeOptions = {}): Promise<ServedSts> {
  const port = await freePort();
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const startsAt = Math.floor(Date.now() / 1000);
  const settings = { azureAuthority: url, ...(isItsUrl ? { url } : {}), ...options.settings };
  const world = await StsWorld.start({ startsAt, ...options, settings });
  const calls: string[] = [];
  const note = (route: Route): Route => ({
    ...route,
    handle: async (request) => {
      const answer: HttpResponse = await route.handle(request);
      const action = new URLSearchParams(new TextDecoder().decode(request.body)).get('Action');
      calls.push(`${action ?? route.path} ${answer.status}`);
      return answer;
    },
  });
  const server = serveRoutes({
    routes: world.sts.routes.map(note),
    ready: () => world.sts.ready(),
    log: world.log,
    tls: tls ?? null,
  });
  await server.listen({ host: '127.0.0.1', port });
  return {
    world,
    calls,
    url,
    close: async () => {
      await server.close();
      await world.close();
    },
  };
}
