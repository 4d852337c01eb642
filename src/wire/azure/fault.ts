// The errors of Microsoft Entra as its clients show them: an AADSTS number, an OAuth code, a status. The number tells no stranger
// whether tenant and application exist.
import { type Failure, failure, type Reason, safeReason } from '../../base/core/reasons.ts';
import type { EpochMs } from '../../base/core/time.ts';
import { type HttpResponse, jsonResponse, NEVER_KEPT } from '../../base/ports/http.ts';
import { withWayToReason } from '../../base/refusal/telling.ts';

/**
 * AADSTS number, OAuth code, status. Clients stop at once for 400 and 401, and ask again for 503. Entra has more numbers for
 * what `no_match` stands for (90002, 700016, 700211 to 700213): here they are in the operator's trace alone.
 */
const FAULTS = {
  no_match: [70021, 'invalid_request', 400],
  assertion_missing: [7000218, 'invalid_client', 401],
  assertion_invalid: [700027, 'invalid_client', 401],
  assertion_expired: [700024, 'invalid_client', 401],
  parameter_missing: [900144, 'invalid_request', 400],
  parameter_repeated: [9000411, 'invalid_request', 400],
  resource_given: [901002, 'invalid_request', 400],
  request_malformed: [9002313, 'invalid_request', 400],
  tenant_malformed: [900023, 'invalid_request', 400],
  application_malformed: [700038, 'invalid_request', 400],
  grant_type_unsupported: [70003, 'unsupported_grant_type', 400],
  scope_invalid: [70011, 'invalid_scope', 400],
  scope_not_default: [1002012, 'invalid_scope', 400],
  instance_unknown: [50049, 'invalid_instance', 400],
  throttled: [90055, 'temporarily_unavailable', 429],
  unavailable: [90033, 'temporarily_unavailable', 503],
} as const;

type FaultKind = keyof typeof FAULTS;

/** One error answer. The message is for the caller: it holds nothing but the protocol's own words. */
export interface AzureFault {
  readonly code: number;
  readonly error: string;
  readonly status: number;
  readonly message: string;
}

/** What a caller is told, and what the operator finds under the decision's id. */
export interface AzureRefusal {
  readonly fault: AzureFault;
  readonly failure: Failure;
}

/** A fault; `status` only where a request was refused before it was read. */
export function azureFault(kind: FaultKind, message: string, status: number = FAULTS[kind][2]): AzureFault {
  const [code, error] = FAULTS[kind];
  return { code, error, status, message };
}

/** A refusal whose reason may be read by everybody, because it speaks of the caller's own request only. */
export const openRefusal = (reason: Reason, kind: FaultKind, message: string): AzureRefusal => ({
  fault: azureFault(kind, message),
  failure: failure(reason, message),
});

/**
 * The fault of a refused exchange. Unknown tenant, unknown application and no matching credential are one, and so is everything
 * that is wrong with an assertion but its time. A client is made to ask again only when the same assertion may be good a moment
 * later; an issuer that answers with unusable keys will do so the next time.
 */
export function faultOf(reason: Reason): AzureFault {
  const safe = reason === 'issuer_unusable' ? 'token_invalid' : safeReason(reason);
  switch (safe) {
    case 'token_invalid':
      return azureFault('assertion_invalid', 'The client assertion that was presented is not acceptable here');
    case 'token_expired':
      return azureFault('assertion_expired', 'The client assertion is not within its valid time range');
    case 'access_denied':
    case 'not_found':
    case 'client_invalid':
      return azureFault('no_match', 'No matching federated identity record found for the presented assertion');
    case 'request_invalid':
    case 'conflict':
      return azureFault('request_malformed', 'The request is malformed or invalid');
    case 'limited':
      return azureFault('throttled', 'There are too many incoming requests; try again later');
    case 'unavailable':
      return azureFault('unavailable', 'The request cannot be answered at the moment; try again');
  }
}

/** The fault of a request that was refused before anybody read its parameters; `message` is for the caller. */
export function faultOfStatus(status: number, message: string): AzureFault {
  if (status === 429) return faultOf('rate_limited');
  return status >= 500 ? faultOf('store_unavailable') : azureFault('request_malformed', message, status);
}

/** The fault with the way to its reason, where the reason is kept from the caller. */
export const leadingOn = (fault: AzureFault, decisionId: string): AzureFault => ({
  ...fault,
  message: withWayToReason(fault.message, decisionId),
});

/** What an answer is found again by. */
export interface AnswerIds {
  /** A GUID, of the server's making. */
  readonly traceId: string;
  /** The client's own GUID, or the trace id when it gave none. */
  readonly correlationId: string;
}

/** The headers of every answer. */
export const answerHeaders = ({ correlationId, traceId }: AnswerIds): Readonly<Record<string, string>> => ({
  ...NEVER_KEPT,
  'x-ms-request-id': traceId,
  'client-request-id': correlationId,
});

/** The answer. */
export function encodeAzureFault(fault: AzureFault, o: AnswerIds & { readonly at: EpochMs }): HttpResponse {
  const { code, error, message, status } = fault;
  const { correlationId, traceId } = o;
  const timestamp = new Date(o.at).toISOString().replace('T', ' ').replace(/\..*$/, 'Z');
  const known = `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
  const body = {
    error,
    error_description: `AADSTS${code}: ${message}. ${known}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
  };
  const retry = status === 503 || status === 429 ? { 'retry-after': '1' } : {};
  return jsonResponse(status, body, { ...answerHeaders(o), ...retry });
}
