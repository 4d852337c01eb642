// Whose an upload is: what clients hold of one is bound to who began it. It keeps nothing; the store knows no owners.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../base/core/secret.ts';
import type { CarriedSession } from '../../base/credential/carried-session.ts';

/**
 * Who an upload belongs to: the role in the job, so that a job goes on with its upload after it fetched new credentials; without
 * a job, the session alone.
 */
export const uploadOwner = ({ role, jobIssuer, jobId, sessionId }: CarriedSession): string =>
  JSON.stringify(jobId === null ? ['session', role, sessionId] : ['job', role, jobIssuer, jobId]);

/** A MAC over `parts` in base64url, good for `purpose` alone: it keeps this use of the group key apart from every other. */
export function purposeMac(groupKey: Secret<Uint8Array>, purpose: string, parts: readonly string[]): string {
  const own = createHmac('sha256', groupKey.reveal()).update(purpose).digest();
  return createHmac('sha256', own).update(JSON.stringify(parts)).digest('base64url');
}

/** Whether a presented MAC is the wanted one. Compared as text: decoders take several spellings for the same bytes. */
export function isSameText(presented: string, wanted: string): boolean {
  const [given, own] = [Buffer.from(presented), Buffer.from(wanted)];
  return given.length === own.length && timingSafeEqual(given, own);
}
