// Owns the hash chain of audit records: each entry's hash covers its record and the entry before it. Pure.
//
// One chain per writer, which is one open database connection that writes. A writer never goes on with another's chain.
import { hash } from 'node:crypto';
import type { RecordIndex } from './record.ts';

/** The writer of records that were kept before there was a chain; nothing of them is hashed. */
export const UNCHAINED = 'unchained';

/** How far a chain has come. */
export interface ChainHead {
  readonly writer: string;
  /** Of the newest entry; 0 before the first. */
  readonly sequence: number;
  /** Of the newest entry; empty before the first. */
  readonly hash: string;
}

/** One record in its chain. */
export interface AuditEntry extends ChainHead {
  /** The record's JSON text, exactly as it was hashed. */
  readonly body: string;
}

/** An entry with what the store has beside it. */
export interface StoredEntry extends AuditEntry {
  readonly index: RecordIndex;
}

/** The head of a writer that wrote nothing yet. */
export const startOfChain = (writer: string): ChainHead => ({ writer, sequence: 0, hash: '' });

/** The entry that follows `head`: its hash is SHA-256, base64url, of writer, sequence, the hash before and the body, a line each. */
export function appendEntry(head: ChainHead, body: string): AuditEntry {
  const { writer } = head;
  const sequence = head.sequence + 1;
  return { writer, sequence, hash: hash('sha256', `${writer}\n${sequence}\n${head.hash}\n${body}`, 'base64url'), body };
}
