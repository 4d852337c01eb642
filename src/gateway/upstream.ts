// The guarded resource: where it is and how it is reached. One connection per request, so that a caller can never meet
// what is left of another's on a connection that both used.
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Caller, type Turn, Turns } from './turns.ts';

interface UpstreamRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

export interface Upstream {
  /** The Host that it is addressed by. */
  readonly host: string;
  /** Asks for one of its connections, as `Turns.take` does. */
  take(caller: Caller, turn: Turn): () => void;
  /** Precondition: it is the request's turn. */
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
  // No bound of the agent's own: who waits there waits for ever.
  const agent = secure ? new HttpsAgent({ keepAlive: false }) : new HttpAgent({ keepAlive: false });
  const turns = new Turns();
  const send = secure ? httpsRequest : httpRequest;
  const where = {
    agent,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : url.port,
  };
  return {
    host: url.host,
    take: (caller, turn) => turns.take(caller, turn),
    open: ({ method, target, headers }) =>
      send({ ...where, method, path: target, headers: outgoing(headers), setHost: false, insecureHTTPParser: false }),
    close: () => agent.destroy(),
  };
}

const outgoing = (headers: UpstreamRequest['headers']): OutgoingHttpHeaders =>
  Object.fromEntries([...headers].map(([name, values]) => [name, values.length === 1 ? values[0] : [...values]]));
