// Binds routes to Fastify: bodies as bytes, strict headers, timeouts and caps. No decision is taken here.
import type { ServerOptions, ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { callerAddress, FORWARDED_FOR, sourceOf } from '../../base/address/caller-address.ts';
import { MAX_BODY_BYTES } from '../../base/core/limits.ts';
import { LineBudget } from '../../base/core/line-budget.ts';
import { type Limits, NO_LIMITS } from '../../base/limit/rate-limits.ts';
import { type HttpRequest, type HttpResponse, jsonResponse, type Route } from '../../base/ports/http.ts';
import type { Log } from '../../base/ports/log.ts';
import { withOnePatience } from '../../base/ports/patience.ts';
import type { TlsIdentity } from '../config/plan.ts';
import { capConnections } from './connection-cap.ts';
import { type HealthOptions, healthRoutes } from './health.ts';
import { closeServer, createListener } from './listener.ts';

/** Headers whose repetition would let two readers see two requests. */
const SINGLE_HEADERS = new Set(['authorization', 'content-type', 'content-length', 'host', 'if-none-match']);

const SERVER_OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 30_000,
  maxHeaderSize: 32 * 1024,
  joinDuplicateHeaders: false,
} as const satisfies ServerOptions;
/** Bodies are held before their sender is known: this many of the longest fit into 128 MiB. */
const MAX_CONNECTIONS = 1000;

const noSchemas = (): never => {
  throw new TypeError('routes check their own input: they have no schemas');
};

/** So Fastify's compilers of schemas are not even loaded. */
const NO_SCHEMAS = { compilersFactory: { buildValidator: () => noSchemas, buildSerializer: () => noSchemas } };

export interface ServeRoutesOptions extends HealthOptions {
  readonly routes: readonly Route[];
  readonly log: Log;
  /** Null: plain http. */
  readonly tls: TlsIdentity | null;
  /** Whose requests are counted by their address; absent: nobody's, as on the operators' socket. */
  readonly limits?: Limits;
  /** Of one address; absent: as many as there may be of all. */
  readonly connectionsPerSource?: number;
  /** Told the status of every answer, and of every connection that is turned away. */
  readonly onAnswered?: (status: number) => void;
  readonly onTurnedAway?: () => void;
}

/** A server for these routes plus `/healthz` and `/readyz`, not yet listening. */
export function serveRoutes(options: ServeRoutesOptions): FastifyInstance {
  const { connectionsPerSource = MAX_CONNECTIONS, trustedProxies = [] } = options;
  const server = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: 'idle',
    schemaController: NO_SCHEMAS,
    serverFactory: (handler) => createListener(SERVER_OPTIONS, options.tls, handler),
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      maxParamLength: 255,
    },
    exposeHeadRoutes: true,
  });
  server.server.maxConnections = MAX_CONNECTIONS;
  options.drain?.watch(server.server);
  const { onAnswered, onTurnedAway = () => {} } = options;
  capConnections(server.server, { perSource: connectionsPerSource, trustedProxies, onRefused: onTurnedAway });
  if (onAnswered !== undefined) {
    server.addHook('onResponse', (_request, reply, done) => {
      onAnswered(reply.statusCode);
      done();
    });
  }
  // Before Fastify's own end: it closes only servers that it told to listen, and waits for connections that never ask anything.
  server.addHook('preClose', () => closeServer(server.server));
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const entrance = entranceOf(options);
  for (const route of options.routes) bind(server, route, { entrance, log: options.log });
  healthRoutes(server, options);
  refuseTheRest(server, options, entrance);
  return server;
}

/** What every request passes before anything of it is read. */
interface Entrance {
  readonly addressOf: (request: FastifyRequest) => string;
  /** Why the request is not looked at, for the caller; undefined: it may come in. */
  readonly refuse: (request: FastifyRequest) => string | undefined;
}

function entranceOf({ limits = NO_LIMITS, log, trustedProxies = [] }: ServeRoutesOptions): Entrance {
  const lines = new LineBudget();
  const addressOf = ({ raw }: FastifyRequest): string => {
    const forwarded = raw.headers[FORWARDED_FOR];
    return callerAddress(raw.socket.remoteAddress, typeof forwarded === 'string' ? [forwarded] : [], trustedProxies);
  };
  return {
    addressOf,
    refuse: (request) => {
      const limited = limits.check('source', sourceOf(addressOf(request)));
      if (limited === undefined) return undefined;
      const extra = lines.take(performance.now());
      if (extra !== undefined) log.warn({ ...limited, ...extra }, 'refused');
      return 'too many requests; try again shortly';
    },
  };
}

function bind(server: FastifyInstance, route: Route, { entrance, log }: { entrance: Entrance; log: Log }): void {
  server.route({
    method: route.method,
    url: route.path,
    // Before the body: what is refused costs no memory.
    onRequest: (request, reply, done) => {
      const limited = entrance.refuse(request);
      if (limited === undefined) done();
      else send(withoutBody(request, reply), refusal(route, 429, limited));
    },
    handler: async (request, reply) => {
      const repeated = repeatedHeader(request.raw.rawHeaders);
      if (repeated === undefined)
        return send(reply, await withOnePatience(() => route.handle(new ReadRequest(request, reply, entrance))));
      return send(reply, refusal(route, 400, `the header ${repeated} may appear once`));
    },
    errorHandler: (error, _request, reply) => void send(reply, failed(route, error, log)),
  });
}

const send = (reply: FastifyReply, answer: HttpResponse): FastifyReply =>
  reply.code(answer.status).headers(answer.headers).send(answer.body);

/** What cannot be read is the caller's fault; what nobody foresaw is ours, and only the log tells of it. */
function failed(route: Pick<Route, 'refuse'>, error: unknown, log: Log): HttpResponse {
  const status = statusOf(error);
  if (status !== 503) return refusal(route, status, 'the request could not be read');
  log.error({ err: error }, 'a request failed unexpectedly');
  return refusal(route, status, 'try again shortly');
}

/** A body that nobody reads is read and forgotten by Node itself; one that no route would take ends the connection instead. */
function withoutBody(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
  return coding === undefined && Number(length) <= MAX_BODY_BYTES ? reply : reply.header('connection', 'close');
}

/** In the form of the route's wire. */
function refusal(route: Pick<Route, 'refuse'>, status: number, message: string): HttpResponse {
  if (route.refuse !== undefined) return route.refuse(status, message);
  const reason = status === 503 ? 'unavailable' : status === 429 ? 'limited' : 'request_invalid';
  return jsonResponse(status, { message, reason }, status === 503 || status === 429 ? { 'retry-after': '1' } : {});
}

/** A request as routes see it. */
class ReadRequest implements HttpRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly remoteAddress: string;
  readonly #answer: ServerResponse;
  #gone: AbortController | undefined;

  constructor(request: FastifyRequest, reply: FastifyReply, entrance: Entrance) {
    const url = request.raw.url ?? '';
    const questionMark = url.indexOf('?');
    this.method = request.method;
    this.params = request.params as Readonly<Record<string, string>>;
    this.query = questionMark === -1 ? '' : url.slice(questionMark + 1);
    this.headers = singleHeaders(request);
    this.body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    this.remoteAddress = entrance.addressOf(request);
    this.#answer = reply.raw;
  }

  /** Made for the first who asks: most routes never do, and to make and abort one for each request costs as much as its routing. */
  get signal(): AbortSignal {
    if (this.#gone !== undefined) return this.#gone.signal;
    const made = new AbortController();
    this.#gone = made;
    if (this.#answer.closed) made.abort();
    else this.#answer.once('close', () => made.abort());
    return made.signal;
  }
}

function singleHeaders(request: FastifyRequest): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return headers;
}

/** The first header that must be single and is not; read from the raw list because Node drops repetitions silently. */
function repeatedHeader(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

function refuseTheRest(server: FastifyInstance, options: ServeRoutesOptions, entrance: Entrance): void {
  server.setNotFoundHandler(async (request, reply) => {
    const limited = entrance.refuse(request);
    if (limited !== undefined) return send(withoutBody(request, reply), refusal({}, 429, limited));
    const path = (request.raw.url ?? '').split('?', 1)[0] ?? '';
    const allowed = options.routes.filter((route) => isOfTemplate(path, route.path)).map(({ method }) => method);
    reply.header('cache-control', 'no-store');
    if (allowed.length === 0) return reply.code(404).send({ message: 'no such route', reason: 'not_found' });
    return reply
      .code(405)
      .header('allow', allowed.join(', '))
      .send({ message: `wanted ${allowed.join(' or ')}`, reason: 'request_invalid' });
  });
  server.setErrorHandler((error, _request, reply) => void send(reply, failed({}, error, options.log)));
}

/** Whether a path fits a route's template: literal segments are equal, `:name` takes any one segment. */
function isOfTemplate(path: string, template: string): boolean {
  const segments = path.split('/');
  const wanted = template.split('/');
  return (
    segments.length === wanted.length && wanted.every((part, index) => part.startsWith(':') || part === segments[index])
  );
}

/** Fastify's own 4xx (body too large, bad content length) stay; everything unexpected is a 503 that clients may retry. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 503;
}
