// Owns one connection: how it is made, what types its rows have, and that it is given up whole when it does not answer.
import { hash } from 'node:crypto';
import { Socket } from 'node:net';
import pg from 'pg';
import { PATIENCE_MS } from '../../base/ports/patience.ts';
import type { PostgresLocation, PostgresTls } from '../location.ts';
import type { Row } from '../rows/row.ts';
import { ConnectionLost, codeOf, sqlState } from './errors.ts';

const CONNECT_MS = 1500;

/** SQL that is prepared once per connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Names the SQL by its content. */
export const statement = (text: string): Statement => ({ name: hash('sha256', text, 'base64url').slice(0, 22), text });

/** What PostgreSQL's text columns, numbers, blobs and lists of them are given as. */
export type Value = null | string | number | boolean | Uint8Array | readonly (string | number | boolean | null)[];

/** What a statement was answered with. */
export interface Answer {
  readonly rows: readonly Row[];
  /** Rows read or changed. */
  readonly count: number;
  /** What was done: of a COMMIT in a failed transaction, `ROLLBACK`. */
  readonly command: string;
}

/** int8, int2, int4, oid as exact numbers: beyond them, what comes out is no safe integer, and refused as damage. */
const NUMBERS = new Set([20, 21, 23, 26]);
const BYTEA = 17;
const BOOL = 16;

function parserOf(oid: number): (text: string) => number | string | Uint8Array {
  if (NUMBERS.has(oid)) return Number;
  if (oid === BOOL) return (text) => (text === 't' ? 1 : 0);
  if (oid === BYTEA) return (text) => Uint8Array.from(Buffer.from(text.slice(2), 'hex'));
  return (text) => text;
}

const tlsOptions = (tls: PostgresTls) => ({
  minVersion: 'TLSv1.2' as const,
  rejectUnauthorized: tls.verify !== 'none',
  ...(tls.ca === null ? {} : { ca: tls.ca }),
  ...(tls.verify === 'full' ? {} : { checkServerIdentity: () => undefined }),
});

/** Every member that the driver would otherwise read from the environment is given. */
const clientOptions = (location: PostgresLocation, name: string, stream: Socket) => ({
  host: location.host,
  port: location.port,
  user: location.user,
  database: location.database,
  password: () => location.password?.reveal() ?? '',
  ssl: location.tls === null ? false : tlsOptions(location.tls),
  sslnegotiation: 'postgres' as const,
  enableChannelBinding: location.tls !== null,
  application_name: name,
  client_encoding: 'UTF8',
  options: '-c client_min_messages=warning',
  keepAlive: true,
  // Statements go out without waiting for the answers of those before.
  pipeline: true,
  stream: () => stream,
  types: { getTypeParser: parserOf },
});

/** An open connection. Made by `open`; once it fails it fails for good. */
export class Connection {
  readonly #client: pg.Client;
  readonly #socket: Socket;
  #loss: ConnectionLost | undefined;
  #onLoss: (() => void) | undefined;

  private constructor(client: pg.Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    client.on('error', (error) => this.#lose(error));
    client.on('end', () => this.#lose(new ConnectionLost('ERR_CLOSED', 'the connection was closed')));
  }

  /** Rejects with ConnectionLost, or with PostgreSQL's refusal. `name` is what the server's administrator sees. */
  static async open(location: PostgresLocation, name: string): Promise<Connection> {
    const socket = new Socket();
    const client = new pg.Client(clientOptions(location, name, socket));
    const connection = new Connection(client, socket);
    try {
      await connection.#within(CONNECT_MS, client.connect());
    } catch (cause) {
      if (sqlState(cause) === undefined) throw connection.#lose(cause);
      connection.destroy();
      throw cause;
    }
    return connection;
  }

  /** True until it failed or was ended. */
  get isUsable(): boolean {
    return this.#loss === undefined;
  }

  /**
   * Sends a statement at once, behind those under way. The promise may be left unobserved. Rejects with PostgreSQL's error,
   * or with ConnectionLost: then for everything that is under way.
   */
  query({ name, text }: Statement, values: readonly Value[] = []): Promise<Answer> {
    if (this.#loss !== undefined) return Promise.reject(this.#loss);
    const answer = this.#client.query({ name, text, values: [...values] }).then(
      ({ command, rowCount, rows }) => ({ rows, count: rowCount ?? 0, command }),
      (error: unknown) => {
        throw sqlState(error) === undefined ? this.#lose(error) : error;
      },
    );
    answer.catch(() => {});
    return answer;
  }

  /** As `query`, for SQL of several statements and without values. */
  async script(text: string): Promise<void> {
    if (this.#loss !== undefined) throw this.#loss;
    await this.#client.query(text);
  }

  /** Gives the connection up unless `work` settles in time; what is under way then rejects with ConnectionLost. */
  async #within<T>(ms: number, work: Promise<T>): Promise<T> {
    const timer = this.expireIn(ms);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Gives the connection up after `ms` unless the timer is cleared before. */
  expireIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#lose(new ConnectionLost('ERR_TOO_LATE', 'no answer in time')), ms);
  }

  /** What the server tells those that LISTEN, and the loss of the connection, which may be before. */
  listen(onNotice: () => void, onLoss: () => void): void {
    this.#client.on('notification', onNotice);
    if (this.#loss === undefined) this.#onLoss = onLoss;
    else onLoss();
  }

  #lose(cause: unknown): ConnectionLost {
    if (this.#loss !== undefined) return this.#loss;
    this.#loss = cause instanceof ConnectionLost ? cause : new ConnectionLost(codeOf(cause), messageOf(cause));
    this.#socket.destroy();
    this.#onLoss?.();
    return this.#loss;
  }

  /** Drops it, whatever is under way. */
  destroy(): void {
    this.#lose(new ConnectionLost('ERR_CLOSED', 'the connection was given up'));
  }

  /** Says goodbye after what is under way. */
  async end(): Promise<void> {
    if (this.#loss !== undefined) return;
    const closing = this.#client.end();
    await this.#within(PATIENCE_MS, closing).catch(() => {});
    this.destroy();
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : 'unknown error');
