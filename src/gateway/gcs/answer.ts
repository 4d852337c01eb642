// How the Cloud Storage front answers: what an operation gives back, and its way onto the connection. It decides nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GcsError } from '../../wire/gcs/errors.ts';
import { errorBody } from '../../wire/gcs/results.ts';
import { cut, drain } from '../connection.ts';
import type { OpenObject } from '../objects/store.ts';

type Headers = Readonly<Record<string, string>>;

/** What an operation gives back: JSON, an object's bytes, nothing, or an ordinary no, such as an object that does not exist. */
export type GcsAnswer =
  | { readonly kind: 'json'; readonly body: object }
  | { readonly kind: 'media'; readonly status: number; readonly headers: Headers; readonly object: OpenObject }
  | { readonly kind: 'empty'; readonly status: number; readonly headers: Headers }
  | { readonly kind: 'error'; readonly error: GcsError; readonly headers?: Headers };

/** Where an answer goes. */
export interface Addressee {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Leads the caller to the log. */
  readonly decision: string;
}

/** Writes an answer; it must be the first thing written. Bytes that break off, or whose reading was aborted, cut the connection. */
export async function writeAnswer(to: Addressee, answer: GcsAnswer): Promise<void> {
  switch (answer.kind) {
    case 'json':
      return writeText(to, 200, { body: answer.body });
    case 'empty':
      return writeText(to, answer.status, { headers: answer.headers });
    case 'error':
      return writeError(to, answer.error, answer.headers);
    case 'media':
      to.res.writeHead(answer.status, {
        ...commonHeaders(to),
        'cache-control': 'private, max-age=0',
        ...answer.headers,
      });
      try {
        await answer.object.sendTo(to.res);
        to.res.end();
      } catch {
        // The head promised more: the caller must not take what it got for the whole.
        cut(to.req.socket);
      }
  }
}

/** Lets go of an answer that came too late. */
export function discardAnswer(answer: GcsAnswer): void {
  if (answer.kind === 'media') answer.object.body.destroy();
}

/** Writes a refusal, or breaks the connection off when an answer has begun. */
export function writeRefusal(to: Addressee, error: GcsError): void {
  const { req, res } = to;
  if (res.destroyed) return;
  if (res.headersSent) req.socket.destroy();
  else writeError(to, error);
}

function writeError(to: Addressee, error: GcsError, headers: Headers = {}): void {
  const { retryAfterSeconds, status } = error;
  writeText(to, status, {
    body: errorBody(error, to.decision),
    headers: {
      ...headers,
      ...(status === 401 ? { 'www-authenticate': challenge(to.req) } : {}),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
  });
}

/** RFC 6750 §3: the error is named only when a credential was presented. */
const challenge = ({ headers }: IncomingMessage): string =>
  headers.authorization === undefined ? 'Bearer' : 'Bearer error="invalid_token"';

function writeText(
  to: Addressee,
  status: number,
  { body, headers = {} }: { readonly body?: object; readonly headers?: Headers },
): void {
  const { req, res } = to;
  leaveBody(req, res);
  const text = body === undefined ? '' : JSON.stringify(body);
  res.writeHead(status, {
    ...commonHeaders(to),
    'cache-control': 'no-store',
    // RFC 9110 §8.6: none with a 204.
    ...(status === 204 ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
    ...(body === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' }),
    ...headers,
  });
  res.end(text);
}

/** Sees to what was not read of the request. */
function leaveBody(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete) return;
  // A body that waits for `100 Continue` will not come: this connection has no next request.
  if (req.headers.expect !== undefined) res.setHeader('connection', 'close');
  drain(req);
}

const commonHeaders = ({ decision }: Addressee): Record<string, string> => ({ 'x-jobpass-decision': decision });
