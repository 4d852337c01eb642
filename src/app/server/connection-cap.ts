// How many connections of one listener one address may hold, so that nobody keeps all others out by holding every one.
import type { Server } from 'node:net';
import { isTrusted, sourceOf, type TrustedProxies } from '../../base/address/caller-address.ts';

/** How many connections an address may have. */
export interface ConnectionCap {
  readonly perSource: number;
  /** Their connections carry many callers, so they are not counted. */
  readonly trustedProxies: TrustedProxies;
  /** Told of each connection that is turned away. */
  readonly onRefused?: () => void;
}

/** Closes at once what one address opens beyond its share. A Unix socket's peers have no address, and no share. */
export function capConnections(server: Server, { onRefused, perSource, trustedProxies }: ConnectionCap): void {
  const held = new Map<string, number>();
  server.on('connection', (socket) => {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || isTrusted(remoteAddress, trustedProxies)) return;
    const source = sourceOf(remoteAddress);
    const count = held.get(source) ?? 0;
    if (count >= perSource) {
      onRefused?.();
      socket.destroy();
      return;
    }
    held.set(source, count + 1);
    socket.once('close', () => {
      const left = (held.get(source) ?? 1) - 1;
      if (left === 0) held.delete(source);
      else held.set(source, left);
    });
  });
}
