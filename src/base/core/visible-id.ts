// What an id that others chose may look like, wherever one comes in: in a token, in an event, from an operator.

/** No id needs more. */
export const MAX_ID_CHARS = 255;

/**
 * Whether this is an id of 1 to MAX_ID_CHARS visible ASCII characters. So every store can keep it, byte for byte (PostgreSQL's texts cannot hold
 * NUL), and no log, pattern or terminal reads it otherwise than it is.
 */
export const isVisibleId = (text: string): boolean => text.length <= MAX_ID_CHARS && /^[\x21-\x7e]+$/.test(text);
