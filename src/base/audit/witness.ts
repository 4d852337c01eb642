// What a server remembers of its database outside of it, and what that says of the database found. Pure: files are the app's business.
import * as z from 'zod';
import type { Beginning } from '../core/beginning.ts';
import type { EpochSeconds } from '../core/time.ts';
import type { ChainHead } from './chain.ts';

/** How far a database had come when it was last looked at. Whatever it is later, it must hold at least that. */
export interface Witness {
  /** As the store's `history` named it. */
  readonly history: string;
  readonly generation: number;
  /** When it last began anew; null: never. */
  readonly begunAt: EpochSeconds | null;
  /** Its high-water mark. */
  readonly mark: EpochSeconds;
  /** Where the audit chains ended. */
  readonly heads: readonly ChainHead[];
}

/** A database as it is found. */
export interface StoreView {
  readonly history: string;
  readonly beginning: Beginning;
  readonly mark: EpochSeconds;
  readonly heads: readonly ChainHead[];
}

/** Records that were seen in the database and are not in it: `from` to `to`, both included. */
export interface LostRecords {
  readonly writer: string;
  readonly from: number;
  readonly to: number;
}

/** Why a store has to begin anew. */
export type BeginCause = 'restored' | 'history_changed' | 'older_copy' | 'no_witness';

/** How a store stands to its witness. */
export type Standing =
  /** It holds all that was seen in it. */
  | { readonly kind: 'same' }
  /** Somebody began anew since: what this server heard before counts no more. */
  | { readonly kind: 'begun'; readonly lost: readonly LostRecords[] }
  /** It has to begin anew. */
  | { readonly kind: 'anew'; readonly cause: BeginCause; readonly lost: readonly LostRecords[] }
  /** It holds nothing at all, and held something before: more likely another file or an empty disk than a wish. */
  | { readonly kind: 'empty'; readonly lost: readonly LostRecords[] };

/** What a server makes of its database. `witness` undefined: it remembers none. */
export function judgeStore(witness: Witness | undefined, found: StoreView): Standing {
  const lost = witness === undefined ? [] : lostRecords(witness.heads, found.heads);
  if (found.beginning.isRestored) return { kind: 'anew', cause: 'restored', lost };
  const isEmpty = found.mark === 0 && found.heads.length === 0;
  if (witness === undefined) return isEmpty ? { kind: 'same' } : { kind: 'anew', cause: 'no_witness', lost };
  if (isEmpty && (witness.mark > 0 || lost.length > 0)) return { kind: 'empty', lost };
  const isOther = found.history !== witness.history;
  const { generation } = found.beginning;
  if (!isOther && lost.length === 0 && found.mark >= witness.mark && generation >= witness.generation) {
    return generation === witness.generation ? { kind: 'same' } : { kind: 'begun', lost };
  }
  if (hasBegunSince(witness, found)) return { kind: 'begun', lost };
  return { kind: 'anew', cause: isOther ? 'history_changed' : 'older_copy', lost };
}

/** Whether another server began anew for what is found, and late enough to cover all that this one has seen. */
function hasBegunSince(witness: Witness, { beginning, history }: StoreView): boolean {
  const { at } = beginning;
  return at !== null && beginning.history === history && at > (witness.begunAt ?? -1) && at >= witness.mark;
}

function lostRecords(seen: readonly ChainHead[], found: readonly ChainHead[]): readonly LostRecords[] {
  const heads = new Map(found.map((head) => [head.writer, head]));
  return seen.flatMap(({ hash, sequence, writer }) => {
    const head = heads.get(writer);
    const from = (head?.sequence ?? 0) + 1;
    if (from <= sequence) return [{ writer, from, to: sequence }];
    // The same place with another record: what was seen there is gone.
    return head?.sequence === sequence && head.hash !== hash ? [{ writer, from: sequence, to: sequence }] : [];
  });
}

/** What is to be remembered of a database. */
export const witnessOf = ({ beginning, heads, history, mark }: StoreView): Witness => ({
  history,
  generation: beginning.generation,
  begunAt: beginning.at,
  mark,
  heads: heads.map(({ hash, sequence, writer }) => ({ writer, sequence, hash })),
});

const seconds = z.int().nonnegative();
const shape = z.strictObject({
  version: z.literal(1),
  history: z.string(),
  generation: z.int().nonnegative(),
  begunAt: seconds.nullable(),
  mark: seconds,
  heads: z.array(z.strictObject({ writer: z.string(), sequence: z.int().nonnegative(), hash: z.string() })),
});

/** As it stands in a file. */
export const encodeWitness = (witness: Witness): string => `${JSON.stringify({ version: 1, ...witness })}\n`;

/** Undefined for whatever is no whole witness. */
export function decodeWitness(text: string): Witness | undefined {
  try {
    const { version: _, ...witness } = shape.parse(JSON.parse(text));
    return witness;
  } catch {
    return undefined;
  }
}
