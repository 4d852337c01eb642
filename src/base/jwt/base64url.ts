// base64url without padding (RFC 7515 §2), in its one canonical spelling.

/** Encodes bytes, or a string's UTF-8, without padding. */
export function encodeBase64url(data: Uint8Array | string): string {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : toBuffer(data);
  return bytes.toString('base64url');
}

/**
 * Decodes canonical base64url; undefined for anything else: padding, white space, the `+/` alphabet, other characters,
 * a length that no bytes have, unused bits that are not zero. So every byte string has exactly one accepted spelling,
 * and no second token text stands for the same token.
 */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

const toBuffer = (data: Uint8Array): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
