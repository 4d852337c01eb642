// What the conditions of permissions may ask about a request at an object store's front, whatever its protocol.
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Ask } from '../authorize.ts';

/** A request and the address of its caller; empty when nobody knows it. */
export interface Arrival {
  readonly req: IncomingMessage;
  readonly address: string;
}

/** A request without these parameters does not have them; nothing about that is unknown. */
const PARAMETERS = ['s3:delimiter', 's3:max-keys', 's3:prefix'];

/**
 * The facts of one request: over which connection it came, and `known`, what its front knows besides, by IAM's names in lower
 * case. Behind a proxy the connection is the proxy's, also as to whether it is secure.
 */
export function requestFacts(
  { address, req }: Arrival,
  known: Iterable<readonly [string, string | null]>,
): Ask['facts'] {
  const keys = new Map<string, string | null>([
    ...PARAMETERS.map((name): [string, null] => [name, null]),
    ...known,
    ['aws:securetransport', String(req.socket instanceof TLSSocket)],
  ]);
  return { keys, ...(address === '' ? {} : { sourceAddress: address }) };
}
