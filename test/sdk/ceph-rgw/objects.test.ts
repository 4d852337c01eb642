// The object store that is another S3, against a real one: Ceph RGW behind the port's conformance suite.

import { lookup } from 'node:dns';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe } from 'vitest';
import { systemClock } from '../../../src/app/adapters.ts';
import { Secret } from '../../../src/base/core/secret.ts';
import { openUpstreamStore } from '../../../src/gateway/objects/upstream/open.ts';
import { objectStoreConformance } from '../../conformance/objects/suite.ts';
import { type CephCluster, type CephUser, findCeph, startCeph } from './cluster.ts';

/** S3's own least part, which RGW holds to. */
const MIN_PART_BYTES = 5 * 1024 * 1024;

const programs = findCeph();

describe.skipIf(programs === undefined)('an upstream S3', () => {
  let cluster: CephCluster;
  let user: CephUser;
  let s3: S3Client;
  let made = 0;

  beforeAll(async () => {
    if (programs === undefined) return;
    cluster = await startCeph(programs);
    user = await cluster.createUser({ name: 'gateway', tenant: '' });
    s3 = new S3Client({ endpoint: cluster.url, region: 'us-east-1', forcePathStyle: true, credentials: user });
  });
  afterAll(async () => {
    s3?.destroy();
    await cluster?.close();
  });

  objectStoreConformance('upstream', {
    minPartBytes: MIN_PART_BYTES,
    // Ceph 16 wants every part named, and answers 404 or 500 to uploads that it does not have.
    has: {
      generations: false,
      checksums: false,
      repeatedCompletion: false,
      partsLeftOut: false,
      removableSegments: false,
      smallParts: false,
      unknownUploads: false,
    },
    create: async () => {
      made += 1;
      const [bucket, otherBucket] = [`alpha-${made}`, `beta-${made}`] as const;
      for (const name of [bucket, otherBucket]) await s3.send(new CreateBucketCommand({ Bucket: name }));
      const server = {
        url: cluster.url,
        region: 'us-east-1',
        accessKeyId: user.accessKeyId,
        secretAccessKey: new Secret(user.secretAccessKey),
        lookup,
      };
      const store = openUpstreamStore({ server, buckets: [bucket, otherBucket], clock: systemClock });
      return { store, bucket, otherBucket, destroy: () => store.close() };
    },
  });
});
