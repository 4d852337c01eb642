// How the fronts of a store put an answer onto its connection. What an answer says is each protocol's business; it decides nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cut, drain } from '../connection.ts';
import type { OpenObject } from '../objects/store.ts';

type Headers = Readonly<Record<string, string>>;

/** What an operation gives back. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Text is a document; else an object's bytes, whose length the headers tell; null: there is none. */
  readonly body: string | Pick<OpenObject, 'body' | 'sendTo'> | null;
}

/** An ordinary no, such as an object that does not exist. `E` is an error of the front's protocol. */
export interface No<E> {
  readonly error: E;
  /** Beside those of every error. */
  readonly headers?: Headers;
}

/** Where an answer goes. */
export interface Addressee {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Leads the caller to the log. */
  readonly decision: string;
}

/** An answer without an object's bytes. */
type Told = Answer & { readonly body: string | null };

/** How one protocol dresses its answers. */
export interface Dress<E> {
  /** Of every answer; an object's bytes may want others than documents do. */
  commonHeaders(to: Addressee, isObject: boolean): Headers;
  readonly documentType: string;
  /** An error as the protocol tells it. */
  encode(error: E, to: Addressee): Told;
}

/** Writes answers in one protocol's dress. */
export class Answers<E> {
  readonly #dress: Dress<E>;

  constructor(dress: Dress<E>) {
    this.#dress = dress;
  }

  /**
   * Writes an answer; it must be the first thing written. An object that breaks off, as it does when the signal it was opened with
   * is aborted, cuts the connection.
   */
  async write(to: Addressee, answer: Answer | No<E>): Promise<void> {
    if ('error' in answer) {
      this.#writeError(to, answer);
      return;
    }
    const { body, headers, status } = answer;
    if (body === null || typeof body === 'string') {
      this.#writeDocument(to, { status, headers, body });
      return;
    }
    try {
      to.res.writeHead(status, { ...this.#dress.commonHeaders(to, true), ...headers });
      await body.sendTo(to.res);
      to.res.end();
    } catch (cause) {
      body.body.destroy();
      if (!to.res.headersSent) throw cause;
      // The head promised more: the caller must not take what it got for the whole.
      cut(to.req.socket);
    }
  }

  /** Writes a refusal, or breaks the connection off when an answer has begun. */
  refuse(to: Addressee, error: E): void {
    const { req, res } = to;
    if (res.destroyed) return;
    if (res.headersSent) req.socket.destroy();
    else this.#writeError(to, { error });
  }

  #writeError(to: Addressee, { error, headers: more = {} }: No<E>): void {
    const { body, headers, status } = this.#dress.encode(error, to);
    this.#writeDocument(to, { status, headers: { ...headers, ...more }, body });
  }

  #writeDocument(to: Addressee, { body, headers, status }: Told): void {
    const { req, res } = to;
    leaveBody(to);
    // RFC 9110 §8.6: none with a 204 or a 304; what HEAD says of the length, `headers` do.
    const isBare = body === null && (status === 204 || status === 304 || req.method === 'HEAD');
    res.writeHead(status, {
      ...this.#dress.commonHeaders(to, false),
      ...(isBare ? {} : { 'content-length': String(Buffer.byteLength(body ?? '')) }),
      ...(body === null ? {} : { 'content-type': this.#dress.documentType }),
      ...headers,
    });
    res.end(body ?? undefined);
  }
}

/** Lets go of an answer that came too late. */
export function discardAnswer(answer: Answer | No<unknown>): void {
  if ('body' in answer && answer.body !== null && typeof answer.body === 'object') answer.body.body.destroy();
}

/** Sees to what was not read of the request. */
function leaveBody({ req, res }: Addressee): void {
  if (req.complete) return;
  // A body that waits for `100 Continue` will not come: this connection has no next request.
  if (req.headers.expect !== undefined) res.setHeader('connection', 'close');
  drain(req);
}
