// The tokens by which the listings of object stores go on, whatever each protocol calls them.
import { decodeBase64url, encodeBase64url } from '../base/jwt/base64url.ts';

/** Says that what follows is the entry after which to go on. */
const TOKEN_VERSION = '1';

/** An opaque token for the entry after which a listing goes on. It is no secret: the same prefix is asked for, and permitted, again. */
export const encodeListingToken = (after: string): string => encodeBase64url(`${TOKEN_VERSION}${after}`);

/** The entry that a token names; undefined for a text that is no token. */
export function decodeListingToken(token: string): string | undefined {
  const bytes = decodeBase64url(token);
  if (bytes === undefined) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.startsWith(TOKEN_VERSION) && !text.includes('\0') ? text.slice(TOKEN_VERSION.length) : undefined;
  } catch {
    return undefined;
  }
}
