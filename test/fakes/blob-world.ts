// A Blob front over a store on the disk, on real sockets, fed by an STS in memory; every call that reaches the store is written down.
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Statement } from '../../src/base/core/permissions.ts';
import type { EntranceOptions } from '../../src/gateway/entrance.ts';
import { createGateway, createGatewayServer, type Gateway } from '../../src/gateway/gateway.ts';
import { openDiskStore } from '../../src/gateway/objects/disk/open.ts';
import type { ObjectStore } from '../../src/gateway/objects/store.ts';
import { FeedSts, gatewaySettings } from './feed-sts.ts';
import { listen, until } from './guarded-resource.ts';
import { MemoryLog } from './memory-log.ts';
import { MovingClock } from './moving-clock.ts';
import { spyOn } from './spy-object-store.ts';

export const ACCOUNT = 'artifacts';
const CONTAINER = 'web-bucket';
const VERSION = '2026-10-06';

/** One request; what is left out is as the SDK has it. A header that is null is not sent. */
export interface BlobAsk {
  readonly method?: string;
  /** Raw path and query, as on the wire, after `/<account>`. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly body?: Uint8Array | string;
  /** A good one of the role unless given; null: none. */
  readonly token?: string | null;
}

export interface BlobReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** x-ms-error-code. */
  readonly code: string | undefined;
}

/** Everything that a test of the Blob front needs. Close it. */
export interface BlobWorld {
  readonly clock: MovingClock;
  readonly sts: FeedSts;
  readonly log: MemoryLog;
  readonly gateway: Gateway;
  readonly store: ObjectStore;
  /** What reached the store. */
  readonly calls: (keyof ObjectStore)[];
  readonly port: number;
  send(ask: BlobAsk): Promise<BlobReply>;
  /** Lets the role do what the statements say, and waits until the gateway knows. */
  grant(...statements: readonly Omit<Statement, 'line'>[]): Promise<void>;
  close(): Promise<void>;
}

export const EVERYTHING: Omit<Statement, 'line'> = {
  effect: 'allow',
  actions: ['s3:*'],
  resources: ['arn:aws:s3:::*'],
};

/** Starts a gateway with one container. The role `main/publish-web` may do everything. */
export async function startBlobWorld(entrance: EntranceOptions = {}): Promise<BlobWorld> {
  const clock = new MovingClock();
  const sts = new FeedSts(clock);
  sts.grant('main/publish-web', [EVERYTHING]);
  const log = new MemoryLog();
  const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-blob-'));
  const buckets = [{ name: CONTAINER, quotaBytes: null }];
  const disk = await openDiskStore({ folder: join(folder, 'objects'), buckets, clock, random, log });
  const { store, calls } = spyOn(disk);
  const gateway = createGateway({
    ...entrance,
    settings: gatewaySettings({
      s3: { region: 'eu-test-1', buckets, store: { kind: 'disk', folder } },
      doors: { blob: { account: ACCOUNT, url: 'https://blob.example.com' }, gcs: null },
    }),
    key: { unwrap: async () => ({ ok: true, value: new Uint8Array(32) }) },
    fetch: sts.fetch,
    objects: store,
    clock,
    random,
    log,
  });
  if (gateway.doors.blob === null) throw new Error('the gateway has no Blob door');
  const server = createGatewayServer(gateway.doors.blob);
  const port = await listen(server);
  gateway.start();
  await until(() => gateway.ready());
  return {
    clock,
    sts,
    log,
    gateway,
    store: disk,
    calls,
    port,
    send: async (ask) => sendBlob(port, ask.token === undefined ? { ...ask, token: await sts.token() } : ask),
    grant: async (...statements) => {
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

/** Sends a request and reads the whole answer. */
function sendBlob(port: number, ask: BlobAsk): Promise<BlobReply> {
  const body = Buffer.from(ask.body ?? '');
  const { method = 'GET', target, token } = ask;
  const wanted: BlobAsk['headers'] = {
    'x-ms-version': VERSION,
    ...(token == null ? {} : { authorization: `Bearer ${token}` }),
    ...(method === 'PUT' ? { 'content-length': String(body.length) } : {}),
    ...(method === 'PUT' && !target.includes('comp=') ? { 'x-ms-blob-type': 'BlockBlob' } : {}),
    ...ask.headers,
  };
  const headers = Object.entries(wanted).flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
  return new Promise((resolve, reject) => {
    const path = `/${ACCOUNT}${target}`;
    const options = { hostname: '127.0.0.1', port, method, path, headers: Object.fromEntries(headers), agent: false };
    const outgoing = request(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const code = answer.headers['x-ms-error-code'];
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, code: code as string | undefined });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
