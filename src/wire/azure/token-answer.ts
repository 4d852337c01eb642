// The answer of Microsoft Entra's token endpoint that grants something. It decides nothing.
import { type HttpResponse, jsonResponse } from '../../base/ports/http.ts';
import { type AnswerIds, answerHeaders } from './fault.ts';

/**
 * The answer that every measured client takes. Entra's extended lifetime is for tokens that outlive an outage of Entra; a
 * credential that dies with its job has no such life, so both are the same.
 */
export function encodeAzureToken(
  granted: { readonly accessToken: string; readonly expiresInSeconds: number },
  ids: AnswerIds,
): HttpResponse {
  const { accessToken, expiresInSeconds } = granted;
  const body = {
    token_type: 'Bearer',
    expires_in: expiresInSeconds,
    ext_expires_in: expiresInSeconds,
    access_token: accessToken,
  };
  return jsonResponse(200, body, answerHeaders(ids));
}
