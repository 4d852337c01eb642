// Load on a server that is its own process: one prepared request over and over, on connections that are kept while the server keeps
// them. It reads as little of the answers as it can: the measuring must cost less than the measured.
import { connect, type Socket } from 'node:net';

export interface WireLoadOptions {
  readonly port: number;
  /** The whole message. */
  readonly request: Buffer;
  /** Of each connection. */
  readonly bufferBytes: number;
}

const SMALL_BUFFER = 64 * 1024;

/** Sends the request on whatever connection is free. Any answer but a 200 is an error. */
export class WireLoad {
  readonly #o: WireLoadOptions;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();

  constructor(options: Omit<WireLoadOptions, 'bufferBytes'> & { readonly bufferBytes?: number }) {
    this.#o = { bufferBytes: SMALL_BUFFER, ...options };
  }

  /** One request and the whole of its answer. */
  async run(): Promise<void> {
    const connection = this.#takeIdle() ?? new Connection(this.#o);
    this.#all.add(connection);
    if (await connection.exchange()) this.#idle.push(connection);
    else this.#all.delete(connection);
  }

  /** A server closes what was idle for long, between two measurements of it. */
  #takeIdle(): Connection | undefined {
    for (let found = this.#idle.pop(); found !== undefined; found = this.#idle.pop()) {
      if (found.isOpen) return found;
      this.#all.delete(found);
    }
    return undefined;
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }
}

const HEAD_END = Buffer.from('\r\n\r\n');

class Connection {
  readonly #o: WireLoadOptions;
  readonly #socket: Socket;
  /** Bytes of the answer that are still to come; null: its head is not known yet. */
  #left: number | null = null;
  #head = Buffer.alloc(0);
  #keeps = true;
  #settle: { resolve(keeps: boolean): void; reject(cause: Error): void } | undefined;

  constructor(o: WireLoadOptions) {
    this.#o = o;
    this.#socket = connect({
      port: o.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: Buffer.allocUnsafe(o.bufferBytes), callback: (count, buffer) => this.#read(count, buffer) },
    });
    this.#socket.on('error', (cause) => this.#settle?.reject(cause));
    this.#socket.on('close', () => this.#settle?.reject(new Error('the connection was closed within an answer')));
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** False: the server will not take another on this connection. */
  exchange(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(this.#o.request);
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #read(count: number, buffer: Uint8Array): boolean {
    let seen = count;
    if (this.#left === null) {
      this.#head = Buffer.concat([this.#head, buffer.subarray(0, count)]);
      const end = this.#head.indexOf(HEAD_END);
      if (end === -1) return true;
      seen = this.#head.length - end - HEAD_END.length;
      this.#left = this.#begin(this.#head.toString('latin1', 0, end));
      this.#head = Buffer.alloc(0);
    }
    this.#left -= seen;
    if (this.#left <= 0) this.#finish();
    return true;
  }

  /** The length of the body. */
  #begin(head: string): number {
    if (!/^HTTP\/1\.[01] 200 /.test(head)) this.#settle?.reject(new Error(head));
    this.#keeps = /^HTTP\/1\.1/.test(head) && !/^connection: *close/im.test(head);
    return Number(/^content-length: *([0-9]+)/im.exec(head)?.[1] ?? Number.NaN);
  }

  #finish(): void {
    this.#left = null;
    const settle = this.#settle;
    this.#settle = undefined;
    if (!this.#keeps) this.#socket.destroy();
    settle?.resolve(this.#keeps);
  }
}
