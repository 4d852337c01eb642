// What CI and callers do with a fleet: start and end jobs, ask for tokens, exchange them, use credentials.
import { Agent, request } from 'node:http';
import { Secret } from '../../../src/base/core/secret.ts';
import { basicAuthorization } from '../../../src/wire/authorization.ts';
import { type Answer, finishJob, type StartedJob, startJob } from '../../e2e/three-servers.ts';
import type { Fleet } from './fleet.ts';

const JOB_SECONDS = 3600;
/** Longer than anything may take to be refused; a call that takes longer counts as unanswered. */
const CALL_LIMIT_MS = 15_000;
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** One answer, or undefined when none came: then the caller cannot know what was done. */
export interface Reply extends Answer {
  readonly retryAfter: string | undefined;
  readonly tookMs: number;
}

/** A job with an ID token that lives as long as any. */
export interface RunningJob {
  readonly jobId: string;
  readonly token: string;
}

const ofFleet = (fleet: Fleet) => ({
  urls: { issuer: fleet.doors.issuer, sts: fleet.audience },
  controllerFile: fleet.controllerFile,
});

/** Starts a job and asks for a token. */
export async function runJob(fleet: Fleet): Promise<RunningJob> {
  const job = await startJob(ofFleet(fleet), { timeout_seconds: JOB_SECONDS });
  return { jobId: job.jobId, token: await tokenOf(fleet, job) };
}

/** Starts a job. */
export const beginJob = (fleet: Fleet): Promise<StartedJob> =>
  startJob(ofFleet(fleet), { timeout_seconds: JOB_SECONDS });

/** Asks for a token of the job. */
export function askForToken(fleet: Fleet, job: StartedJob): Promise<Reply | undefined> {
  const { pathname, search } = new URL(job.requestUrl);
  const url = `${fleet.doors.issuer}${pathname}${search}&audience=${encodeURIComponent(fleet.audience)}`;
  return call(url, { headers: { authorization: `Bearer ${job.requestToken}` } });
}

/** Another token of the job. */
export async function tokenOf(fleet: Fleet, job: StartedJob): Promise<string> {
  const reply = await askForToken(fleet, job);
  if (reply?.status !== 200) throw new Error(`asking for a token gave ${JSON.stringify(reply)}`);
  return String(reply.body.value);
}

const TOKENS_OF_A_JOB = 25;

/** So many different tokens, of jobs that have several each. */
export async function tokensOf(fleet: Fleet, many: number): Promise<readonly string[]> {
  const tokens: string[] = [];
  while (tokens.length < many) {
    const job = await beginJob(fleet);
    const wanted = Math.min(TOKENS_OF_A_JOB, many - tokens.length);
    tokens.push(...(await Promise.all(Array.from({ length: wanted }, () => tokenOf(fleet, job)))));
  }
  return tokens;
}

/** Exchanges tokens of new jobs until one is granted; gives the job, its credential and how long that took. */
export async function untilServed(
  fleet: Fleet,
  limitMs = 30_000,
): Promise<RunningJob & { readonly credential: string; readonly tookMs: number }> {
  const begin = performance.now();
  for (;;) {
    const job = await runJob(fleet).catch(() => undefined);
    const reply = job === undefined ? undefined : await exchangeAt(fleet.doors.sts, job.token);
    const tookMs = performance.now() - begin;
    if (job !== undefined && reply?.status === 200)
      return { ...job, credential: String(reply.body.access_token), tookMs };
    if (tookMs > limitMs) throw new Error(`not served after ${limitMs} ms: ${JSON.stringify(reply?.body)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Ends a job at its controller's word. */
export const endJob = (fleet: Fleet, jobId: string): Promise<Answer> => finishJob(ofFleet(fleet), jobId);

/** Which role is asked for, and by which client of the STS, if any. */
interface ExchangeCall {
  readonly role?: string;
  readonly client?: { readonly name: string; readonly secret: string };
}

/** Exchanges a token at one of the STSs. */
export const exchangeAt = (
  sts: string,
  token: string,
  { client, role = 'deploy' }: ExchangeCall = {},
): Promise<Reply | undefined> =>
  call(`${sts}/token`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(client === undefined ? {} : { authorization: basicAuthorization(client.name, new Secret(client.secret)) }),
    },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      subject_token: token,
      audience: `urn:jobpass:role:main/${role}`,
    }).toString(),
  });

/** Uses a credential at a gateway. */
export const useAt = (gateway: string, credential: string): Promise<Reply | undefined> =>
  call(`${gateway}/thing`, { headers: { authorization: `Bearer ${credential}` } });

/** The bound with every link cut (design, section 1). */
const GIVE_UP_MS = 12_000;

/** Calls until the answer is no longer a grant; gives how long that took. Throws when it takes longer than it may, with every link cut. */
export async function untilRefused(
  ask: () => Promise<Reply | undefined>,
  since = performance.now(),
  limitMs = GIVE_UP_MS,
): Promise<number> {
  for (;;) {
    const asked = performance.now();
    const reply = await ask();
    if (reply !== undefined && reply.status !== 200) return performance.now() - since;
    // Judged by when it was asked: the way of the answer is not the server's.
    if (asked - since > limitMs) throw new Error(`still granted after ${Math.round(asked - since)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Undefined when the connection broke or nothing came in time. */
export function call(url: string, { body = '', headers = {}, method = 'GET' }: Call): Promise<Reply | undefined> {
  const begin = performance.now();
  return new Promise((resolve) => {
    const nothing = (): void => resolve(undefined);
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const out = request(url, { method, agent, headers: { ...headers, ...length } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', nothing);
      answer.once('close', nothing);
      answer.once('end', () => {
        if (!answer.complete) return nothing();
        const text = Buffer.concat(chunks).toString();
        const json: Record<string, unknown> = text.startsWith('{') ? JSON.parse(text) : { text };
        const retryAfter = answer.headers['retry-after'];
        resolve({ status: answer.statusCode ?? 0, body: json, retryAfter, tookMs: performance.now() - begin });
      });
    });
    out.setTimeout(CALL_LIMIT_MS, () => out.destroy());
    out.once('error', nothing);
    out.end(body);
  });
}
