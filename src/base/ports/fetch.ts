// The one guarded outbound fetch, as a port. The adapter lives in app/net.
import type { Result } from '../core/result.ts';

/** Which addresses a registered peer may resolve to. Link-local and metadata addresses are never among them. */
export type NetworkScope = 'public' | 'private' | 'loopback';

export interface FetchRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly network: NetworkScope;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface FetchResponse {
  readonly status: number;
  /** Names in lower case; repeated headers joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type FetchFailure = 'address_refused' | 'unreachable' | 'timeout' | 'too_large' | 'aborted' | 'redirect_refused';

/**
 * One outbound request: no redirects, no proxy, the connected address is checked against `network`.
 * Any HTTP status but a redirect is a success; the failure says why no usable answer came.
 */
export type GuardedFetch = (
  request: FetchRequest,
) => Promise<Result<FetchResponse, { readonly kind: FetchFailure; readonly detail: string }>>;
