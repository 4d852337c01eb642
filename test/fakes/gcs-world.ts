// A Cloud Storage front over a store on the disk, on real sockets, fed by an STS in memory; every call that reaches the store is
// written down.
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Statement } from '../../src/base/core/permissions.ts';
import type { CarriedSession } from '../../src/base/credential/carried-session.ts';
import type { EntranceOptions } from '../../src/gateway/entrance.ts';
import { createGateway, createGatewayServer, type Gateway } from '../../src/gateway/gateway.ts';
import { openDiskStore } from '../../src/gateway/objects/disk/open.ts';
import type { ObjectStore } from '../../src/gateway/objects/store.ts';
import { FeedSts, gatewaySettings } from './feed-sts.ts';
import { listen, until } from './guarded-resource.ts';
import { MemoryLog } from './memory-log.ts';
import { MovingClock } from './moving-clock.ts';
import { GROUP_KEY } from './s3-world.ts';
import { spyOn } from './spy-object-store.ts';

/** What the front calls itself, which is not where it listens: links are made of it. */
export const GCS_URL = 'https://storage.example.com';

/** One request; what is left out is as clients have it. */
export interface GcsAsk {
  readonly method?: string;
  /** Raw path and query. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** The access token; null: none. */
  readonly token?: string | null;
}

export interface GcsReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** Of an answer that is JSON. */
  readonly json: Record<string, unknown>;
  /** Of an error. */
  readonly reason: string | undefined;
}

/** Everything that a test of the front needs. Close it. */
export interface GcsWorld {
  readonly clock: MovingClock;
  readonly sts: FeedSts;
  readonly log: MemoryLog;
  readonly gateway: Gateway;
  /** The store itself, past the front. */
  readonly store: ObjectStore;
  /** What reached the store through the front. */
  readonly calls: (keyof ObjectStore)[];
  readonly url: string;
  readonly port: number;
  token(over?: Partial<CarriedSession>): Promise<string>;
  /** Sends with a token of a session that stands, unless told another. */
  send(ask: GcsAsk): Promise<GcsReply>;
  /** Lets the role do what the statements say, and waits until the gateway knows. */
  grant(statements: readonly Omit<Statement, 'line'>[]): Promise<void>;
  close(): Promise<void>;
}

export const EVERYTHING: Omit<Statement, 'line'> = {
  effect: 'allow',
  actions: ['s3:*'],
  resources: ['arn:aws:s3:::*'],
};

/**
 * Starts a gateway with the buckets `web-bucket` and `other-bucket`, on the disk unless `behind` is another store. The role
 * `main/publish-web` may do everything.
 */
export async function startGcsWorld(behind?: ObjectStore, entrance: EntranceOptions = {}): Promise<GcsWorld> {
  const clock = new MovingClock();
  const sts = new FeedSts(clock);
  sts.grant('main/publish-web', [EVERYTHING]);
  const log = new MemoryLog();
  const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-gcs-'));
  const buckets = ['web', 'other'].map((name) => ({ name: `${name}-bucket`, quotaBytes: null }));
  const objects = behind ?? (await openDiskStore({ folder: join(folder, 'objects'), buckets, clock, random, log }));
  const { store, calls } = spyOn(objects);
  const gateway = createGateway({
    ...entrance,
    settings: gatewaySettings({
      s3: { region: 'eu-test-1', buckets, store: { kind: 'disk', folder } },
      doors: { blob: null, gcs: { url: GCS_URL } },
    }),
    key: { unwrap: async () => ({ ok: true, value: GROUP_KEY }) },
    fetch: sts.fetch,
    objects: store,
    clock,
    random,
    log,
  });
  if (gateway.doors.gcs === null) throw new Error('the gateway has no such door');
  const server = createGatewayServer(gateway.doors.gcs);
  const port = await listen(server);
  gateway.start();
  await until(() => gateway.ready());
  return {
    clock,
    sts,
    log,
    gateway,
    store: objects,
    calls,
    url: `http://127.0.0.1:${port}`,
    port,
    token: (over) => sts.token(over),
    send: async (ask) => sendAsk(port, { token: ask.token === undefined ? await sts.token() : ask.token, ...ask }),
    grant: async (statements) => {
      sts.grant('main/publish-web', statements);
      const polls = sts.polls.length;
      // The second poll from now began after the change.
      await until(() => sts.polls.length > polls + 1);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await gateway.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function sendAsk(port: number, { body = '', headers = {}, method = 'GET', target, token }: GcsAsk): Promise<GcsReply> {
  const bytes = Buffer.from(body);
  return new Promise((resolve, reject) => {
    const all = {
      ...(token == null ? {} : { authorization: `Bearer ${token}` }),
      ...(bytes.length > 0 ? { 'content-length': String(bytes.length) } : {}),
      ...headers,
    };
    const options = { hostname: '127.0.0.1', port, method, path: target, headers: all, agent: false };
    const outgoing = request(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve(replyOf(answer.statusCode ?? 0, answer.headers, Buffer.concat(chunks))));
    });
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

function replyOf(status: number, headers: IncomingHttpHeaders, body: Buffer): GcsReply {
  const text = body.toString();
  const json = headers['content-type']?.startsWith('application/json') ? JSON.parse(text) : {};
  return { status, headers, body, text, json, reason: json.error?.errors?.[0]?.reason };
}

/** A multipart upload as Node's client writes it. */
export function related(metadata: object, content: Uint8Array | string): Pick<GcsAsk, 'headers' | 'body'> {
  const head = `--edge\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(metadata)}\r\n--edge\r\nContent-Type: text/x\r\n\r\n`;
  return {
    headers: { 'content-type': 'multipart/related; boundary=edge' },
    body: Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n--edge--')]),
  };
}
