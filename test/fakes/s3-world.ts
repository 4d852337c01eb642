// An S3 front over a store on the disk, on real sockets, fed by an STS in memory; every call that reaches the store is written down.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Statement } from '../../src/base/core/permissions.ts';
import {
  AWS_SESSION_TOKEN_TYPE,
  awsAccessKeyId,
  awsSecretKey,
  awsSessionTokenClaims,
} from '../../src/base/credential/aws-session.ts';
import type { CarriedSession } from '../../src/base/credential/carried-session.ts';
import { assembleJws } from '../../src/base/jwt/assemble.ts';
import type { EntranceOptions } from '../../src/gateway/entrance.ts';
import { createGateway, createGatewayServer, type Gateway } from '../../src/gateway/gateway.ts';
import { openDiskStore } from '../../src/gateway/objects/disk/open.ts';
import type { ObjectStore } from '../../src/gateway/objects/store.ts';
import { FeedSts, GROUP_KEY_ID, gatewaySettings } from './feed-sts.ts';
import { listen, until } from './guarded-resource.ts';
import { MemoryLog } from './memory-log.ts';
import { MovingClock } from './moving-clock.ts';
import { REGION, type S3Ask, type S3Keys, type S3Reply, sendSigned, signAsk } from './s3-caller.ts';
import { spyOn } from './spy-object-store.ts';

/** What the STS and the gateway derive secrets with. */
export const GROUP_KEY = new Uint8Array(32).fill(7);
const ROLE_ARN = 'arn:aws:iam::000000000042:role/publish-web';

/** Everything that a test of the S3 front needs. Close it. */
export interface S3World {
  readonly clock: MovingClock;
  readonly sts: FeedSts;
  readonly log: MemoryLog;
  readonly gateway: Gateway;
  readonly store: ObjectStore;
  /** What reached the store. */
  readonly calls: (keyof ObjectStore)[];
  readonly url: string;
  readonly port: number;
  /** The keys of a session, such as the STS would give. */
  keys(over?: Partial<CarriedSession>): Promise<S3Keys>;
  /** Signs and sends. */
  send(ask: S3Ask): Promise<S3Reply>;
  /** Lets the role do what the statements say, and waits until the gateway knows. */
  grant(statements: readonly Omit<Statement, 'line'>[]): Promise<void>;
  close(): Promise<void>;
}

const EVERYTHING: Omit<Statement, 'line'> = { effect: 'allow', actions: ['s3:*'], resources: ['arn:aws:s3:::*'] };

/** Starts a gateway with the buckets `web` and `other`. The role `main/publish-web` may do everything. */
export async function startS3World(entrance: EntranceOptions = {}): Promise<S3World> {
  const clock = new MovingClock();
  const sts = new FeedSts(clock);
  sts.grant('main/publish-web', [EVERYTHING]);
  const log = new MemoryLog();
  const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) };
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-s3-'));
  const buckets = ['web', 'other'].map((name) => ({ name: `${name}-bucket`, quotaBytes: null }));
  const disk = await openDiskStore({
    folder: join(folder, 'objects'),
    buckets,
    clock,
    random,
    log,
    limits: { minPartBytes: 1 },
  });
  const { store, calls } = spyOn(disk);
  const gateway = createGateway({
    ...entrance,
    settings: gatewaySettings({ s3: { region: REGION, buckets, store: { kind: 'disk', folder } } }),
    key: { unwrap: async () => ({ ok: true, value: GROUP_KEY }) },
    fetch: sts.fetch,
    objects: store,
    clock,
    random,
    log,
  });
  if (gateway.front === null) throw new Error('the gateway has no front');
  const server = createGatewayServer(gateway.front);
  const port = await listen(server);
  const url = `http://127.0.0.1:${port}`;
  gateway.start();
  await until(() => gateway.ready());
  return {
    clock,
    sts,
    log,
    gateway,
    store: disk,
    calls,
    url,
    port,
    keys: (over) => keysOf(sts, sts.session(over)),
    send: (ask) => sendSigned(url, signAsk(url, { at: clock.nowSeconds(), ...ask })),
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

async function keysOf(sts: FeedSts, session: CarriedSession): Promise<S3Keys> {
  const claims = awsSessionTokenClaims({ session, roleArn: ROLE_ARN, sessionName: 'job-1', groupKeyId: GROUP_KEY_ID });
  return {
    accessKeyId: awsAccessKeyId(session.sessionId),
    secret: awsSecretKey(GROUP_KEY, session.sessionId).reveal(),
    sessionToken: await assembleJws({ typ: AWS_SESSION_TOKEN_TYPE }, claims, sts.key.signer),
  };
}
