// Issuer, STS and gateway as three processes that share nothing but URLs and client credentials, and a job's calls to them.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Processes } from '../../src/app/cli/demo/processes.ts';
import { startServers } from '../../src/app/cli/demo/run-demo.ts';
import { buildStage, type Stage } from '../../src/app/cli/demo/stage.ts';
import { freePorts } from '../fakes/free-port.ts';
import type { PrivateCa } from '../fakes/private-ca.ts';
import { type ArtifactStore, startArtifactStore } from './artifact-store.ts';
import { guardOverHttp } from './http-stage.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface ThreeServers {
  readonly stage: Stage;
  readonly close: () => Promise<void>;
}

export interface ThreeServersOptions {
  /** The servers serve https and trust each other by this CA. */
  readonly tls?: PrivateCa;
  /** What the gateway is: a guard before the example artifact store, which is the default, or the demo's own S3. */
  readonly resource?: 'http' | 's3';
  /** The project with its policies. Default: examples/web-shop. */
  readonly example?: string;
}

/** Starts them from source in a folder of their own. */
export async function startThreeServers(options: ThreeServersOptions = {}): Promise<ThreeServers> {
  const { example = join(ROOT, 'examples/web-shop'), resource = 'http', tls } = options;
  const folder = mkdtempSync(join(tmpdir(), 'jobpass-e2e-'));
  const processes = new Processes();
  let store: ArtifactStore | undefined;
  const close = async (): Promise<void> => {
    await processes.stop();
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const program = [process.execPath, join(ROOT, 'src/app/cli/main.ts')] as const;
    if (resource === 'http') store = await startArtifactStore(join(folder, 'store'));
    const first = await freePorts(5);
    const built = buildStage({
      folder,
      example,
      ports: { issuer: first, sts: first + 1, aws: first + 2, gcp: first + 3, azure: first + 4 },
      program: tls === undefined ? program : ['env', `NODE_EXTRA_CA_CERTS=${tls.ca}`, ...program],
    });
    if (store !== undefined) guardOverHttp(built, store.url);
    const stage = tls === undefined ? built : overTls(built, tls);
    await startServers(stage, processes);
    return { stage, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** The stage with every server's own URL turned to https. The artifact store behind the gateway stays as it is. */
function overTls(stage: Stage, { certificate, key }: PrivateCa): Stage {
  const secure = (url: string): string => url.replace('http:', 'https:');
  const { issuer, sts, gateway } = stage.urls;
  const tls = `tls: { certificate: "file:${certificate}", key: "file:${key}" }`;
  for (const [server, file] of Object.entries(stage.configs)) {
    let text = readFileSync(file, 'utf8');
    for (const url of [issuer, sts]) text = text.replaceAll(url, secure(url));
    const place = server === 'gateway' ? /^ {4}listen: .*$/m : /^ {2}url: .*$/m;
    writeFileSync(
      file,
      text.replace(place, (line) => `${line}\n${server === 'gateway' ? '    ' : '  '}${tls}`),
    );
  }
  const policies = join(stage.folder, 'sts/policies/main');
  for (const file of readdirSync(policies)) {
    const path = join(policies, file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(issuer, secure(issuer)));
  }
  const urls = { ...stage.urls, issuer: secure(issuer), sts: secure(sts), gateway: secure(gateway) };
  return { ...stage, urls };
}

/** Where jobs are started and tokens exchanged. Every stage is one. */
export interface JobServers {
  readonly urls: { readonly issuer: string; readonly sts: string };
  readonly controllerFile: string;
}

export interface StartedJob {
  readonly jobId: string;
  readonly requestUrl: string;
  readonly requestToken: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

let runs = 0;

/** Starts a job as the registered controller: main, production, unless `facts` says otherwise. */
export async function startJob(stage: JobServers, facts: Readonly<Record<string, unknown>> = {}): Promise<StartedJob> {
  runs += 1;
  const { body, status } = await call(`${stage.urls.issuer}/v1/jobs`, controllerAuthorization(stage), {
    idempotency_key: `run-${runs}-${process.pid}`,
    owner: { name: 'acme', id: '42' },
    pipeline: { name: 'web', id: '7' },
    workflow: 'pipeline',
    job: 'publish',
    run_id: String(runs),
    run_number: String(runs),
    run_attempt: '1',
    ref: 'refs/heads/main',
    ref_type: 'branch',
    sha: '0123456789abcdef0123456789abcdef01234567',
    event: 'push',
    actor: { name: 'you', id: '1' },
    environment: 'production',
    runner_id: 'runner-1',
    runner_environment: 'self-hosted',
    fork: false,
    interactive: false,
    timeout_seconds: 600,
    audiences: [stage.urls.sts],
    ...facts,
  });
  if (status !== 201) throw new Error(`starting a job gave ${status}: ${JSON.stringify(body)}`);
  return { jobId: String(body.job_id), requestUrl: String(body.request_url), requestToken: String(body.request_token) };
}

/** Asks for an ID token on GitHub's wire. */
export const askIdToken = async (stage: JobServers, job: StartedJob, audience = stage.urls.sts): Promise<Answer> =>
  call(`${job.requestUrl}&audience=${encodeURIComponent(audience)}`, `Bearer ${job.requestToken}`);

/** Exchanges a token for a role over RFC 8693. */
export async function exchange(stage: Stage, token: string, role = 'main/publish-web'): Promise<Answer> {
  const response = await fetch(`${stage.urls.sts}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      subject_token: token,
      audience: `urn:jobpass:role:${role}`,
    }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Uses a credential at the gateway. */
export async function useCredential(
  stage: Stage,
  credential: string,
  path = '/web/hello.txt',
  method = 'PUT',
): Promise<Answer> {
  const response = await fetch(`${stage.urls.gateway}${path}`, {
    method,
    headers: { authorization: `Bearer ${credential}` },
    ...(method === 'PUT' ? { body: 'hello' } : {}),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : { text } };
}

/** Ends a job as its controller. */
export const finishJob = (stage: JobServers, jobId: string): Promise<Answer> =>
  call(`${stage.urls.issuer}/v1/jobs/${jobId}/finish`, controllerAuthorization(stage), {});

/** A job that has an identity and a credential. */
export async function grantedJob(
  stage: Stage,
): Promise<{ readonly job: StartedJob; readonly idToken: string; readonly credential: string }> {
  const job = await startJob(stage);
  const idToken = String((await askIdToken(stage, job)).body.value);
  const granted = await exchange(stage, idToken);
  if (granted.status !== 200) throw new Error(`the exchange gave ${granted.status}: ${JSON.stringify(granted.body)}`);
  return { job, idToken, credential: String(granted.body.access_token) };
}

function controllerAuthorization(stage: JobServers): string {
  const { client, secret }: { client: string; secret: string } = JSON.parse(readFileSync(stage.controllerFile, 'utf8'));
  return `Basic ${btoa(`${client}:${secret}`)}`;
}

async function call(url: string, authorization: string, body?: unknown): Promise<Answer> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
