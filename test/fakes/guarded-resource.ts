// A guard in front of an upstream that records every byte it is sent, on real sockets, fed by an STS in memory.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import type { EntranceOptions } from '../../src/gateway/entrance.ts';
import { createGateway, createGatewayServer, type Gateway } from '../../src/gateway/gateway.ts';
import type { GatewaySettings } from '../../src/gateway/settings.ts';
import { FeedSts, gatewaySettings } from './feed-sts.ts';
import { MemoryLog } from './memory-log.ts';
import { MovingClock } from './moving-clock.ts';

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

/** An HTTP server that also keeps what arrived on its sockets, before any parsing. */
class RecordingUpstream {
  readonly #http = createServer((req, res) => this.answer(req, res));
  readonly #tcp: TcpServer;
  readonly #sockets = new Set<Socket>();
  readonly #received: Buffer[] = [];
  connections = 0;
  readonly requests: IncomingMessage[] = [];
  answer: Answer = (req, res) => {
    this.requests.push(req);
    req.resume();
    req.on('end', () => res.end('ok'));
  };

  constructor() {
    this.#tcp = createTcpServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      this.#http.emit('connection', socket);
      // After the parser took the socket over: a listener then makes it hand out what it reads.
      socket.on('data', (chunk) => this.#received.push(chunk));
    });
  }

  async listen(): Promise<string> {
    return `http://127.0.0.1:${await listen(this.#tcp)}`;
  }

  /** Everything that ever arrived, as Latin-1. */
  get received(): string {
    return Buffer.concat(this.#received).toString('latin1');
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#tcp.close(resolve));
  }
}

/** Everything a test of a gateway needs. Close it. */
export interface GuardedResource {
  readonly clock: MovingClock;
  readonly sts: FeedSts;
  readonly log: MemoryLog;
  readonly upstream: RecordingUpstream;
  readonly upstreamUrl: string;
  readonly gateway: Gateway;
  readonly guardUrl: string;
  readonly guardPort: number;
  readonly checkUrl: string;
  close(): Promise<void>;
}

/** Starts a gateway `store` with both listeners. The role `main/publish-web` may do everything below `web/`. */
export async function startGuardedResource(
  over: Partial<GatewaySettings> = {},
  entrance: EntranceOptions = {},
): Promise<GuardedResource> {
  const clock = new MovingClock();
  const sts = new FeedSts(clock);
  sts.grant('main/publish-web', [
    { effect: 'allow', actions: ['http:*'], resources: ['arn:jobpass:http:::store/web/*'] },
  ]);
  const log = new MemoryLog();
  const upstream = new RecordingUpstream();
  const upstreamUrl = await upstream.listen();
  const gateway = createGateway({
    ...entrance,
    settings: gatewaySettings({ upstream: upstreamUrl, ...over }),
    key: { unwrap: async () => ({ ok: true, value: new Uint8Array(32) }) },
    fetch: sts.fetch,
    clock,
    random: { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    log,
  });
  if (gateway.front === null) throw new Error('the gateway has no guard');
  const guard = createGatewayServer(gateway.front);
  const check = createGatewayServer(gateway.check);
  const guardPort = await listen(guard);
  const checkPort = await listen(check);
  gateway.start();
  await until(() => gateway.ready());
  return {
    clock,
    sts,
    log,
    upstream,
    upstreamUrl,
    gateway,
    guardUrl: `http://127.0.0.1:${guardPort}`,
    guardPort,
    checkUrl: `http://127.0.0.1:${checkPort}`,
    close: async () => {
      for (const server of [guard, check]) server.closeAllConnections();
      await Promise.all([guard, check].map((server) => new Promise((resolve) => server.close(resolve))));
      await gateway.close();
      await upstream.close();
    },
  };
}

/** Listens on a free port of the loopback. */
export function listen(server: Server | TcpServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Waits until `condition` holds, looking every 10 ms. Rejects after `limitMs`. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 5000): Promise<number> {
  const startedAt = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAt > limitMs) throw new Error(`not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - startedAt;
}

/** Sends bytes as they are and gives back all that comes until the connection ends; `error` when it was broken off. */
export function exchangeBytes(
  port: number,
  bytes: string,
): Promise<{ readonly text: string; readonly error: string | null }> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    let error: string | null = null;
    socket.setTimeout(3000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      error = cause.code ?? cause.message;
    });
    socket.on('close', () => resolve({ text, error }));
    socket.write(bytes, 'latin1');
  });
}
