// Reads the audit trail of a running server, page by page, over its operators' socket.
import * as z from 'zod';
import type { StoredEntry } from '../../../base/audit/chain.ts';
import type { CheckpointKey } from '../../../base/audit/own-checkpoints.ts';
import type { ChainState, StoredCheckpoint } from '../../../base/audit/store.ts';
import type { JsonObject } from '../../../base/core/json.ts';
import { CommandFailure, EXIT } from '../command.ts';
import { askOperator, type OperatorCredential } from '../operator.ts';
import { refusalText } from '../operator-refusal.ts';
import { chainState, storedCheckpoint, storedEntry, type Trail } from './trail.ts';

/** A route of `/admin/v1/audit`, its answer read as `shape`. Ends the command when the server refuses. */
export async function askAudit<T>(
  credential: OperatorCredential,
  asked: { readonly path: string; readonly post?: JsonObject },
  shape: z.ZodType<T>,
): Promise<T> {
  const { body, status } = await askOperator(credential, `/admin/v1/audit/${asked.path}`, asked.post);
  const parsed = status === 200 ? shape.safeParse(body) : undefined;
  if (parsed?.success === true) return parsed.data;
  if (status === 200)
    throw new CommandFailure('the server gave an answer that cannot be read', { exitCode: EXIT.unavailable });
  const message = refusalText(body);
  if (status === 403)
    throw new CommandFailure(message, {
      exitCode: EXIT.denied,
      hint: 'the operator’s entry under clients needs `audit: true`',
    });
  throw new CommandFailure(message, { exitCode: status === 503 ? EXIT.unavailable : EXIT.failed });
}

const headsAnswer = z.strictObject({ issuer: z.string(), heads: z.array(chainState) });
const entriesAnswer = z.strictObject({ entries: z.array(storedEntry) });
const checkpointsAnswer = z.strictObject({ checkpoints: z.array(storedCheckpoint) });
const keysAnswer = z.strictObject({
  keys: z.array(z.strictObject({ state: z.string(), jwk: z.record(z.string(), z.json()) })),
});

/** Every key that the server's checkpoints may be signed by. */
export async function readKeys(credential: OperatorCredential): Promise<readonly CheckpointKey[]> {
  return (await askAudit(credential, { path: 'keys' }, keysAnswer)).keys;
}

/** The trail of the server that `credential` is for. */
export async function serverTrail(credential: OperatorCredential): Promise<Trail> {
  const readHeads = () => askAudit(credential, { path: 'heads' }, headsAnswer);
  const { heads, issuer } = await readHeads();
  return {
    issuer,
    heads,
    from: [],
    checkpoints: () => checkpointsOf(credential),
    entries: () => entriesOf(credential, heads),
    headsAfter: async () => (await readHeads()).heads,
  };
}

async function* entriesOf(
  credential: OperatorCredential,
  heads: readonly ChainState[],
): AsyncGenerator<StoredEntry, void> {
  for (const { writer } of heads) {
    for (let after = 0; ; ) {
      const path = `entries/${encodeURIComponent(writer)}/${after}`;
      const { entries } = await askAudit(credential, { path }, entriesAnswer);
      const last = entries.at(-1);
      if (last === undefined) break;
      yield* entries;
      after = last.sequence;
    }
  }
}

async function* checkpointsOf(credential: OperatorCredential): AsyncGenerator<StoredCheckpoint, void> {
  for (let after = 0; ; ) {
    const { checkpoints } = await askAudit(credential, { path: `checkpoints/${after}` }, checkpointsAnswer);
    const last = checkpoints.at(-1);
    if (last === undefined) return;
    yield* checkpoints;
    after = last.at;
  }
}
