// A server socket that speaks http, or https with an identity of its own. What is served there is its caller's business.
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TlsIdentity } from '../config/plan.ts';

/** Older versions are broken (RFC 8996). */
const MIN_TLS_VERSION = 'TLSv1.2';

/** For a handshake where the options say nothing of heads. Node's own 120 s would let anybody hold every connection by silence. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** A server with these options; it does not listen yet. HTTP/1.1 only. A handshake may take as long as a request's head. */
export function createListener(options: ServerOptions, tls: TlsIdentity | null, handler: RequestListener): Server {
  if (tls === null) return createServer(options, handler);
  const handshakeTimeout = options.headersTimeout ?? HANDSHAKE_TIMEOUT_MS;
  return createTlsServer({ ...options, ...secureOptions(tls), handshakeTimeout }, handler);
}

/** What a handshake shows and takes. */
export const secureOptions = ({ certificate, key }: TlsIdentity) =>
  ({ cert: certificate, key: key.reveal(), minVersion: MIN_TLS_VERSION }) as const;

/** How long running requests may take to finish after a stop. */
const GRACE_MS = 2000;

/** Stops listening and cuts what is still open after a moment. Does nothing to a server that does not listen. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
