// How a gateway says no: bland to the caller, whole in the log, the same id in both.
import type { ServerResponse } from 'node:http';
import { LineBudget } from '../base/core/line-budget.ts';
import { type Failure, type Reason, type SafeReason, safeReason } from '../base/core/reasons.ts';
import type { CarriedSession } from '../base/credential/carried-session.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Log } from '../base/ports/log.ts';

/** Freshness comes back within seconds or not soon. */
const RETRY_AFTER_SECONDS = '2';

/** The status of a refusal on the guard. */
export function refusalStatus(reason: Reason): number {
  if (reason === 'upstream_unreachable') return 502;
  const safe: SafeReason = safeReason(reason);
  switch (safe) {
    case 'request_invalid':
      return 400;
    case 'token_invalid':
    case 'token_expired':
      return 401;
    case 'access_denied':
    case 'client_invalid':
      return 403;
    case 'not_found':
      return 404;
    case 'conflict':
      return 409;
    case 'limited':
      return 429;
    case 'unavailable':
      return 503;
  }
}

/** What a refusal is about. `session` only when its credential was verified; `path` only when it was accepted. */
export interface RefusalRecord {
  readonly decision: string;
  readonly failure: Failure;
  readonly method: string;
  readonly path?: string;
  readonly session?: CarriedSession;
}

/** Writes refusals down for the operator: all of verified sessions, a bounded number of the others. */
export class RefusalDesk {
  readonly #anonymous = new LineBudget();
  readonly #clock: Clock;
  readonly #log: Log;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** One line with the full reason. Neither credential nor query is in it. */
  record({ decision, failure, method, path, session }: RefusalRecord): void {
    const budget = session === undefined ? this.#anonymous.take(this.#clock.monotonicMs()) : {};
    if (budget === undefined) return;
    this.#log.warn(
      {
        decision,
        reason: failure.reason,
        detail: failure.detail,
        method,
        ...(path === undefined ? {} : { path }),
        ...(session === undefined ? {} : { session: session.sessionId, role: session.role, subject: session.subject }),
        ...budget,
      },
      'refused',
    );
  }
}

/**
 * Writes the refusal; it must be the first thing written to `res`. `status` is for proxies that understand fewer of
 * them. RFC 6750 §3: a 401 names the scheme, and the error only when a credential was presented; RFC 9728 §5.1: also where the
 * resource says whose credentials it takes, when it does.
 */
export function writeRefusal(
  res: ServerResponse,
  refusal: {
    readonly reason: Reason;
    readonly decision: string;
    readonly status?: number;
    readonly resourceMetadata?: string;
  },
): void {
  const { reason, decision, status = refusalStatus(reason) } = refusal;
  const body = JSON.stringify({ error: safeReason(reason), decision });
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-jobpass-decision': decision,
    ...(status === 401 ? { 'www-authenticate': challenge(reason, refusal.resourceMetadata) } : {}),
    ...(status === 503 || status === 429 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
  });
  res.end(body);
}

function challenge(reason: Reason, resourceMetadata: string | undefined): string {
  const parameters = [
    ...(reason === 'credential_missing' ? [] : ['error="invalid_token"']),
    ...(resourceMetadata === undefined ? [] : [`resource_metadata="${resourceMetadata}"`]),
  ];
  return ['Bearer', parameters.join(', ')].join(' ').trimEnd();
}
