// Callers of an S3 front, with the keys that the STS would give them.
import {
  AWS_SESSION_TOKEN_TYPE,
  awsAccessKeyId,
  awsSecretKey,
  awsSessionTokenClaims,
} from '../../src/base/credential/aws-session.ts';
import type { CarriedSession } from '../../src/base/credential/carried-session.ts';
import { assembleJws } from '../../src/base/jwt/assemble.ts';
import { type FeedSts, GROUP_KEY_ID } from './feed-sts.ts';
import { type S3Ask, type S3Keys, type S3Reply, sendSigned, signAsk } from './s3-caller.ts';
import { GROUP_KEY, type StoreWorld, type StoreWorldOptions, startStoreWorld } from './store-world.ts';

const ROLE_ARN = 'arn:aws:iam::000000000042:role/publish-web';

export interface S3World extends StoreWorld {
  /** The keys of a session, such as the STS would give. */
  keys(over?: Partial<CarriedSession>): Promise<S3Keys>;
  /** Signs and sends. */
  send(ask: S3Ask): Promise<S3Reply>;
}

/** Starts a gateway with an S3 front. */
export async function startS3World(options?: StoreWorldOptions): Promise<S3World> {
  const world = await startStoreWorld('s3', options);
  const { clock, sts, url } = world;
  return {
    ...world,
    keys: (over) => keysOf(sts, sts.session(over)),
    send: (ask) => sendSigned(url, signAsk(url, { at: clock.nowSeconds(), ...ask })),
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
