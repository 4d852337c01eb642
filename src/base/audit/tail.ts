// Owns following the chains of all writers: the newest entries, then everything after them, each once.
import type { StoredEntry } from './chain.ts';
import type { AuditStore, TenantFilter } from './store.ts';

/** How far each chain was told; a writer that is not in it from its beginning. */
export type TailCursor = ReadonlyMap<string, number>;

/** Which records are wanted. */
export interface TailRequest {
  readonly limit: number;
  /** Null: the newest ones. */
  readonly after: TailCursor | null;
  /** Of these tenants alone; what else there is counts as told. */
  readonly only: TenantFilter | undefined;
  /** Of all texts together; one larger record goes alone. */
  readonly maxChars: number;
}

/** The records, and where to go on. */
export interface Tail {
  /** Oldest first. */
  readonly entries: readonly StoredEntry[];
  readonly after: TailCursor;
}

/** The entries and where to go on. Of those after a cursor at most `limit` are read, so that more may follow at once. */
export async function tail(store: AuditStore, { after, limit, maxChars, only }: TailRequest): Promise<Tail> {
  const heads = await store.listHeads();
  if (after === null) {
    const told = new Map(heads.map(({ sequence, writer }) => [writer, sequence]));
    const newest = await store.listNewestEntries(limit, only);
    // What came after the heads were read comes with the next call.
    const entries = newest.filter((entry) => entry.sequence <= (told.get(entry.writer) ?? 0));
    return { entries: withinChars(entries, maxChars).toReversed(), after: told };
  }
  const told = new Map(after);
  let found: readonly StoredEntry[] = [];
  for (const { sequence, writer } of heads) {
    const from = told.get(writer) ?? 0;
    if (sequence <= from || found.length >= limit) continue;
    const entries = await store.listEntries(writer, from, limit - found.length);
    const all = [...found, ...entries];
    const fitting = withinChars(all, maxChars);
    // What does not fit any more is told by the next call.
    const last = fitting.slice(found.length).at(-1);
    told.set(writer, last?.sequence ?? (entries.length === 0 ? sequence : from));
    found = fitting;
    if (fitting.length < all.length) break;
  }
  const readable = found.filter(({ index }) => isOf(index.tenant, only));
  return { entries: readable.toSorted((a, b) => a.index.at - b.index.at), after: told };
}

const isOf = (tenant: string | null, only: TenantFilter | undefined): boolean =>
  only === undefined || (tenant !== null && only.tenants.includes(tenant));

/** The first of them whose texts have no more characters together, and at least one. */
export function withinChars(entries: readonly StoredEntry[], maxChars: number): readonly StoredEntry[] {
  let chars = 0;
  return entries.filter((entry, index) => {
    chars += entry.body.length;
    return index === 0 || chars <= maxChars;
  });
}
