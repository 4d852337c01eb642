// An audit trail as it is read, from a running server or from an exported file, and the shapes of both.
import * as z from 'zod';
import type { ChainHead, StoredEntry } from '../../../base/audit/chain.ts';
import type { ChainState, StoredCheckpoint } from '../../../base/audit/store.ts';

/** Everything that a check needs, each part read when it is asked for. */
export interface Trail {
  /** The URL of the server. */
  readonly issuer: string;
  /** What the server said of its chains before the first entry was read. */
  readonly heads: readonly ChainState[];
  /** Of later records alone: the entry before the first of each chain. */
  readonly from: readonly ChainHead[];
  checkpoints(): AsyncIterable<StoredCheckpoint>;
  /** Each chain's in order. */
  entries(): AsyncIterable<StoredEntry>;
  /** What the server said after the last entry. */
  headsAfter(): Promise<readonly ChainState[]>;
}

const sequence = z.int().nonnegative();

/** A head of a chain. */
export const chainHead: z.ZodType<ChainHead> = z.strictObject({ writer: z.string(), sequence, hash: z.string() });

/** What a server says of a chain. */
export const chainState: z.ZodType<ChainState> = z.strictObject({
  writer: z.string(),
  sequence,
  hash: z.string(),
  pruned: z.strictObject({ sequence, hash: z.string() }),
});

/** What a record is found by. */
export const recordIndex = z.strictObject({
  kind: z.string(),
  id: z.string(),
  at: z.number(),
  tenant: z.string().nullable(),
});

/** An entry as a server answers it. */
export const storedEntry: z.ZodType<StoredEntry> = z.strictObject({
  writer: z.string(),
  sequence,
  hash: z.string(),
  body: z.string(),
  index: recordIndex,
});

/** A checkpoint. */
export const storedCheckpoint: z.ZodType<StoredCheckpoint> = z.strictObject({ at: z.int(), jws: z.string() });
