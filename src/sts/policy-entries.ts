// The policy files of one reload as entries: read anew where they changed, in their last good version where they are broken. Which
// of them make the active set is policy-reload's business.
import type { MonotonicMs } from '../base/core/time.ts';
import type { Problem } from '../base/document/problem.ts';
import type { Clock } from '../base/ports/clock.ts';
import { RolePool } from '../policy/readers/role-pool.ts';
import { type Ceiling, type CloudName, cloudNames } from '../policy/role.ts';
import { breathing } from './breath.ts';
import { contestedFiles } from './policy-claims.ts';
import { isUnchanged, type ReadRoleFile, readPolicyFile } from './policy-files.ts';
import type { PolicyFile, PolicySource } from './policy-source.ts';

/** How long the last good version of a broken file stays in force (design, section 5). */
export const BROKEN_GRACE_MS = 10 * 60_000;

/** A file with its last good version. `brokenSince` null: the file as it is now is good. */
export interface Entry extends ReadRoleFile {
  readonly brokenSince: MonotonicMs | null;
}

/** By path. */
export type Entries = ReadonlyMap<string, Entry>;

export const isExpired = (entry: Entry, now: MonotonicMs): boolean =>
  entry.brokenSince !== null && now - entry.brokenSince >= BROKEN_GRACE_MS;

export const markBroken = (entry: Entry, now: MonotonicMs): Entry => ({
  ...entry,
  brokenSince: entry.brokenSince ?? now,
});

export interface ReadEntriesOptions {
  readonly source: PolicySource;
  readonly ceilings: ReadonlyMap<string, Ceiling>;
  readonly clock: Clock;
  /** The entries as they are before. */
  readonly inForce: Entries;
}

/**
 * Every file, its last good version where it is broken, or claims what is another file's. What is as it was is not read again. The
 * problems are in the order of the files. Never rejects.
 */
export async function readEntries(
  files: readonly PolicyFile[],
  options: ReadEntriesOptions,
): Promise<{ entries: Entries; problems: readonly Problem[] }> {
  const { ceilings, clock, inForce, source } = options;
  const read = (path: string): Promise<Uint8Array | undefined> => source.read(path);
  const deps = { read, ceilings, pool: new RolePool() };
  const breathe = breathing(clock);
  const reading = new Reading(inForce, clock.monotonicMs());
  for (const file of files) {
    await breathe();
    const before = inForce.get(file.path);
    if (before !== undefined && (await isUnchanged(file, before.source, read))) {
      reading.keep(file.path, before);
      continue;
    }
    const role = await readPolicyFile(file, deps);
    if (role.ok) reading.take(file.path, role.value);
    else reading.fallBack(file.path, role.error);
  }
  const contested = await contestedFiles(reading, breathe);
  for (const [path, problem] of contested) reading.fallBack(path, [problem]);
  const problems = reading.problems.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  return { entries: reading.entries, problems };
}

/** Gathers the entries of one reload, and what the clouds' clients call their roles. */
class Reading {
  readonly entries = new Map<string, Entry>();
  readonly problems: Problem[] = [];
  readonly staying = new Map<string, readonly CloudName[]>();
  readonly fresh = new Map<string, readonly CloudName[]>();
  readonly #inForce: Entries;
  readonly #now: MonotonicMs;

  constructor(inForce: Entries, now: MonotonicMs) {
    this.#inForce = inForce;
    this.#now = now;
  }

  /** The file is as it was, so it is good. */
  keep(path: string, entry: Entry): void {
    this.entries.set(path, entry.brokenSince === null ? entry : { ...entry, brokenSince: null });
    this.staying.set(path, cloudNames(entry.role));
  }

  /** The file was read anew, and by itself it is good. */
  take(path: string, file: ReadRoleFile): void {
    this.entries.set(path, { ...file, brokenSince: null });
    this.fresh.set(path, cloudNames(file.role));
  }

  /** The file is broken: its last good version stays, if it had one. */
  fallBack(path: string, problems: readonly Problem[]): void {
    this.problems.push(...problems);
    const before = this.#inForce.get(path);
    const names = this.before(path);
    if (before === undefined) this.entries.delete(path);
    else this.entries.set(path, markBroken(before, this.#now));
    this.staying.set(path, names);
  }

  /** What the clouds' clients call the role that is in force for this file. */
  before(path: string): readonly CloudName[] {
    const entry = this.#inForce.get(path);
    return entry === undefined || isExpired(entry, this.#now) ? [] : cloudNames(entry.role);
  }
}
