// One front of a gateway over a store on the disk, on real sockets, fed by an STS in memory; every call that reaches the store is
// written down. What its callers speak is in the worlds beside it.
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
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
import { spyOn } from './spy-object-store.ts';

/** What the STS and the gateway derive secrets with. */
export const GROUP_KEY = new Uint8Array(32).fill(7);
export const REGION = 'eu-test-1';
/** The account that the Blob front serves. */
export const ACCOUNT = 'artifacts';
/** What the Cloud Storage front calls itself, which is not where it listens: links are made of it. */
export const GCS_URL = 'https://storage.example.com';

export const EVERYTHING: Omit<Statement, 'line'> = {
  effect: 'allow',
  actions: ['s3:*'],
  resources: ['arn:aws:s3:::*'],
};

/** Everything that a test of a front needs. Close it. */
export interface StoreWorld {
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
  /** An access token of a session that stands, unless told otherwise. */
  token(over?: Partial<CarriedSession>): Promise<string>;
  /** Lets the role do what the statements say, and waits until the gateway knows. */
  grant(statements: readonly Omit<Statement, 'line'>[]): Promise<void>;
  close(): Promise<void>;
}

export interface StoreWorldOptions extends EntranceOptions {
  /** The store; one on the disk unless given. */
  readonly behind?: ObjectStore;
}

/** Starts a gateway with the buckets `web-bucket` and `other-bucket`. The role `main/publish-web` may do everything. */
export async function startStoreWorld(
  front: 's3' | 'blob' | 'gcs',
  options: StoreWorldOptions = {},
): Promise<StoreWorld> {
  const { behind, ...entrance } = options;
  const clock = new MovingClock();
  const sts = new FeedSts(clock);
  sts.grant('main/publish-web', [EVERYTHING]);
  const log = new MemoryLog();
  const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
  const folder = mkdtempSync(join(tmpdir(), `jobpass-${front}-`));
  const buckets = ['web', 'other'].map((name) => ({ name: `${name}-bucket`, quotaBytes: null }));
  const disk = { folder: join(folder, 'objects'), buckets, clock, random, log, limits: { minPartBytes: 1 } };
  const objects = behind ?? (await openDiskStore(disk));
  const { store, calls } = spyOn(objects);
  const gateway = createGateway({
    ...entrance,
    settings: gatewaySettings({
      s3: { region: REGION, buckets, store: { kind: 'disk', folder } },
      doors: { blob: { account: ACCOUNT, url: 'https://blob.example.com' }, gcs: { url: GCS_URL } },
    }),
    key: { unwrap: async () => ({ ok: true, value: GROUP_KEY }) },
    fetch: sts.fetch,
    objects: store,
    clock,
    random,
    log,
  });
  const handler = front === 's3' ? gateway.front : gateway.doors[front];
  if (handler === null) throw new Error(`the gateway has no ${front} front`);
  const server = createGatewayServer(handler);
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

/** A whole answer. */
export interface StoreReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

/** Sends a request on a connection of its own and reads the whole answer. */
export function sendRequest(to: RequestOptions, body: Uint8Array): Promise<StoreReply> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname: '127.0.0.1', ...to, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const { headers, statusCode: status = 0 } = answer;
        resolve({ status, headers, body: bytes, text: bytes.toString('utf8') });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
