// What every listener of issuer and STS tells of itself: that it lives, whether it could answer, and to those who may read them, its
// metrics.
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { parseRange } from '../../base/address/address.ts';
import { callerAddress, FORWARDED_FOR, isTrusted, type TrustedProxies } from '../../base/address/caller-address.ts';
import type { Drain } from './drain.ts';

/** What health, readiness and metrics are told from. */
export interface HealthOptions {
  /** Whether the server could answer a request now. */
  readonly ready: () => Promise<boolean>;
  /** Absent: there are no metrics here. */
  readonly metrics?: MetricsPage;
  readonly trustedProxies?: TrustedProxies;
  /** Told who watches readiness; absent: the server ends without a word. */
  readonly drain?: Drain;
}

interface MetricsPage {
  readonly text: () => Promise<string>;
  /** Who may read them besides this machine. */
  readonly from: TrustedProxies;
}

/** Adds `/healthz`, `/readyz` and, to whom it may concern, `/metrics`. */
export function healthRoutes(
  server: FastifyInstance,
  { drain, metrics, ready, trustedProxies = [] }: HealthOptions,
): void {
  const isReadyNow = joined(ready);
  server.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'));
  server.get('/readyz', async (_request, reply) => {
    drain?.asked();
    const isReady = drain?.begun !== true && (await isReadyNow());
    return reply
      .code(isReady ? 200 : 503)
      .type('text/plain')
      .send(isReady ? 'ready\n' : drain?.begun === true ? 'stopping\n' : 'not ready\n');
  });
  if (metrics === undefined) return;
  server.get('/metrics', async ({ raw }, reply) => {
    // For others there is nothing here.
    if (!mayRead(raw, { from: metrics.from, trustedProxies })) return reply.callNotFound();
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.text());
  });
}

/** Whoever asks while it is being found out gets the same answer: nobody is limited here, and each look is at the store. */
function joined(ready: () => Promise<boolean>): () => Promise<boolean> {
  let looking: Promise<boolean> | undefined;
  return () => {
    looking ??= ready().finally(() => {
      looking = undefined;
    });
    return looking;
  };
}

const LOOPBACK = ['127.0.0.0/8', '::1'].map(parseRange).filter((range) => range !== undefined);
/** Any of them says that somebody else asks through the peer. */
const FORWARDING = [FORWARDED_FOR, 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host'];

/**
 * Whether the caller may read metrics. A proxy on this machine that nobody declared would make everybody a neighbour: what it
 * forwards is refused.
 */
function mayRead(
  { headers, socket }: IncomingMessage,
  { from, trustedProxies }: { readonly from: TrustedProxies; readonly trustedProxies: TrustedProxies },
): boolean {
  const peer = socket.remoteAddress ?? '';
  if (!isTrusted(peer, trustedProxies) && FORWARDING.some((name) => headers[name] !== undefined)) return false;
  const forwarded = headers[FORWARDED_FOR];
  const address = callerAddress(peer, typeof forwarded === 'string' ? [forwarded] : [], trustedProxies);
  return isTrusted(address, LOOPBACK) || isTrusted(address, from);
}
