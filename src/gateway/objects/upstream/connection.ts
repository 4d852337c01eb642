// One signed request to the upstream S3 and its answer. It knows the protocol's frame and nothing of objects.
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { err, ok, type Result } from '../../../base/core/result.ts';
import type { Secret } from '../../../base/core/secret.ts';
import type { Clock } from '../../../base/ports/clock.ts';
import { formatAmzDate } from '../../../base/sigv4/amz-date.ts';
import { signRequest } from '../../../base/sigv4/sign-request.ts';
import { signingKey } from '../../../base/sigv4/signature.ts';
import type { ObjectFailure } from '../store.ts';
import { escapePath, escapeText } from './escape.ts';
import { unavailable } from './failures.ts';
import type { OutgoingBody } from './outgoing-body.ts';
import { untilAborted } from './outgoing-body.ts';

/** An upstream that takes no connection in this time is not there. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Nothing moved in either direction for so long. */
const IDLE_TIMEOUT_MS = 120_000;
/** Of an answer that is not an object's bytes: 1,000 keys of 1,024 bytes, each escaped, fit. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const MAX_IDLE_SOCKETS = 64;
/** AWS, "Signature calculations: transferring payload": the body is not part of the signature. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** The S3 behind the gateway, and the key that the gateway itself has there. */
export interface UpstreamServer {
  /** An http or https origin, addressed path-style. */
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Gives only addresses that may be connected to; a literal address in `url` was checked by whoever configured it. */
  readonly lookup: LookupFunction;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly bucket: string;
  /** null: the bucket itself. */
  readonly key: string | null;
  readonly query?: readonly (readonly [name: string, value: string])[];
  readonly headers?: Readonly<Record<string, string>>;
  /** With its exact length; one that throws is broken off before its end. */
  readonly body?: OutgoingBody;
  readonly signal?: AbortSignal;
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Must be read to its end or destroyed. */
  readonly body: IncomingMessage;
}

interface UpstreamFailure extends ObjectFailure {
  /** It was tried on a connection kept from before. */
  readonly wasKept: boolean;
}

/** Connections to one upstream, kept between requests: all of them are the gateway's own. */
export class UpstreamConnection {
  readonly #server: UpstreamServer;
  readonly #clock: Clock;
  readonly #origin: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  #key: { readonly date: string; readonly bytes: Uint8Array } | undefined;

  constructor(server: UpstreamServer, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
    this.#origin = new URL(server.url);
    const options = { keepAlive: true, maxFreeSockets: MAX_IDLE_SOCKETS };
    this.#agent = this.#origin.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** The head of the answer, whatever its status. Failures: storage_unavailable, aborted, payload_refused (`cause`: what the body threw). */
  async send(request: UpstreamRequest): Promise<Result<UpstreamAnswer, ObjectFailure>> {
    const first = await this.#attempt(request);
    // A kept connection may close in the moment it is used again; only what has no body and changes nothing is repeated.
    const isSafe = request.method === 'GET' || request.method === 'HEAD';
    return !first.ok && isSafe && first.error.wasKept ? this.#attempt(request) : first;
  }

  close(): void {
    this.#agent.destroy();
  }

  #attempt(request: UpstreamRequest): Promise<Result<UpstreamAnswer, UpstreamFailure>> {
    return new Promise((resolve) => {
      const outgoing = this.#open(request);
      const { signal } = request;
      const fail = (failure: ObjectFailure): void => {
        outgoing.destroy();
        resolve(err({ ...failure, wasKept: outgoing.reusedSocket }));
      };
      const onAbort = (): void => fail({ problem: 'aborted', detail: 'the caller ended it' });
      signal?.addEventListener('abort', onAbort, { once: true });
      outgoing.once('close', () => signal?.removeEventListener('abort', onAbort));
      outgoing.on('error', (cause) => fail(unavailable(`the upstream cannot be reached (${codeOf(cause)})`, cause)));
      outgoing.setTimeout(IDLE_TIMEOUT_MS, () => outgoing.destroy(new Error('idle')));
      limitConnecting(outgoing);
      if (signal?.aborted === true) return onAbort();
      const sent = sendBody(outgoing, bytesOf(request));
      sent.catch((cause: unknown) => fail({ problem: 'payload_refused', detail: 'the body broke off', cause }));
      outgoing.once('response', (answer) => {
        const answered = (): void => resolve(ok(answerOf(answer)));
        // A refusal may come early; a yes to a body whose end we still hold back is none yet.
        if ((answer.statusCode ?? 0) >= 300) answered();
        else sent.then(answered, () => {});
      });
    });
  }

  #open({ method, bucket, key, query = [], headers = {}, body }: UpstreamRequest): ClientRequest {
    const path = `/${escapeText(bucket)}${key === null ? '' : `/${escapePath(key)}`}`;
    const search = query.map(([name, value]) => `${escapeText(name)}=${escapeText(value)}`).join('&');
    const length = body === undefined ? (method === 'PUT' || method === 'POST' ? '0' : undefined) : String(body.length);
    const all = {
      ...headers,
      host: this.#origin.host,
      ...(length === undefined ? {} : { 'content-length': length }),
    };
    const signed = this.#sign({ method, path, query: search, headers: all });
    const { hostname, port, protocol } = this.#origin;
    const isSecure = protocol === 'https:';
    return (isSecure ? httpsRequest : httpRequest)({
      agent: this.#agent,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (isSecure ? 443 : 80) : Number(port),
      method,
      path: search === '' ? path : `${path}?${search}`,
      headers: { ...all, ...signed },
      setHost: false,
      lookup: this.#server.lookup,
    });
  }

  /** The headers to add. The key for a day's signatures is kept for the day. */
  #sign(request: {
    readonly method: string;
    readonly path: string;
    readonly query: string;
    readonly headers: Readonly<Record<string, string>>;
  }): Record<string, string> {
    const { accessKeyId, region, secretAccessKey } = this.#server;
    const amzDate = formatAmzDate(this.#clock.nowSeconds());
    const scope = { date: amzDate.slice(0, 8), region, service: 's3' } as const;
    if (this.#key?.date !== scope.date) {
      this.#key = { date: scope.date, bytes: signingKey(secretAccessKey.reveal(), scope) };
    }
    return signRequest(
      { ...request, headers: asLists(request.headers) },
      { accessKeyId, key: this.#key.bytes, scope, amzDate, payloadHash: UNSIGNED, pathEncoding: 'single' },
    );
  }
}

const asLists = (headers: Readonly<Record<string, string>>): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(headers).map(([name, value]) => [name, [value]]));

const answerOf = (answer: IncomingMessage): UpstreamAnswer => ({
  status: answer.statusCode ?? 0,
  headers: answer.headers,
  body: answer,
});

/** A body that hangs must not outlive its caller. */
const bytesOf = ({ body, signal }: UpstreamRequest): AsyncIterable<Uint8Array> | undefined =>
  body === undefined || signal === undefined ? body?.bytes : untilAborted(body.bytes, signal);

/** With back-pressure. Rejects with what the body threw; then less than the announced length was written. */
async function sendBody(outgoing: ClientRequest, bytes: AsyncIterable<Uint8Array> | undefined): Promise<void> {
  for await (const piece of bytes ?? []) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(piece)) await drained(outgoing);
  }
  outgoing.end();
}

const drained = (outgoing: ClientRequest): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done);
      outgoing.off('close', done);
      resolve();
    };
    outgoing.on('drain', done);
    outgoing.on('close', done);
  });

function limitConnecting(outgoing: ClientRequest): void {
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => outgoing.destroy(new Error('connect timeout')), CONNECT_TIMEOUT_MS);
    socket.once('connect', () => clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
  });
}

const codeOf = (cause: Error): string =>
  'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;

/** The whole body of an answer that is a document. Failure: storage_unavailable when it is too long or breaks off. */
export async function readDocument(answer: UpstreamAnswer): Promise<Result<Buffer, ObjectFailure>> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of answer.body as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > MAX_ANSWER_BYTES) return err(unavailable('the upstream answered too much'));
      pieces.push(piece);
    }
  } catch (cause) {
    return err(unavailable('the upstream broke off its answer', cause));
  }
  return answer.body.complete ? ok(Buffer.concat(pieces)) : err(unavailable('the upstream broke off its answer'));
}
