// Binds a wing's routes to a loopback port for real clients in tests. The program's own server is app/server.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpResponse, Route } from '../../src/base/ports/http.ts';
import { matchPath } from './match-path.ts';

export interface LoopbackServer {
  readonly url: string;
  /** What was asked, in order: `GET /path?query`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Listens first, because what is served usually has to know its own URL. */
export async function serveOnLoopback(makeRoutes: (url: string) => Promise<readonly Route[]>): Promise<LoopbackServer> {
  const requests: string[] = [];
  let routes: readonly Route[] = [];
  const server = createServer((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    void answer(routes, incoming).then((response) => send(outgoing, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  routes = await makeRoutes(url);
  return {
    url,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(routes: readonly Route[], incoming: IncomingMessage): Promise<HttpResponse> {
  const [path = '', ...query] = (incoming.url ?? '').split('?');
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const aborted = new AbortController();
  incoming.once('close', () => incoming.complete || aborted.abort());
  for (const route of routes) {
    const params = route.method === incoming.method ? matchPath(route.path, path) : undefined;
    if (params === undefined) continue;
    return await route.handle({
      method: route.method,
      params,
      query: query.join('?'),
      headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
      body: Buffer.concat(chunks),
      remoteAddress: incoming.socket.remoteAddress ?? '',
      signal: aborted.signal,
    });
  }
  return { status: 404, headers: {}, body: '' };
}

function send(outgoing: ServerResponse, response: HttpResponse): void {
  outgoing.writeHead(response.status, { ...response.headers });
  outgoing.end(response.body);
}
