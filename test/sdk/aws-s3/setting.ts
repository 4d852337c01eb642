// The three servers for all clients of one scheme, and a job with a home of its own for each test.
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { requireClient } from '../../clients.ts';
import { type S3Servers, startS3Servers } from '../../e2e/s3-servers.ts';
import { makePrivateCa } from '../../fakes/private-ca.ts';
import { AwsHome } from '../aws-clients.ts';
import { type AwsJob, type AwsJobOptions, DEPLOY_ROLE, startAwsJob } from './job.ts';

export type Scheme = 'http' | 'https';

/** What tests of one scheme share. Its members may be used while a test runs. */
export interface Setting {
  readonly scheme: Scheme;
  readonly servers: S3Servers;
  /** Of the running test. */
  readonly home: AwsHome;
  /** Of the running test: a job that may assume `deploy`. */
  readonly job: AwsJob;
  /** One more job, in the same home. */
  startJob(options?: Omit<AwsJobOptions, 'home' | 'ca'>): Promise<AwsJob>;
}

/** Starts the servers for the tests of the `describe` it is called in. `policies` beside `deploy`. */
export function settingOf(scheme: Scheme, policies: Readonly<Record<string, string>> = {}): Setting {
  const folder = new AwsHome();
  let servers: S3Servers | undefined;
  let home: AwsHome | undefined;
  let job: AwsJob | undefined;
  const tls = (): { readonly ca: string; readonly certificate: string; readonly key: string } | undefined =>
    scheme === 'http' ? undefined : makePrivateCa(requireClient('openssl') ?? 'openssl', folder.folder);
  let ca: string | undefined;
  const setting: Setting = {
    scheme,
    get servers() {
      return present(servers);
    },
    get home() {
      return present(home);
    },
    get job() {
      return present(job);
    },
    startJob: (options = {}) =>
      startAwsJob(setting.servers, { home: setting.home, ...(ca === undefined ? {} : { ca }), ...options }),
  };
  beforeAll(async () => {
    const identity = tls();
    ca = identity?.ca;
    servers = await startS3Servers({
      buckets: ['artifacts', 'other'],
      policies: { deploy: DEPLOY_ROLE, ...policies },
      ...(identity === undefined ? {} : { tls: identity }),
    });
  });
  afterAll(async () => {
    await servers?.close();
    folder.close();
  });
  beforeEach(async () => {
    home = new AwsHome();
    job = await setting.startJob();
  });
  afterEach(() => home?.close());
  return setting;
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing was started yet');
  return value;
}
