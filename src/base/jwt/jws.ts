// Strict parsing of compact JWS (RFC 7515 §3.1, RFC 8725). It verifies nothing: what it returns is only well-formed.
import { type Claims, type JsonObject, ownMember, stringMember } from '../core/json.ts';
import { MAX_TOKEN_BYTES } from '../core/limits.ts';
import { type Failure, failure } from '../core/reasons.ts';
import { err, ok, type Result } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import { parseJsonObject } from '../json/parse.ts';
import { decodeBase64url } from './base64url.ts';

/** The header members that mean anything here. The others are refused (REFUSED_HEADERS) or ignored (RFC 7515 §4). */
export interface JwsHeader {
  /** As sent; compared with case (RFC 7515 §4.1.1). */
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
}

/** A well-formed compact JWS, its signature not verified. */
export interface CompactJws {
  readonly header: JwsHeader;
  /** The decoded payload. */
  readonly payload: Uint8Array;
  /** The token as sent, which is what a signature is checked over. */
  readonly compact: Secret;
}

/** A well-formed compact JWS whose payload is a JSON object. Neither signature nor claims are verified. */
export interface ParsedJws extends CompactJws {
  readonly claims: Claims;
}

/**
 * Header members that make a token refused as malformed.
 * - `crit`: no extension is understood here (RFC 7515 §4.1.11). `b64`: RFC 7797 §6 needs `crit`.
 * - `jku`, `jwk`, `x5u`, `x5c`: keys come from the issuer's key set, never from the token (RFC 8725 §3.10).
 * - `enc`, `zip`: a JWE, or compressed content (RFC 8725bis §3.3).
 */
const REFUSED_HEADERS = ['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c', 'enc', 'zip'] as const;

/** How long a JWS may be: MAX_TOKEN_BYTES when absent. Only messages of our own servers may be longer than a token. */
export interface JwsSize {
  readonly maxBytes?: number;
}

/**
 * Parses a compact JWS of at most `maxBytes`. Refused: anything but three parts of canonical base64url, a header
 * that is not a strict JSON object, an `alg` that is not a string, `kid` or `typ` of another type, and REFUSED_HEADERS.
 * The payload may be any bytes. Trims nothing; time is linear in the length, and nothing is decoded beyond the bound.
 * Failures: `token_too_large`, `token_malformed`.
 */
export function parseCompactJws(token: string, size: JwsSize = {}): Result<CompactJws, Failure> {
  const maxBytes = size.maxBytes ?? MAX_TOKEN_BYTES;
  if (token.length > maxBytes) {
    return err(failure('token_too_large', `the token has more than ${maxBytes} bytes`));
  }
  // Six parts are as wrong as a million, and cheaper.
  const parts = token.split('.', 6);
  const [headerPart, payloadPart, signaturePart] = parts;
  if (parts.length !== 3 || headerPart === undefined || payloadPart === undefined || signaturePart === undefined) {
    const seen =
      parts.length === 5 ? 'five, as an encrypted token (JWE) has' : parts.length === 6 ? 'more' : parts.length;
    return err(failure('token_malformed', `a compact JWS has three parts; this has ${seen}`));
  }
  const headerBytes = decodeBase64url(headerPart);
  const payload = decodeBase64url(payloadPart);
  if (headerBytes === undefined || payload === undefined || decodeBase64url(signaturePart) === undefined) {
    return err(failure('token_malformed', 'a part of the token is not canonical base64url'));
  }
  const header = readHeader(headerBytes);
  return header.ok ? ok({ header: header.value, payload, compact: new Secret(token) }) : header;
}

/**
 * Parses a JWT: as `parseCompactJws`, and the payload must be a strict JSON object (RFC 7519 §7.2). The claims are NOT
 * verified. Failures: `token_too_large`, `token_malformed`.
 */
export function parseJws(token: string, size: JwsSize = {}): Result<ParsedJws, Failure> {
  const parsed = parseCompactJws(token, size);
  if (!parsed.ok) return parsed;
  const claims = parseJsonObject(parsed.value.payload);
  if (claims.ok) return ok({ ...parsed.value, claims: claims.value });
  const { problem, offset } = claims.error;
  return err(failure('token_malformed', `the payload is not a strict JSON object: ${problem} (byte ${offset})`));
}

function readHeader(bytes: Uint8Array): Result<JwsHeader, Failure> {
  const parsed = parseJsonObject(bytes);
  if (!parsed.ok) {
    const { problem, offset } = parsed.error;
    return err(failure('token_malformed', `the header is not a strict JSON object: ${problem} (byte ${offset})`));
  }
  const header = parsed.value;
  const refused = REFUSED_HEADERS.find((name) => Object.hasOwn(header, name));
  if (refused !== undefined) return err(failure('token_malformed', `the header carries "${refused}"`));
  const alg = stringMember(header, 'alg');
  if (alg === undefined) return err(failure('token_malformed', 'the header has no "alg" string'));
  const kid = optionalString(header, 'kid');
  const typ = optionalString(header, 'typ');
  if (kid === null || typ === null) {
    return err(failure('token_malformed', `the header's "${kid === null ? 'kid' : 'typ'}" is not a string`));
  }
  return ok({ alg, ...(kid === undefined ? {} : { kid }), ...(typ === undefined ? {} : { typ }) });
}

/** The string member `name`; undefined when absent, null when it is of another type. */
function optionalString(object: JsonObject, name: string): string | undefined | null {
  const value = ownMember(object, name);
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : null;
}
