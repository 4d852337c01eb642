// One bounded request to a registered issuer that answers with a JSON object. It follows nothing and keeps nothing.
import type { JsonObject } from '../../base/core/json.ts';
import { MAX_JWKS_BYTES } from '../../base/core/limits.ts';
import { type Err, err, type Result } from '../../base/core/result.ts';
import { parseJsonObject } from '../../base/json/parse.ts';
import type { FetchRequest, GuardedFetch, NetworkScope } from '../../base/ports/fetch.ts';

/** Design, section 8: no issuer may hold an exchange for longer. */
const OUTBOUND_TIMEOUT_MS = 5000;

export interface OutboundRequest {
  readonly url: string;
  readonly network: NetworkScope;
  /** Sent as a POST when present. */
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** Why no answer came that could be used. */
export interface OutboundFailure {
  /** One line for the operator: no body, no credential. */
  readonly detail: string;
  /** Whether the same request may do better a moment later: nobody answered, or somebody who said so. */
  readonly isTransient: boolean;
}

/** An answer came, and it will be the same the next time. */
export const lasting = (detail: string): Err<OutboundFailure> => err({ detail, isTransient: false });

/** RFC 9110 §15.5.9, RFC 6585 §4, and whatever is the server's own trouble. */
const isTransientStatus = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** The JSON object of a 200 answer. */
export async function fetchJsonObject(
  fetch: GuardedFetch,
  request: OutboundRequest,
): Promise<Result<JsonObject, OutboundFailure>> {
  const wanted: FetchRequest = {
    url: request.url,
    method: request.body === undefined ? 'GET' : 'POST',
    headers: { accept: 'application/json', ...request.headers },
    ...(request.body === undefined ? {} : { body: request.body }),
    network: request.network,
    maxBytes: request.maxBytes ?? MAX_JWKS_BYTES,
    timeoutMs: request.timeoutMs ?? OUTBOUND_TIMEOUT_MS,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  };
  const answer = await fetch(wanted);
  if (!answer.ok) {
    const { detail, kind } = answer.error;
    const isTransient = kind === 'unreachable' || kind === 'timeout' || kind === 'aborted';
    return err({ detail: `${request.url}: ${kind} (${detail})`, isTransient });
  }
  const { body, status } = answer.value;
  if (status !== 200)
    return err({ detail: `${request.url}: status ${status}`, isTransient: isTransientStatus(status) });
  if (body.byteLength > wanted.maxBytes) return lasting(`${request.url}: more than ${wanted.maxBytes} bytes`);
  const parsed = parseJsonObject(body);
  return parsed.ok ? parsed : lasting(`${request.url}: ${parsed.error.problem} at byte ${parsed.error.offset}`);
}
