// The runner's own small HTTP client: one JSON answer, bounded in time and size, tried again only when nothing was decided.
// It interprets no body. Imports stay few: this stands in the way of every `jobpass token`.
import type { JsonObject } from '../base/core/json.ts';
import { isJsonObject, stringMember } from '../base/core/json.ts';
import { MAX_BODY_BYTES } from '../base/core/limits.ts';
import { printableUpTo } from '../base/core/printable.ts';
import type { Result } from '../base/core/result.ts';
import { err, ok } from '../base/core/result.ts';
import type { Peer, RunnerFailure } from './failure.ts';

/** What the calls need of the outside world. */
export interface Transport {
  readonly fetch: typeof globalThis.fetch;
  readonly sleep: (ms: number) => Promise<void>;
}

/** One call. `url` and `headers` may hold secrets; neither ever reaches a message. */
export interface Call {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What is called, for messages. */
  readonly peer: Peer;
  /** Waits before the second and later tries, in milliseconds. Default: RETRY_WAITS_MS. */
  readonly waitsMs?: readonly number[];
}

const TIMEOUT_MS = 10_000;
/** Three tries in all; the sum stays below what a person takes for a hang. */
const RETRY_WAITS_MS: readonly number[] = [500, 1500];
/** Gateways and our own servers say with these that the request was not acted on. Nothing else is tried twice. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * Makes the call and gives the JSON object of a 2xx answer (an empty body is an empty object). Network errors, timeouts and
 * 502, 503, 504 are tried again after growing waits. Redirects are not followed: a bearer token must not travel on.
 */
export async function callJson(transport: Transport, call: Call): Promise<Result<JsonObject, RunnerFailure>> {
  const waits = call.waitsMs ?? RETRY_WAITS_MS;
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await callOnce(transport, call);
    const waitMs = waits[attempt];
    if (outcome.ok || !isTransient(outcome.error) || waitMs === undefined) return outcome;
    await transport.sleep(waitMs);
  }
}

/** A limit that was reached (429) is not reached less by asking again at once. */
const isTransient = (failure: RunnerFailure): boolean => failure.kind === 'unreachable' && failure.status !== 429;

async function callOnce(transport: Transport, call: Call): Promise<Result<JsonObject, RunnerFailure>> {
  let status: number;
  let text: string | undefined;
  try {
    const response = await transport.fetch(call.url, {
      method: call.method,
      headers: { accept: 'application/json', ...call.headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(call.body === undefined ? {} : { body: call.body }),
    });
    status = response.status;
    text = await readBounded(response);
  } catch (cause) {
    return err({
      kind: 'unreachable',
      message: `${call.peer} at ${originOf(call.url)} does not answer: ${networkCause(cause)}`,
    });
  }
  return interpret(call, status, text);
}

function interpret(call: Call, status: number, text: string | undefined): Result<JsonObject, RunnerFailure> {
  const body = text === undefined ? undefined : parseObject(text);
  if (status >= 200 && status < 300) {
    if (body !== undefined) return ok(body);
    return err({
      kind: 'failed',
      status,
      message: `${call.peer} at ${originOf(call.url)} answered with something else than JSON`,
    });
  }
  return err(refusalOf(call, status, body ?? {}));
}

/** The failure that an answer outside 2xx means; understands our JSON routes and OAuth error bodies (RFC 6749 §5.2). */
function refusalOf(call: Call, status: number, body: JsonObject): RunnerFailure {
  const reason = stringMember(body, 'reason') ?? stringMember(body, 'error');
  const decisionId = stringMember(body, 'decision_id');
  const said = stringMember(body, 'message') ?? stringMember(body, 'error_description');
  return {
    kind: reason === 'request_invalid' ? 'failed' : kindOf(status),
    status,
    refusedBy: call.peer,
    message: `${call.peer} at ${originOf(call.url)} answered ${status}${said === undefined ? '' : `: ${printable(said)}`}`,
    ...(reason === undefined ? {} : { reason: printable(reason) }),
    ...(decisionId === undefined ? {} : { decisionId: printable(decisionId) }),
  };
}

function kindOf(status: number): RunnerFailure['kind'] {
  if (TRANSIENT_STATUSES.has(status) || status === 429) return 'unreachable';
  // 400 too: RFC 8693 §2.2.2 answers a refused subject token with it.
  return status >= 400 && status < 500 ? 'denied' : 'failed';
}

async function readBounded(response: Response): Promise<string | undefined> {
  if (response.body === null) return '';
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  let text = '';
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    try {
      text += decoder.decode(chunk, { stream: true });
    } catch {
      return undefined;
    }
  }
  return text;
}

function parseObject(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What the network said, without the URL: undici keeps the errno in the cause of its `fetch failed`. */
function networkCause(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown failure';
  if (error.name === 'TimeoutError') return `nothing came within ${TIMEOUT_MS / 1000} s`;
  const cause: unknown = error.cause;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return 'the connection failed';
}

/** Scheme, host and port: the part of a URL that holds no secret. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'an unreadable URL';
}

/** A foreign text, at most 1,000 characters of it, safe for a terminal. */
export const printable = (text: string): string => printableUpTo(text, 1000);
