// Entra's errors, byte for byte, and which of them a caller gets for which reason.
import { describe, expect, test } from 'vitest';
import { REASONS, type Reason, safeReason } from '../../base/core/reasons.ts';
import { azureFault, encodeAzureFault, faultOf, faultOfStatus, leadingOn } from './fault.ts';
import { encodeAzureToken } from './token-answer.ts';
import { decisionIdOf, traceIdOf } from './trace-id.ts';

const IDS = { traceId: '8f9b4049-be3f-8e28-8000-000000000000', correlationId: '0f0f0f0f-0000-4000-8000-0f0f0f0f0f0f' };
const at = Date.UTC(2026, 10, 23, 2, 28, 4, 999);
const KEPT_NOWHERE = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-ms-request-id': IDS.traceId,
  'client-request-id': IDS.correlationId,
};

describe('an answer', () => {
  test('that refuses is Entra’s', () => {
    const fault = leadingOn(faultOf('role_unknown'), 'D9XM40KQZ7HT8');
    const ids = `Trace ID: ${IDS.traceId} Correlation ID: ${IDS.correlationId} Timestamp: 2026-11-23 02:28:04Z`;
    const text = 'AADSTS70021: No matching federated identity record found for the presented assertion';
    const description = `${text}. The operator sees why with: jobpass decisions show D9XM40KQZ7HT8. ${ids}`;
    expect(encodeAzureFault(fault, { ...IDS, at })).toEqual({
      status: 400,
      headers: { 'content-type': 'application/json', ...KEPT_NOWHERE },
      body: `{"error":"invalid_request","error_description":"${description}","error_codes":[70021],"timestamp":"2026-11-23 02:28:04Z","trace_id":"${IDS.traceId}","correlation_id":"${IDS.correlationId}"}`,
    });
  });

  test('that grants is one that nothing keeps', () => {
    expect(encodeAzureToken({ accessToken: 'a.b.c', expiresInSeconds: 60 }, IDS)).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json', ...KEPT_NOWHERE },
      body: '{"token_type":"Bearer","expires_in":60,"ext_expires_in":60,"access_token":"a.b.c"}',
    });
  });

  test.each([
    [503, 'unavailable', '1'],
    [429, 'throttled', '1'],
    [400, 'no_match', undefined],
  ] as const)('of status %s makes a client ask again, or not', (status, kind, retryAfter) => {
    const { headers, status: answered } = encodeAzureFault(azureFault(kind, 'x'), { ...IDS, at });
    expect([answered, headers['retry-after']]).toEqual([status, retryAfter]);
  });
});

describe('the fault of a reason', () => {
  const numberOf = (reason: Reason): readonly [number, number] => {
    const { code, status } = faultOf(reason);
    return [code, status];
  };
  const all = Object.keys(REASONS) as Reason[];

  test('is one for everything that a stranger must not tell apart', () => {
    const hidden = all.filter((reason) =>
      ['access_denied', 'not_found', 'client_invalid'].includes(safeReason(reason)),
    );
    expect(hidden).toEqual(expect.arrayContaining(['role_unknown', 'no_rule_matched', 'job_ended']));
    expect(new Set(hidden.map((reason) => JSON.stringify(faultOf(reason)))).size).toBe(1);
    expect(numberOf('role_unknown')).toEqual([70021, 400]);
  });

  test.each<[Reason, readonly [number, number]]>([
    ['token_expired', [700024, 401]],
    ['signature_invalid', [700027, 401]],
    ['audience_mismatch', [700027, 401]],
    ['issuer_unusable', [700027, 401]],
    ['issuer_unreachable', [90033, 503]],
    ['store_unavailable', [90033, 503]],
    ['internal_failure', [90033, 503]],
    ['too_many_request_tokens', [90055, 429]],
    ['request_too_large', [9002313, 400]],
  ])('%s', (reason, expected) => {
    expect(numberOf(reason)).toEqual(expected);
  });

  test('is told by the status, where nobody read the request', () => {
    expect(faultOfStatus(413, 'too long')).toMatchObject({ code: 9002313, status: 413, message: 'too long' });
    expect(faultOfStatus(503, 'what went wrong')).toEqual(faultOf('store_unavailable'));
  });
});

describe('a trace id', () => {
  test.each(['D9XM40KQZ7HT8', 'D000000000000', 'DZZZZZZZZZZZZ'])('of %s leads back to it', (id) => {
    const traceId = traceIdOf(id);
    expect(traceId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8000-0{12}$/);
    expect([decisionIdOf(traceId), decisionIdOf(traceId.toUpperCase())]).toEqual([id, id]);
  });

  test.each(['', 'D9XM40', 'D9XM40KQZ7HTU', 'DD9XM40KQZ7HT8'])('is not made of %j', (id) => {
    expect(() => traceIdOf(id)).toThrow(TypeError);
  });

  test.each(['', 'D9XM40KQZ7HT8', '0f0f0f0f-0000-4000-8000-000000000000', '0f0f0f0f-0000-8000-8000-000000000001'])(
    'is not %j',
    (text) => {
      expect(decisionIdOf(text)).toBeUndefined();
    },
  );
});
