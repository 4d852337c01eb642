// What the storage measurement has in common for all engines: its sizes, and grants as an STS makes them.
import { randomBytes, randomUUID } from 'node:crypto';
import { ID_RANDOM_BYTES, newIdAt } from '../src/base/core/ids.ts';
import { grantedRecord, grantOf, ISSUER, NOW } from '../src/storage/conformance/fixtures.ts';
import type { StsStore } from '../src/sts/store.ts';

export const AUDIT_ROWS = Number(process.env.JOBPASS_BENCH_AUDIT_ROWS ?? 10_000_000);
export const LIVE_USES = Number(process.env.JOBPASS_BENCH_LIVE_USES ?? 1_000_000);
/** An issuer's tokens live ten minutes: used ones expire within as many seconds from now on. */
export const USE_LIFETIME_SECONDS = 600;
/** A million jobs an hour. */
export const GRANTS_PER_SECOND = 280;

/** Two open stores of one engine: the one has what the sizes say, the other nothing. */
export interface Pair {
  readonly full: Pick<StsStore, 'grant'>;
  readonly empty: Pick<StsStore, 'grant'>;
  readonly gigabytes: number;
  /** Closes both and removes what they left. */
  close(): Promise<void>;
}

/** As the STS makes them. */
export const idAt = (kind: 'D' | 'S', second: number): string => newIdAt(kind, second, randomBytes(ID_RANDOM_BYTES));

/** The body of a grant's record, in two parts: the record's id comes between them. */
export function recordAround(): readonly [head: string, tail: string] {
  const [head = '', tail = ''] = JSON.stringify({ kind: 'decision', ...grantedRecord('@') }).split('"D@"');
  return [`${head}"`, `"${tail}`];
}

/** Grants of single-use tokens. */
export function grantsOn(store: Pick<StsStore, 'grant'>): () => Promise<void> {
  return async () => {
    const now = NOW + Math.floor(performance.now() / 1000);
    const [sessionId, decisionId] = [idAt('S', now), idAt('D', now)];
    const exp = NOW + USE_LIFETIME_SECONDS;
    const grant = grantOf(sessionId, {
      session: { id: sessionId, decisionId },
      uses: [{ exp, iss: ISSUER, jti: randomUUID() }],
    });
    const outcome = await store.grant({ ...grant, record: { ...grant.record, id: decisionId, sessionId } });
    if (outcome !== 'granted') throw new Error(outcome);
  };
}
