// A job of the issuer as AWS's clients see it: a token file, a role, endpoints, and a home that is its own.

import { S3_REGION, type S3Servers } from '../../e2e/s3-servers.ts';
import { askIdToken, type StartedJob, startJob } from '../../e2e/three-servers.ts';
import type { S3Keys } from '../../fakes/s3-caller.ts';
import type { AwsHome } from '../aws-clients.ts';
import { type ClientRun, runClient } from '../client-processes.ts';

export const ACCOUNT = '111122223333';
export const arnOf = (role: string): string => `arn:aws:iam::${ACCOUNT}:role/${role}`;

/** A role for everything in the bucket `artifacts`, for pipeline 7 on main. */
export const DEPLOY_ROLE = `role: deploy
trust: [{ issuer: ISSUER, claims: { owner_id: "42", pipeline_id: "7", ref: refs/heads/main } }]
session: { gateway: artifacts, max_duration: 30m }
permissions:
  - { effect: allow, actions: ["s3:*"], resources: ["arn:aws:s3:::artifacts", "arn:aws:s3:::artifacts/*"] }
  - { effect: allow, actions: ["s3:ListAllMyBuckets"], resources: ["arn:aws:s3:::*"] }
aws: { role_arn: "${arnOf('deploy')}" }
`;

export interface AwsJob {
  readonly job: StartedJob;
  readonly token: string;
  /** Everything a client needs, and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  run(program: string, args: readonly string[], more?: Readonly<Record<string, string>>): Promise<ClientRun>;
}

export interface AwsJobOptions {
  readonly home: AwsHome;
  readonly role?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  /** The authority's certificate, where the servers speak https. */
  readonly ca?: string;
}

/** Sessions then last as long as the role lets them, and no client asks for a second one in the middle of a test. */
const JOB_SECONDS = 3600;

let jobs = 0;

/** Starts a job and leaves its token in the home, with a line break at the end as editors and `echo` do. */
export async function startAwsJob(servers: S3Servers, options: AwsJobOptions): Promise<AwsJob> {
  const { home, role = 'deploy', facts = {}, ca } = options;
  jobs += 1;
  const job = await startJob(servers, { environment: undefined, timeout_seconds: JOB_SECONDS, ...facts });
  const token = String((await askIdToken(servers, job)).body.value);
  const env = home.environment(servers.urls.sts, {
    AWS_REGION: S3_REGION,
    AWS_DEFAULT_REGION: S3_REGION,
    AWS_ENDPOINT_URL_S3: servers.urls.s3,
    AWS_ROLE_ARN: arnOf(role),
    AWS_ROLE_SESSION_NAME: `job-${jobs}`,
    AWS_WEB_IDENTITY_TOKEN_FILE: home.write(`token-${jobs}`, `${token}\n`),
    ...(ca === undefined ? {} : { AWS_CA_BUNDLE: ca, NODE_EXTRA_CA_CERTS: ca, SSL_CERT_FILE: ca }),
  });
  return { job, token, env, run: (program, args, more = {}) => runClient(program, args, { ...env, ...more }) };
}

/** The keys of a new job's session, fetched as an SDK would, for a test that signs its requests itself. Over http. */
export async function sessionKeys(servers: S3Servers, role = 'deploy'): Promise<S3Keys> {
  const job = await startJob(servers, { environment: undefined, timeout_seconds: JOB_SECONDS });
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: arnOf(role),
    RoleSessionName: 'by-hand',
    WebIdentityToken: String((await askIdToken(servers, job)).body.value),
  });
  const answer = await fetch(servers.urls.sts, { method: 'POST', body: form });
  const xml = await answer.text();
  const member = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(xml)?.[1] ?? '';
  if (answer.status !== 200) throw new Error(xml);
  return {
    accessKeyId: member('AccessKeyId'),
    secret: member('SecretAccessKey'),
    sessionToken: member('SessionToken'),
  };
}
