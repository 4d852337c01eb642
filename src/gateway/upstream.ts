// The guarded resource: where it is and how it is reached. One connection per request, so that a caller can never meet
// what is left of another's on a connection that both used.
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** Connections to one upstream; further requests wait their turn. */
const MAX_CONNECTIONS = 512;

interface UpstreamRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export interface Upstream {
  /** The Host that it is addressed by. */
  readonly host: string;
  open(request: UpstreamRequest): ClientRequest;
  close(): void;
}

/**
 * The upstream at `origin`. Precondition (the configuration's schema): an `http:` or `https:` origin and no more; a base path
 * would make the forwarded path another than the one that was decided on.
 */
export function createUpstream(origin: string): Upstream {
  const url = new URL(origin);
  const secure = url.protocol === 'https:';
  const agent = secure
    ? new HttpsAgent({ keepAlive: false, maxSockets: MAX_CONNECTIONS })
    : new HttpAgent({ keepAlive: false, maxSockets: MAX_CONNECTIONS });
  const send = secure ? httpsRequest : httpRequest;
  const where = {
    agent,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : url.port,
  };
  return {
    host: url.host,
    open: ({ method, target, headers }) =>
      send({ ...where, method, path: target, headers: outgoing(headers), setHost: false, insecureHTTPParser: false }),
    close: () => agent.destroy(),
  };
}

const outgoing = (headers: UpstreamRequest['headers']): OutgoingHttpHeaders =>
  Object.fromEntries([...headers].map(([name, values]) => [name, values.length === 1 ? values[0] : [...values]]));
