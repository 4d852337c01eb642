// How the S3 front answers: what an operation gives back, and its way onto the connection. It decides nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EpochSeconds } from '../../base/core/time.ts';
import type { S3Error } from '../../wire/s3/errors.ts';
import { encodeS3Error } from '../../wire/s3/results.ts';
import { cut, drain } from '../connection.ts';
import type { OpenObject } from '../objects/store.ts';

/** What an operation gives back. */
export interface S3Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Text is XML; else an object's bytes, whose length the headers tell; null: there is none. */
  readonly body: string | Pick<OpenObject, 'body' | 'sendTo'> | null;
}

/** An ordinary no, such as a key that does not exist. */
export interface S3No {
  readonly error: S3Error;
  /** Beside those of every error. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where an answer goes, and what every answer says. */
export interface Addressee {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Leads the caller to the log. */
  readonly decision: string;
  /**
   * By the clock that signatures are judged by: clients whose own is wrong take the time from here and sign again. Node's own
   * header would tell the machine's.
   */
  readonly nowSeconds: EpochSeconds;
}

/**
 * Writes an answer; it must be the first thing written. An object that breaks off, as it does when the signal it was opened with
 * is aborted, cuts the connection.
 */
export async function writeAnswer(to: Addressee, answer: S3Answer | S3No): Promise<void> {
  if ('error' in answer) {
    writeError(to, answer.error, answer.headers);
    return;
  }
  const { status, headers, body } = answer;
  if (body === null || typeof body === 'string') {
    writeText(to, { status, headers, body });
    return;
  }
  to.res.writeHead(status, { ...commonHeaders(to), ...headers });
  try {
    await body.sendTo(to.res);
    to.res.end();
  } catch {
    // The head promised more: the caller must not take what it got for the whole.
    cut(to.req.socket);
  }
}

/** Writes a refusal, or breaks the connection off when an answer has begun. */
export function writeRefusal(to: Addressee, error: S3Error): void {
  const { req, res } = to;
  if (res.destroyed) return;
  if (res.headersSent) req.socket.destroy();
  else writeError(to, error);
}

function writeError(to: Addressee, error: S3Error, more: S3No['headers'] = {}): void {
  const encoded = encodeS3Error(error, { requestId: to.decision, isHead: to.req.method === 'HEAD' });
  const { status, headers, body } = encoded;
  writeText(to, { status, headers: { ...headers, ...more }, body: body === '' ? null : body });
}

function writeText(to: Addressee, answer: S3Answer & { readonly body: string | null }): void {
  const { req, res } = to;
  const { status, headers, body } = answer;
  leaveBody(req, res);
  // RFC 9110 §8.6: none with a 204 or a 304; what HEAD says of the length, `headers` do.
  const isBare = body === null && (status === 204 || status === 304 || req.method === 'HEAD');
  res.writeHead(status, {
    ...commonHeaders(to),
    ...(isBare ? {} : { 'content-length': String(Buffer.byteLength(body ?? '')) }),
    ...(body === null ? {} : { 'content-type': 'application/xml' }),
    ...headers,
  });
  res.end(body ?? undefined);
}

/** Sees to what was not read of the request. */
function leaveBody(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete) return;
  // A body that waits for `100 Continue` will not come: this connection has no next request.
  if (req.headers.expect !== undefined) res.setHeader('connection', 'close');
  drain(req);
}

const commonHeaders = ({ decision, nowSeconds }: Addressee): Record<string, string> => ({
  date: new Date(nowSeconds * 1000).toUTCString(),
  'x-amz-request-id': decision,
});
