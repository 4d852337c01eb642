// Owns following the chains of all writers: the newest entries, then everything after them, each once.
import type { StoredEntry } from './chain.ts';
import type { AuditStore, TenantFilter } from './store.ts';

/** How far each chain was told; a writer that is not in it from its beginning. */
export type TailCursor = ReadonlyMap<string, number>;

export interface TailRequest {
  readonly limit: number;
  /** Null: the newest ones. */
  readonly after: TailCursor | null;
  /** Of these tenants alone; what else there is counts as told. */
  readonly only: TenantFilter | undefined;
}

export interface Tail {
  /** Oldest first. */
  readonly entries: readonly StoredEntry[];
  readonly after: TailCursor;
}

/** The entries and where to go on. Of those after a cursor at most `limit` are read, so that more may follow at once. */
export async function tail(store: AuditStore, { after, limit, only }: TailRequest): Promise<Tail> {
  const heads = await store.listHeads();
  if (after === null) {
    const told = new Map(heads.map(({ sequence, writer }) => [writer, sequence]));
    const newest = await store.listNewestEntries(limit, only);
    // What came after the heads were read comes with the next call.
    const entries = newest.filter((entry) => entry.sequence <= (told.get(entry.writer) ?? 0));
    return { entries: entries.toReversed(), after: told };
  }
  const told = new Map(after);
  const found: StoredEntry[] = [];
  for (const { sequence, writer } of heads) {
    const from = told.get(writer) ?? 0;
    if (sequence <= from || found.length >= limit) continue;
    const entries = await store.listEntries(writer, from, limit - found.length);
    found.push(...entries);
    told.set(writer, entries.at(-1)?.sequence ?? sequence);
  }
  const readable = found.filter(({ index }) => isOf(index.tenant, only));
  return { entries: readable.toSorted((a, b) => a.index.at - b.index.at), after: told };
}

const isOf = (tenant: string | null, only: TenantFilter | undefined): boolean =>
  only === undefined || (tenant !== null && only.tenants.includes(tenant));
