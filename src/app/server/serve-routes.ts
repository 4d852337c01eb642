// Binds routes to Fastify: bodies as bytes, strict headers, timeouts and caps. No decision is taken here.
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { MAX_BODY_BYTES } from '../../base/core/limits.ts';
import type { HttpRequest, Route } from '../../base/ports/http.ts';
import { jsonResponse } from '../../base/ports/http.ts';
import type { Log } from '../../base/ports/log.ts';

/** Headers whose repetition would let two readers see two requests. */
const SINGLE_HEADERS = new Set([
  'authorization',
  'content-type',
  'content-length',
  'host',
  'if-none-match',
  'idempotency-key',
]);

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;
const MAX_HEADER_BYTES = 32 * 1024;
const MAX_CONNECTIONS = 10_000;

export interface ServeRoutesOptions {
  readonly routes: readonly Route[];
  /** Whether the server could answer a request now. */
  readonly ready: () => Promise<boolean>;
  readonly log: Log;
}

/** A server for these routes plus `/healthz` and `/readyz`, not yet listening. */
export function serveRoutes(options: ServeRoutesOptions): FastifyInstance {
  const server = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, joinDuplicateHeaders: false },
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      maxParamLength: 255,
    },
    exposeHeadRoutes: true,
  });
  server.server.maxConnections = MAX_CONNECTIONS;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  for (const route of options.routes) bind(server, route);
  server.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'));
  server.get('/readyz', async (_request, reply) => {
    const ready = await options.ready();
    return reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? 'ready\n' : 'not ready\n');
  });
  refuseTheRest(server, options);
  return server;
}

function bind(server: FastifyInstance, route: Route): void {
  server.route({
    method: route.method,
    url: route.path,
    handler: async (request, reply) => {
      const repeated = repeatedHeader(request.raw.rawHeaders);
      const answer =
        repeated === undefined
          ? await route.handle(toHttpRequest(request, reply))
          : jsonResponse(400, { error: 'request_invalid', message: `the header ${repeated} may appear once` });
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    },
  });
}

function toHttpRequest(request: FastifyRequest, reply: FastifyReply): HttpRequest {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const url = request.raw.url ?? '';
  const questionMark = url.indexOf('?');
  return {
    method: request.method,
    params: request.params as Readonly<Record<string, string>>,
    query: questionMark === -1 ? '' : url.slice(questionMark + 1),
    headers: singleHeaders(request),
    body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
    remoteAddress: request.ip,
    signal: gone.signal,
  };
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
    if (SINGLE_HEADERS.has(name) && seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

function refuseTheRest(server: FastifyInstance, options: ServeRoutesOptions): void {
  const methodsOf = new Map<string, string[]>();
  for (const { method, path } of options.routes) methodsOf.set(path, [...(methodsOf.get(path) ?? []), method]);
  server.setNotFoundHandler(async (request, reply) => {
    const path = (request.raw.url ?? '').split('?', 1)[0] ?? '';
    const allowed = methodsOf.get(path);
    if (allowed !== undefined) reply.header('allow', allowed.join(', '));
    return reply
      .code(allowed === undefined ? 404 : 405)
      .header('cache-control', 'no-store')
      .send({
        error: allowed === undefined ? 'not_found' : 'request_invalid',
        message: allowed === undefined ? 'no such route' : 'method not allowed',
      });
  });
  server.setErrorHandler(async (error, _request, reply) => {
    const status = statusOf(error);
    if (status >= 500)
      options.log.error({ code: errorCode(error), error: String(error) }, 'a request failed unexpectedly');
    reply.header('cache-control', 'no-store');
    if (status === 503) reply.header('retry-after', '1');
    return reply
      .code(status)
      .send(
        status === 503
          ? { error: 'unavailable', message: 'try again shortly' }
          : { error: 'request_invalid', message: 'the request could not be read' },
      );
  });
}

/** Fastify's own 4xx (body too large, bad content length) stay; everything unexpected is a 503 that clients may retry. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 503;
}

const errorCode = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
