// The three servers for Google Cloud's clients, and a job with a home of its own for each test.
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type S3Servers, startS3Servers } from '../../e2e/s3-servers.ts';
import { askIdToken, type StartedJob, startJob } from '../../e2e/three-servers.ts';
import { PROVIDER } from '../../fakes/gcp-calls.ts';
import { externalAccount, GcpHome } from '../gcp-clients.ts';

/** The bucket that the role may use. */
export const BUCKET = 'artifacts';

/** A role for everything in BUCKET but what begins with `sealed/`, for pipeline 7 on main. */
const DEPLOY_ROLE = `role: deploy
trust: [{ issuer: ISSUER, claims: { owner_id: "42", pipeline_id: "7", ref: refs/heads/main } }]
session: { gateway: artifacts, max_duration: 30m }
permissions:
  - { effect: allow, actions: ["s3:*"], resources: ["arn:aws:s3:::${BUCKET}", "arn:aws:s3:::${BUCKET}/*"] }
  - { effect: allow, actions: ["s3:ListAllMyBuckets"], resources: ["arn:aws:s3:::*"] }
  - { effect: deny, actions: ["s3:*"], resources: ["arn:aws:s3:::${BUCKET}/sealed/*"] }
gcp: { provider: "${PROVIDER}" }
`;

/** A job as its clients see it. */
export interface GcsJob {
  readonly job: StartedJob;
  readonly home: GcpHome;
  /** The content of its credentials file, which points at the job's ID token. */
  readonly credentials: ReturnType<typeof externalAccount>;
  /** The same as a file. */
  readonly credentialsFile: string;
}

/** What the tests share. Its members may be used while a test runs. */
export interface GcsSetting {
  readonly servers: S3Servers;
  /** Of the running test. */
  readonly job: GcsJob;
}

/** Starts the servers for the tests of the `describe` it is called in. */
export function gcsSetting(): GcsSetting {
  let servers: S3Servers | undefined;
  let job: GcsJob | undefined;
  beforeAll(async () => {
    servers = await startS3Servers({ buckets: [BUCKET, 'other'], policies: { deploy: DEPLOY_ROLE } });
  });
  afterAll(() => servers?.close());
  beforeEach(async () => {
    job = await startGcsJob(present(servers));
  });
  afterEach(() => job?.home.close());
  return {
    get servers() {
      return present(servers);
    },
    get job() {
      return present(job);
    },
  };
}

async function startGcsJob(servers: S3Servers): Promise<GcsJob> {
  const home = new GcpHome();
  const job = await startJob(servers, { environment: undefined, timeout_seconds: 3600 });
  const token = String((await askIdToken(servers, job)).body.value);
  const credentials = externalAccount(servers.urls.sts, home.fileSource(token));
  return { job, home, credentials, credentialsFile: home.write('credentials.json', JSON.stringify(credentials)) };
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing was started yet');
  return value;
}
