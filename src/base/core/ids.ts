// Short ids that can be read aloud: a letter for the kind, then Crockford base32 without I, L, O, U.

/** Crockford's, each character five bits. */
export const ID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 12 characters carry 60 bits: at 10^10 ids a year, a collision (refused by the store) is a once-in-decades event. */
export const ID_RANDOM_BYTES = 12;

/** What an id is of: J job, D decision, S session, E event, A action. */
export type IdKind = 'J' | 'D' | 'S' | 'E' | 'A';

/** A new id such as `D9XM40KQZ7HT8` from ID_RANDOM_BYTES random bytes. */
export function newId(kind: IdKind, random: Uint8Array): string {
  let id: string = kind;
  for (const byte of random) id += ID_ALPHABET[byte & 31];
  return id;
}

/** How much of an id is shown where people read: enough to find it again by prefix. */
export const shortId = (id: string): string => id.slice(0, 6);
