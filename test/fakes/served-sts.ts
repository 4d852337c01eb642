// The STS of sts-world behind the program's own HTTP server on a loopback port, for real AWS clients, at the machine's time.
import type { AddressInfo } from 'node:net';
import { serveRoutes } from '../../src/app/server/serve-routes.ts';
import type { HttpResponse, Route } from '../../src/base/ports/http.ts';
import { StsWorld, type StsWorldOptions } from './sts-world.ts';

export interface ServedSts {
  readonly world: StsWorld;
  readonly url: string;
  /** The action of every `POST /` and the status it was answered with, in order: `GetCallerIdentity 200`. */
  readonly calls: string[];
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. */
export async function serveSts(options: StsWorldOptions = {}): Promise<ServedSts> {
  const world = await StsWorld.start({ startsAt: Math.floor(Date.now() / 1000), ...options });
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
    tls: null,
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.server.address() as AddressInfo;
  return {
    world,
    calls,
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      await server.close();
      await world.close();
    },
  };
}
