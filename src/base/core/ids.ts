// Short ids that can be read aloud: a letter for the kind, then Crockford base32 without I, L, O, U.

import type { EpochSeconds } from './time.ts';

/** Crockford's, each character five bits. */
export const ID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 12 characters carry 60 bits. At 10^9 ids a year two are equal every other year; the store refuses the second. */
export const ID_RANDOM_BYTES = 12;
/** How many of the characters tell the second: they come round again after a year and three weeks. */
const TIME_CHARACTERS = 5;

/** What an id is of: J job, D decision, S session, E event, A action. */
export type IdKind = 'J' | 'D' | 'S' | 'E' | 'A';

/** A new id such as `D9XM40KQZ7HT8` from ID_RANDOM_BYTES random bytes. */
export function newId(kind: IdKind, random: Uint8Array): string {
  let id: string = kind;
  for (const byte of random) id += ID_ALPHABET[byte & 31];
  return id;
}

/**
 * As `newId`, led by the time: what is made together lies together in an index, so a store of any size writes few pages for it. No
 * more of them are equal than of random ones, for those of a year fill the same room. Nobody may take one for a secret.
 */
export function newIdAt(kind: IdKind, now: EpochSeconds, random: Uint8Array): string {
  let time = '';
  for (let shift = 5 * (TIME_CHARACTERS - 1); shift >= 0; shift -= 5) time += ID_ALPHABET[(now >>> shift) & 31];
  return kind + time + newId(kind, random).slice(1 + TIME_CHARACTERS);
}

/** How much of an id is shown where people read: the time, and enough to find it again by prefix among those of one second. */
export const shortId = (id: string): string => id.slice(0, 9);
