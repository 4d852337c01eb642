// How the Blob front answers: what an operation gives back, and its way onto the connection. It decides nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EpochSeconds } from '../../base/core/time.ts';
import { challenge, commonHeaders } from '../../wire/blob/common-headers.ts';
import type { BlobError } from '../../wire/blob/errors.ts';
import { encodeError } from '../../wire/blob/results.ts';
import { cut, drain } from '../connection.ts';
import type { OpenObject } from '../objects/store.ts';

/** What an operation gives back. */
export interface BlobAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Text is XML; an open object is a blob's bytes, whose length the headers tell; null: there is none. */
  readonly body: string | OpenObject | null;
}

/** An ordinary no, such as a blob that does not exist. */
export interface BlobNo {
  readonly error: BlobError;
  /** Beside those of every error. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where an answer goes, and what every answer says. */
export interface Addressee {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Leads the caller to the log. */
  readonly decision: string;
  readonly nowSeconds: EpochSeconds;
  /** Where tokens come from. */
  readonly stsUrl: string;
}

/** Writes an answer; it must be the first thing written. A stream that breaks cuts the connection. */
export async function writeAnswer(to: Addressee, answer: BlobAnswer | BlobNo): Promise<void> {
  if ('error' in answer) {
    writeError(to, answer.error, answer.headers);
    return;
  }
  const { status, headers, body } = answer;
  if (body === null || typeof body === 'string') {
    writeText(to, { status, headers, body });
    return;
  }
  to.res.writeHead(status, { ...headersOf(to), ...headers });
  try {
    await body.sendTo(to.res);
    to.res.end();
  } catch {
    // The head promised more: the caller must not take what it got for the whole.
    cut(to.req.socket);
  }
}

/** Writes a refusal, or breaks the connection off when an answer has begun. */
export function writeRefusal(to: Addressee, error: BlobError): void {
  const { req, res } = to;
  if (res.destroyed) return;
  if (res.headersSent) req.socket.destroy();
  else writeError(to, error);
}

function writeError(to: Addressee, error: BlobError, more: BlobNo['headers'] = {}): void {
  const isHead = to.req.method === 'HEAD';
  const encoded = encodeError(error, { requestId: to.decision, nowMs: to.nowSeconds * 1000, isHead });
  const { status, headers, body } = encoded;
  const asked = status === 401 ? { 'www-authenticate': challenge(to.stsUrl) } : {};
  writeText(to, { status, headers: { ...headers, ...asked, ...more }, body });
}

function writeText(to: Addressee, answer: BlobAnswer & { readonly body: string | null }): void {
  const { req, res } = to;
  const { status, headers, body } = answer;
  leaveBody(req, res);
  // RFC 9110 §8.6: none with a 304; what HEAD says of the length, `headers` do.
  const isBare = body === null && (status === 304 || req.method === 'HEAD');
  res.writeHead(status, {
    ...headersOf(to),
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

const headersOf = ({ decision, nowSeconds, req }: Addressee): Readonly<Record<string, string>> =>
  commonHeaders({
    requestId: decision,
    nowSeconds,
    version: single(req.headers['x-ms-version']),
    clientRequestId: single(req.headers['x-ms-client-request-id']),
  });

const single = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
