// Routes as data: what a wing offers and how it answers, free of any server library. app/server binds them to Fastify.

export interface HttpRequest {
  readonly method: string;
  /** Path parameters by name, percent-decoded once. */
  readonly params: Readonly<Record<string, string>>;
  /** The raw query string without "?"; the wire's codec parses it strictly. */
  readonly query: string;
  /** Names in lower case. A header that must be single and was repeated is refused before the route is reached. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most MAX_BODY_BYTES. */
  readonly body: Uint8Array;
  /** Of the caller: of the connection's peer, or of whom a trusted proxy speaks for. Empty when nobody knows. */
  readonly remoteAddress: string;
  /** Aborted when the caller hangs up or the server closes. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** A literal path with `:name` segments. */
  readonly path: string;
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
  /**
   * The wire's own form of a refusal that never reaches `handle`: a header that stands twice (400), a body beyond its bound
   * (413), too many requests of one address (429), a failure that nobody foresaw (503). JSON with `message` unless given. `message` is for the caller.
   */
  readonly refuse?: (status: number, message: string) => HttpResponse;
}

/** RFC 6749 §5.1 asks it of answers that hold a token; refusals name decisions and are not for caches either. */
export const NEVER_KEPT = { 'cache-control': 'no-store', pragma: 'no-cache' } as const;

/** A JSON answer. Tokens and decisions must not be kept by caches, so `no-store` unless `cache` says otherwise. */
export function jsonResponse(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}
