// Owns reading one answer within its bounds. It follows nothing and decodes nothing.
import type { IncomingMessage } from 'node:http';
import { err, ok, type Result } from '../../base/core/result.ts';
import type { FetchFailure, FetchResponse } from '../../base/ports/fetch.ts';

/** Why no usable answer came. */
export interface FetchError {
  readonly kind: FetchFailure;
  readonly detail: string;
}

export type FetchResult = Result<FetchResponse, FetchError>;

/** Shorthand for a fetch failure. */
export const fail = (kind: FetchFailure, detail: string): FetchError => ({ kind, detail });

/** 304 sends nobody elsewhere; every other 3xx does, or is not defined. RFC 9110 §15.4. */
const isRedirect = (status: number): boolean => status >= 300 && status < 400 && status !== 304;

/** What refuses the answer before any of its body is read. */
function refusal(incoming: IncomingMessage, maxBytes: number): FetchError | undefined {
  const status = incoming.statusCode ?? 0;
  if (isRedirect(status)) return fail('redirect_refused', `answered ${status}`);
  const encoding = incoming.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return fail('unreachable', 'answered in a content encoding that was not asked for');
  }
  const announced = Number(incoming.headers['content-length'] ?? 0);
  return announced > maxBytes ? fail('too_large', `announced ${announced} bytes, at most ${maxBytes}`) : undefined;
}

function headersOf(incoming: IncomingMessage): Readonly<Record<string, string>> {
  const entries = Object.entries(incoming.headersDistinct);
  return Object.fromEntries(entries.map(([name, values]) => [name, (values ?? []).join(', ')]));
}

/**
 * Reads the answer up to `maxBytes`. A redirect, an encoding, a byte too many or an answer that breaks off is a failure;
 * the caller then destroys the connection. Never rejects.
 */
export function readResponse(incoming: IncomingMessage, maxBytes: number): Promise<FetchResult> {
  return new Promise((resolve) => {
    const refused = refusal(incoming, maxBytes);
    if (refused !== undefined) {
      resolve(err(refused));
      return;
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) resolve(err(fail('too_large', `more than ${maxBytes} bytes`)));
      else chunks.push(chunk);
    });
    incoming.on('error', () => resolve(err(fail('unreachable', 'the answer broke off'))));
    incoming.on('close', () => resolve(err(fail('unreachable', 'the answer broke off'))));
    incoming.on('end', () => {
      if (!incoming.complete) return;
      resolve(ok({ status: incoming.statusCode ?? 0, headers: headersOf(incoming), body: Buffer.concat(chunks) }));
    });
  });
}
