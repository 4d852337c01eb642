// The head of a request, read once and strictly. What it asks for and who signed it is read out of this and nothing else.
import type { IncomingMessage } from 'node:http';
import { type Failure, failure } from '../../base/core/reasons.ts';
import { err, ok, type Result } from '../../base/core/result.ts';
import { type BodyFraming, framingOf, type Headers, readHeaders, refuseMessage } from '../headers.ts';

/** A request's head as it was on the wire. */
export interface Head {
  readonly method: string;
  /** Raw, without the query. */
  readonly path: string;
  /** Raw, without `?`. */
  readonly query: string;
  readonly headers: Headers;
  readonly framing: BodyFraming;
}

/**
 * Reads the head. `request_malformed`: a target that is not an absolute path (an absolute URL would make a proxy of us), a
 * fragment, and whatever `refuseMessage` and `framingOf` refuse.
 */
export function readHead(req: IncomingMessage): Result<Head, Failure> {
  const target = req.url ?? '';
  // RFC 9112 §3.2.1: origin-form only.
  if (!target.startsWith('/') || target.includes('#')) {
    return err(failure('request_malformed', 'the target is not an absolute path'));
  }
  const headers = readHeaders(req.rawHeaders);
  const refused = refuseMessage(headers);
  if (refused !== undefined) return err(refused);
  const framing = framingOf(headers);
  if (!framing.ok) return framing;
  const split = target.indexOf('?');
  const path = split === -1 ? target : target.slice(0, split);
  const query = split === -1 ? '' : target.slice(split + 1);
  return ok({ method: req.method ?? '', path, query, headers, framing: framing.value });
}
