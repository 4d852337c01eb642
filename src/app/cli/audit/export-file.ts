// An exported trail: JSON Lines. One line says whose it is, one for each checkpoint and each record, and one ends it.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import type { ChainHead, StoredEntry } from '../../../base/audit/chain.ts';
import { readIndex } from '../../../base/audit/record.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../base/core/json.ts';
import { CommandFailure, EXIT } from '../command.ts';
import { chainHead, chainState, recordIndex, storedCheckpoint, type Trail } from './trail.ts';

/** Only records from `since` on, epoch milliseconds, each chain's from the first such one; null: all. */
export async function* exportLines(trail: Trail, since: number | null): AsyncGenerator<string, void> {
  const { heads, issuer } = trail;
  yield JSON.stringify({ export: { issuer, since, heads } });
  for await (const checkpoint of trail.checkpoints()) yield JSON.stringify({ checkpoint });
  // The last entry of a chain that is older; told where the chain goes on, or where it turned out to end.
  let skipped: ChainHead | undefined;
  let begun: string | undefined;
  for await (const entry of trail.entries()) {
    const { hash, index, sequence, writer } = entry;
    if (skipped !== undefined && skipped.writer !== writer) yield JSON.stringify({ from: skipped });
    if (skipped?.writer !== writer) skipped = undefined;
    if (begun !== writer && since !== null && index.at < since) {
      skipped = { writer, sequence, hash };
      continue;
    }
    if (skipped !== undefined) yield JSON.stringify({ from: skipped });
    skipped = undefined;
    begun = writer;
    yield JSON.stringify(entryLine(entry));
  }
  if (skipped !== undefined) yield JSON.stringify({ from: skipped });
  yield JSON.stringify({ end: { heads: await trail.headsAfter() } });
}

/** The record as JSON; its text where that is another one, and the index where that contradicts it. */
export function entryLine({ body, hash, index, sequence, writer }: StoredEntry): JsonObject {
  const said = readIndex(body);
  const isIndexed =
    said !== undefined &&
    said.kind === index.kind &&
    said.id === index.id &&
    said.at === index.at &&
    said.tenant === index.tenant;
  const record = parsed(body);
  const what = JSON.stringify(record) === body && record !== undefined ? { record } : { body };
  return { writer, sequence, hash, ...what, ...(isIndexed ? {} : { index: { ...index } }) };
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const exportLine = z.strictObject({
  export: z.strictObject({ issuer: z.string(), since: z.number().nullable(), heads: z.array(chainState) }),
});
const checkpointLine = z.strictObject({ checkpoint: storedCheckpoint });
const fromLine = z.strictObject({ from: chainHead });
const endLine = z.strictObject({ end: z.strictObject({ heads: z.array(chainState) }) });
const entryShape = z.object({
  writer: z.string(),
  sequence: z.int().nonnegative(),
  hash: z.string(),
  body: z.string().optional(),
  index: recordIndex.optional(),
});

/** The trail in a file, which is read twice so that it need not fit into memory. Ends the command when it is no export. */
export async function fileTrail(path: string): Promise<Trail> {
  const notOne = (): CommandFailure =>
    new CommandFailure(`${path} is not an exported audit trail`, {
      exitCode: EXIT.usage,
      hint: 'jobpass audit export --format jsonl > FILE',
    });
  let head: z.infer<typeof exportLine>['export'] | undefined;
  let end: z.infer<typeof endLine>['end'] | undefined;
  const from: ChainHead[] = [];
  const checkpoints: z.infer<typeof storedCheckpoint>[] = [];
  for await (const line of linesOf(path)) {
    if (head === undefined) head = exportLine.safeParse(line).data?.export;
    if (head === undefined) throw notOne();
    end = endLine.safeParse(line).data?.end;
    const before = fromLine.safeParse(line).data?.from;
    if (before !== undefined) from.push(before);
    const checkpoint = checkpointLine.safeParse(line).data?.checkpoint;
    if (checkpoint !== undefined) checkpoints.push(checkpoint);
  }
  if (head === undefined) throw notOne();
  if (end === undefined)
    throw new CommandFailure(`${path} ends before the export did: what is missing from it cannot be told`);
  const { heads, issuer } = head;
  const after = end.heads;
  return {
    issuer,
    heads,
    from,
    checkpoints: async function* () {
      yield* checkpoints;
    },
    entries: () => entriesOf(path),
    headsAfter: async () => after,
  };
}

async function* entriesOf(path: string): AsyncGenerator<StoredEntry, void> {
  for await (const line of linesOf(path)) {
    const entry = readEntry(line);
    if (entry !== undefined) yield entry;
  }
}

function readEntry(line: JsonValue | undefined): StoredEntry | undefined {
  const parsedLine = entryShape.safeParse(line);
  if (!parsedLine.success || !isJsonObject(line)) return undefined;
  const { hash, index, sequence, writer } = parsedLine.data;
  // From the line itself: the schema would drop a member named `__proto__`.
  const body = parsedLine.data.body ?? JSON.stringify(line.record);
  if (body === undefined) return undefined;
  const said = index ?? readIndex(body) ?? { kind: '', id: '', at: 0, tenant: null };
  return { writer, sequence, hash, body, index: said };
}

async function* linesOf(path: string): AsyncGenerator<JsonValue | undefined, void> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) yield parsed(line);
  } catch (cause) {
    throw new CommandFailure(`${path} cannot be read`, {
      exitCode: EXIT.usage,
      hint: cause instanceof Error && 'code' in cause ? String(cause.code) : undefined,
    });
  }
}
