// Owns the one way out of this program: the address connected to is the address that was checked. No redirects, no
// proxies, bounded in bytes and time. It interprets no body.
import { promises as dns, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { err, type Result } from '../../base/core/result.ts';
import type { FetchRequest, GuardedFetch, NetworkScope } from '../../base/ports/fetch.ts';
import { isAddressAllowed } from './addresses.ts';
import { type FetchError, type FetchResult, fail, readResponse } from './response.ts';

/** All addresses of a name, asked once per request. */
export type ResolveName = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface GuardedFetchOptions {
  /** The system's resolver unless given. */
  readonly resolve?: ResolveName;
  /** Certificates of private authorities, PEM, trusted besides the usual ones of `https` servers. */
  readonly certificateAuthorities?: readonly string[];
}

/** The fetch and the end of its idle connections. */
export interface GuardedFetchHandle {
  readonly fetch: GuardedFetch;
  close(): void;
}

/** The resolver of this machine. */
export const systemResolve: ResolveName = (hostname) => dns.lookup(hostname, { all: true, order: 'verbatim' });

/** Sockets kept for a peer between requests; more are closed. */
const MAX_IDLE_SOCKETS = 8;

interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

interface Target {
  readonly url: URL;
  /** Without the brackets of an IPv6 literal. */
  readonly hostname: string;
}

/** Reads the URL and refuses what the scope never allows. https everywhere but on this machine itself. */
function readTarget(request: FetchRequest): Result<Target, FetchError> {
  if (!URL.canParse(request.url)) return err(fail('address_refused', 'the URL cannot be read'));
  const url = new URL(request.url);
  const isPlain = url.protocol === 'http:';
  if (!isPlain && url.protocol !== 'https:') return err(fail('address_refused', `${url.protocol} is not fetched`));
  if (isPlain && request.network !== 'loopback') return err(fail('address_refused', 'http is for loopback only'));
  if (url.username !== '' || url.password !== '') return err(fail('address_refused', 'the URL carries credentials'));
  return { ok: true, value: { url, hostname: url.hostname.replace(/^\[|\]$/g, '') } };
}

/** Every address of the name must be allowed: one that is not could be the one connected to next time. */
export async function checkedAddresses(
  hostname: string,
  scope: NetworkScope,
  resolve: ResolveName,
): Promise<Result<readonly LookupAddress[], FetchError>> {
  const family = isIP(hostname);
  let addresses: readonly LookupAddress[];
  try {
    addresses = family === 0 ? await resolve(hostname) : [{ address: hostname, family }];
  } catch {
    return err(fail('unreachable', `${hostname} does not resolve`));
  }
  if (addresses.length === 0) return err(fail('unreachable', `${hostname} has no address`));
  const refused = addresses.find(({ address }) => !isAddressAllowed(address, scope));
  if (refused === undefined) return { ok: true, value: addresses };
  return err(fail('address_refused', `${hostname} is at ${refused.address}, which is not ${scope}`));
}

/** Answers the connection's own look-up with what was checked, so that a second answer of the resolver is never used. */
export const pinnedLookup =
  (addresses: readonly LookupAddress[]): LookupFunction =>
  (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };

/** How a message is framed and who it is for is decided here, not by the caller. */
const OWN_HEADERS = ['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'expect'];

function requestHeaders(request: FetchRequest, url: URL): Record<string, string> {
  const given = Object.entries(request.headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !OWN_HEADERS.includes(name));
  // A compressed answer could unfold beyond every bound, so none is asked for and none is taken.
  return { ...Object.fromEntries(given), host: url.host, 'accept-encoding': 'identity' };
}

function send(target: Target, request: FetchRequest, { agents, addresses }: Connection): http.ClientRequest {
  const { url, hostname } = target;
  const options = {
    method: request.method,
    host: hostname,
    path: `${url.pathname}${url.search}`,
    headers: requestHeaders(request, url),
    lookup: pinnedLookup(addresses),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
  };
  if (url.protocol === 'http:') return http.request({ ...options, agent: agents.http });
  // RFC 6066 §3: a literal address is no server name; the certificate must then carry the address.
  const servername = isIP(hostname) === 0 ? hostname : '';
  return https.request({ ...options, agent: agents.https, servername });
}

interface Connection {
  readonly agents: Agents;
  readonly addresses: readonly LookupAddress[];
  readonly signal: AbortSignal;
}

/**
 * A peer may close an idle connection in the moment it is used again. RFC 9110 §9.2.2: only what is safe to repeat is
 * repeated. Each failure uses up one idle connection, so this ends.
 */
const mayRepeat = (outgoing: http.ClientRequest, request: FetchRequest): boolean =>
  outgoing.reusedSocket && request.method === 'GET';

/** One exchange on one connection, ended by whatever comes first: the answer, a failure, the time, the caller. */
function exchange(target: Target, request: FetchRequest, connection: Connection): Promise<FetchResult> {
  return new Promise((resolve) => {
    let outgoing: http.ClientRequest;
    try {
      outgoing = send(target, request, connection);
    } catch {
      // Node refuses header names and values that could be read as two.
      resolve(err(fail('unreachable', 'the request cannot be put on the wire')));
      return;
    }
    const { signal } = connection;
    let hasAnswer = false;
    const settle = (result: FetchResult | Promise<FetchResult>) => {
      signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const give = (result: FetchResult) => {
      settle(result);
      // Whatever is left of a refused answer is not read. After a whole one the socket is already back at its agent.
      if (!result.ok) outgoing.destroy();
    };
    const onAbort = () => give(err(abortFailure(signal)));
    signal.addEventListener('abort', onAbort);
    outgoing.on('error', (error) => {
      if (!hasAnswer && !signal.aborted && mayRepeat(outgoing, request)) settle(exchange(target, request, connection));
      else give(err(fail('unreachable', connectionDetail(target.url, error))));
    });
    outgoing.on('response', (incoming) => {
      hasAnswer = true;
      readResponse(incoming, request.maxBytes).then(give);
    });
    outgoing.on('upgrade', (_incoming, socket) => {
      socket.destroy();
      give(err(fail('unreachable', `${target.url.host} wants another protocol`)));
    });
    outgoing.end(request.body);
  });
}

/** The code of the failure and who it was with; never the path, whose query may hold something private. */
function connectionDetail(url: URL, error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return `${url.host}: ${code}`;
}

const TIMED_OUT = Symbol('timed out');

const abortFailure = (signal: AbortSignal): FetchError =>
  signal.reason === TIMED_OUT ? fail('timeout', 'no whole answer in time') : fail('aborted', 'the caller gave up');

/** Resolves when `signal` aborts, so that a name server that never answers cannot hold the caller. */
const aborted = (signal: AbortSignal): Promise<FetchResult> =>
  new Promise((resolve) => {
    const give = () => resolve(err(abortFailure(signal)));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });

function makeAgents(options: GuardedFetchOptions): Agents {
  const common = { keepAlive: true, maxFreeSockets: MAX_IDLE_SOCKETS, scheduling: 'lifo' } as const;
  const authorities = options.certificateAuthorities;
  return {
    http: new http.Agent(common),
    https: new https.Agent({
      ...common,
      minVersion: 'TLSv1.2',
      // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED changes the default.
      rejectUnauthorized: true,
      ...(authorities === undefined ? {} : { ca: [...getCACertificates('default'), ...authorities] }),
    }),
  };
}

/**
 * The GuardedFetch port on node:http and node:https. Connections are kept for reuse per scope, so that a socket that was
 * allowed in one scope never serves another. The caller closes the handle at the end.
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetchHandle {
  const resolve = options.resolve ?? systemResolve;
  const agents: Readonly<Record<NetworkScope, Agents>> = {
    public: makeAgents(options),
    private: makeAgents(options),
    loopback: makeAgents(options),
  };
  const go = async (request: FetchRequest, signal: AbortSignal): Promise<FetchResult> => {
    const target = readTarget(request);
    if (!target.ok) return target;
    const addresses = await checkedAddresses(target.value.hostname, request.network, resolve);
    if (!addresses.ok) return addresses;
    if (signal.aborted) return err(abortFailure(signal));
    return exchange(target.value, request, { agents: agents[request.network], addresses: addresses.value, signal });
  };
  const fetch: GuardedFetch = async (request) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(TIMED_OUT), request.timeoutMs);
    const onCaller = () => stop.abort();
    request.signal?.addEventListener('abort', onCaller, { once: true });
    if (request.signal?.aborted === true) onCaller();
    try {
      return await Promise.race([aborted(stop.signal), go(request, stop.signal)]);
    } finally {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onCaller);
    }
  };
  const close = () => {
    for (const pair of Object.values(agents)) {
      pair.http.destroy();
      pair.https.destroy();
    }
  };
  return { fetch, close };
}
