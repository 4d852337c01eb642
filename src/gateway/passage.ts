// One permitted request on its way: streams both ways with back-pressure, and can be cut at any moment.
// It decides nothing; what it may carry was decided before it began.
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { type Failure, failure } from '../base/core/reasons.ts';
import { cut, drain } from './connection.ts';
import { type BodyFraming, callerHeaders, readHeaders } from './headers.ts';
import type { Turn } from './turns.ts';

/** Nothing moved in either direction for so long. */
const IDLE_TIMEOUT_MS = 120_000;
/** An upstream that takes no connection in this time is not there. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface PassageOptions {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly framing: BodyFraming;
  /** Asks for a connection; the returned function gives it back or gives up waiting, and may be called again. */
  readonly take: (turn: Turn) => () => void;
  /** Opens the request to the upstream; nothing was sent yet. */
  readonly open: () => ClientRequest;
  /** Header of the answer that leads the caller to the log. */
  readonly decision: string;
  /** Writes a refusal and sees to the rest of the body; nothing was written to `res` before. */
  readonly refuse: (reason: Failure) => void;
  /** Both sides are done; called once. */
  readonly onClose: () => void;
}

/** A request that was let through. */
export class Passage {
  readonly #o: PassageOptions;
  #upstream: ClientRequest | undefined;
  /** From here on the answer's own end or error tells how it went; the request's error may be a body nobody waited for. */
  #answered = false;
  /** The answer is no longer the upstream's: refused or cut. */
  #over = false;
  #leave: () => void = () => {};

  constructor(options: PassageOptions) {
    this.#o = options;
  }

  /** Waits for its turn, opens the upstream and lets both bodies flow. */
  start(): void {
    this.#o.res.once('close', () => this.#onCallerClosed());
    this.#leave = this.#o.take({ onTurn: () => this.#go(), onTimeout: (reason) => this.abort(reason) });
  }

  /** Another request's end may bring this one's turn: what goes wrong here is this one's alone. */
  #go(): void {
    if (this.#over) return;
    try {
      this.#open();
    } catch (cause) {
      this.abort(failure('internal_failure', String(cause)));
    }
  }

  #open(): void {
    const { req, res, framing } = this.#o;
    const upstream = this.#o.open();
    this.#upstream = upstream;
    upstream.on('error', () => this.#failUnanswered('the connection to the upstream failed'));
    upstream.on('close', () => {
      this.#leave();
      this.#failUnanswered('the upstream closed the connection without an answer');
    });
    upstream.on('response', (answer) => this.#answer(answer));
    upstream.on('continue', () => {
      if (!this.#over && !res.headersSent) res.writeContinue();
    });
    upstream.setTimeout(IDLE_TIMEOUT_MS, () => this.#fail('nothing moved for too long'));
    limitConnecting(upstream);
    if (framing.kind === 'none') upstream.end();
    else req.pipe(upstream);
  }

  /** Ends both sides now. A caller that has no answer yet gets the refusal; any other sees its answer break off. */
  abort(reason: Failure): void {
    if (this.#over) return;
    this.#over = true;
    const socket = this.#upstream?.socket;
    if (socket) cut(socket);
    this.#upstream?.destroy();
    if (this.#o.res.headersSent) cut(this.#o.req.socket);
    else this.#refuse(reason);
  }

  #answer(answer: IncomingMessage): void {
    const { res } = this.#o;
    if (this.#over) {
      answer.destroy();
      return;
    }
    this.#answered = true;
    answer.on('error', () => this.#fail('the upstream broke off its answer'));
    if (!this.#writeHead(answer)) {
      this.#fail('the upstream gave an answer that cannot be passed on');
      return;
    }
    // The end is written by hand: only a complete answer may look complete.
    answer.pipe(res, { end: false });
    answer.on('end', () => {
      if (answer.complete) this.#finish(answer);
      else this.#fail('the upstream broke off its answer');
    });
  }

  #finish(answer: IncomingMessage): void {
    if (this.#over) return;
    addTrailers(this.#o.res, answer);
    this.#o.res.end();
  }

  #writeHead(answer: IncomingMessage): boolean {
    const { res, decision } = this.#o;
    try {
      for (const [name, values] of callerHeaders(readHeaders(answer.rawHeaders))) res.setHeader(name, [...values]);
      res.setHeader('x-jobpass-decision', decision);
      res.writeHead(answer.statusCode ?? 502);
      // Now, not with the first byte of the body: that may come much later.
      res.flushHeaders();
      return true;
    } catch {
      // What Node's parser lets in and its writer does not let out.
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      return false;
    }
  }

  #failUnanswered(detail: string): void {
    if (!this.#answered) this.#fail(detail);
  }

  #fail(detail: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#upstream?.destroy();
    if (this.#o.res.headersSent) cut(this.#o.req.socket);
    else this.#refuse(failure('upstream_unreachable', detail));
  }

  #refuse(reason: Failure): void {
    this.#o.req.unpipe();
    this.#o.refuse(reason);
  }

  /** The answer was written whole, or the caller left: in both cases the upstream has nothing more to say to anybody. */
  #onCallerClosed(): void {
    this.#over = true;
    this.#upstream?.destroy();
    this.#leave();
    // An early answer leaves a body that nobody reads any more.
    this.#o.req.unpipe();
    drain(this.#o.req);
    this.#o.onClose();
  }
}

function limitConnecting(upstream: ClientRequest): void {
  upstream.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => upstream.destroy(new Error('connect timeout')), CONNECT_TIMEOUT_MS);
    socket.once('connect', () => clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
  });
}

function addTrailers(res: ServerResponse, answer: IncomingMessage): void {
  const trailers = callerHeaders(readHeaders(answer.rawTrailers));
  if (trailers.size === 0) return;
  try {
    res.addTrailers([...trailers].flatMap(([name, values]) => values.map((value): [string, string] => [name, value])));
  } catch {
    // A trailer that cannot be written is left out: RFC 9110 §6.5.1 lets any recipient drop trailers.
  }
}
