// What the conditions of permissions may ask about a request at an object store's front, whatever its protocol.
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Ask } from '../authorize.ts';

/** A request without these parameters does not have them; nothing about that is unknown. */
const PARAMETERS = ['s3:delimiter', 's3:max-keys', 's3:prefix'];

/**
 * The facts of one request: over which connection it came, and `known`, what its front knows besides, by IAM's names in lower
 * case. The address is that of the connection: behind a proxy, the proxy's.
 */
export function requestFacts(req: IncomingMessage, known: Iterable<readonly [string, string | null]>): Ask['facts'] {
  const keys = new Map<string, string | null>([
    ...PARAMETERS.map((name): [string, null] => [name, null]),
    ...known,
    ['aws:securetransport', String(req.socket instanceof TLSSocket)],
  ]);
  const address = plainAddress(req.socket.remoteAddress);
  return { keys, ...(address === undefined ? {} : { sourceAddress: address }) };
}

/** An IPv4 caller of a listener for both families shows as `::ffff:192.0.2.7`; policies speak of 192.0.2.7. */
const plainAddress = (address: string | undefined): string | undefined => address?.replace(/^::ffff:(?=[0-9]+\.)/i, '');
