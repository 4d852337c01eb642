// One bounded request to a registered issuer that answers with a JSON object. It follows nothing and keeps nothing.
import type { JsonObject } from '../../base/core/json.ts';
import { MAX_JWKS_BYTES } from '../../base/core/limits.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
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

/** The JSON object of a 200 answer; the error is one line for the operator: no body, no credential. */
export async function fetchJsonObject(
  fetch: GuardedFetch,
  request: OutboundRequest,
): Promise<Result<JsonObject, string>> {
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
  if (!answer.ok) return err(`${request.url}: ${answer.error.kind} (${answer.error.detail})`);
  if (answer.value.status !== 200) return err(`${request.url}: status ${answer.value.status}`);
  if (answer.value.body.byteLength > wanted.maxBytes) return err(`${request.url}: more than ${wanted.maxBytes} bytes`);
  const parsed = parseJsonObject(answer.value.body);
  return parsed.ok ? ok(parsed.value) : err(`${request.url}: ${parsed.error.problem} at byte ${parsed.error.offset}`);
}
