// The active policies: read at the start, reloaded per file, swapped as one immutable set. It decides nothing.
import { JobpassError } from '../base/core/errors.ts';
import { MAX_POLICY_BYTES } from '../base/core/limits.ts';
import { err, type Result } from '../base/core/result.ts';
import type { MonotonicMs } from '../base/core/time.ts';
import { formatProblems, type Problem } from '../base/document/problem.ts';
import type { Clock } from '../base/ports/clock.ts';
import type { Log } from '../base/ports/log.ts';
import { buildPolicySet, type PolicySet } from '../policy/policy-set.ts';
import { readRole } from '../policy/readers/jobpass.ts';
import type { Ceiling, Role } from '../policy/role.ts';
import type { PolicyFile, PolicySource } from './policy-source.ts';

/** How long the last good version of a broken file stays in force (design, section 5). */
export const BROKEN_GRACE_MS = 10 * 60_000;

const FILE = /^([a-z0-9][a-z0-9-]{0,62})\/[a-z0-9][a-z0-9-]{0,62}\.yaml$/;

/** A file with its last good version. `brokenSince` null: the file as it is now is good. */
interface Entry {
  readonly role: Role;
  readonly brokenSince: MonotonicMs | null;
}

export interface PolicyReloadOptions {
  readonly source: PolicySource;
  readonly ceilings: ReadonlyMap<string, Ceiling>;
  readonly clock: Clock;
  readonly log: Log;
  /** Told after another set became active. */
  readonly onChange: () => void;
}

/** The policies in force. `start` reads them and watches; `current` is what decisions are made by. */
export class ActivePolicies {
  readonly #options: PolicyReloadOptions;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #set: PolicySet = buildPolicySet([]);
  /** When the first of the broken files loses its last good version; null: none is broken. */
  #expiresAt: MonotonicMs | null = null;
  #unwatch: (() => void) | undefined;
  #reloading: Promise<void> | undefined;
  #reloadAgain = false;

  constructor(options: PolicyReloadOptions) {
    this.#options = options;
  }

  /** Reads every file and watches from then on. Throws ERR_POLICIES_INVALID with all problems of all files. */
  async start(): Promise<void> {
    const files = await this.#options.source.list();
    const entries = new Map<string, Entry>();
    const problems: Problem[] = [];
    for (const file of files) {
      const role = readPolicyFile(file, this.#options.ceilings);
      if (role.ok) entries.set(file.path, { role: role.value, brokenSince: null });
      else problems.push(...role.error);
    }
    if (problems.length > 0) throw new JobpassError('ERR_POLICIES_INVALID', formatProblems(problems));
    this.#activate(entries);
    this.#unwatch = this.#options.source.watch(() => void this.reload());
    this.#options.log.info({ roles: this.#set.size, set: this.#set.id }, 'policies are active');
  }

  /** Ends the watching and waits for a reload that is under way. */
  async close(): Promise<void> {
    this.#unwatch?.();
    await this.#reloading;
  }

  /** The active set. A file that stayed broken for too long drops out here, at the moment it is due. */
  current(): PolicySet {
    if (this.#expiresAt !== null && this.#options.clock.monotonicMs() >= this.#expiresAt) {
      this.#activate(this.#entries);
      this.#options.log.warn({ set: this.#set.id }, 'roles of files that stayed broken are off');
    }
    return this.#set;
  }

  /** Reads the files again; calls during a reload cause one more after it. Never rejects. */
  reload(): Promise<void> {
    if (this.#reloading !== undefined) {
      this.#reloadAgain = true;
      return this.#reloading;
    }
    this.#reloading = this.#reloadUntilSettled().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  async #reloadUntilSettled(): Promise<void> {
    do {
      this.#reloadAgain = false;
      await this.#reloadOnce();
    } while (this.#reloadAgain);
  }

  async #reloadOnce(): Promise<void> {
    const { log, source } = this.#options;
    const before = this.#set.id;
    try {
      this.#activate(this.#readAll(await source.list()));
    } catch (error) {
      // What cannot be read is not known to be deleted, nor to be as it was: every file counts as broken from now on.
      log.error({ err: error }, 'the policies could not be read');
      const now = this.#options.clock.monotonicMs();
      const broken = [...this.#entries].map(([path, entry]): [string, Entry] => [path, markBroken(entry, now)]);
      this.#activate(new Map(broken));
    }
    if (this.#set.id !== before) log.info({ roles: this.#set.size, set: this.#set.id }, 'policies changed');
  }

  #readAll(files: readonly PolicyFile[]): ReadonlyMap<string, Entry> {
    const now = this.#options.clock.monotonicMs();
    const entries = new Map<string, Entry>();
    const problems: Problem[] = [];
    for (const file of files) {
      const role = readPolicyFile(file, this.#options.ceilings);
      const before = this.#entries.get(file.path);
      if (role.ok) entries.set(file.path, { role: role.value, brokenSince: null });
      else {
        problems.push(...role.error);
        if (before !== undefined) entries.set(file.path, markBroken(before, now));
      }
    }
    if (problems.length > 0) {
      this.#options.log.error(
        { problems },
        'policy files are broken: their last good versions stay for 10 minutes, then their roles are off',
      );
    }
    return entries;
  }

  /** Makes the entries that are good, or not broken for too long, the active set in one step. */
  #activate(entries: ReadonlyMap<string, Entry>): void {
    const now = this.#options.clock.monotonicMs();
    const kept = [...entries].filter(([, entry]) => !isExpired(entry, now));
    const set = buildPolicySet(kept.map(([, entry]) => entry.role));
    const due = kept.flatMap(([, { brokenSince }]) => (brokenSince === null ? [] : [brokenSince + BROKEN_GRACE_MS]));
    this.#entries = new Map(kept);
    this.#expiresAt = due.length === 0 ? null : Math.min(...due);
    if (set.id === this.#set.id) return;
    this.#set = set;
    this.#options.onChange();
  }
}

const isExpired = (entry: Entry, now: MonotonicMs): boolean =>
  entry.brokenSince !== null && now - entry.brokenSince >= BROKEN_GRACE_MS;

const markBroken = (entry: Entry, now: MonotonicMs): Entry => ({
  role: entry.role,
  brokenSince: entry.brokenSince ?? now,
});

function readPolicyFile(file: PolicyFile, ceilings: ReadonlyMap<string, Ceiling>): Result<Role, readonly Problem[]> {
  const problem = (message: string, hint?: string): Result<never, readonly Problem[]> =>
    err([{ file: file.path, line: 1, column: 1, path: '', message, ...(hint === undefined ? {} : { hint }) }]);
  const tenant = FILE.exec(file.path)?.[1];
  if (tenant === undefined) return problem('wanted <tenant>/<role>.yaml, names of up to 63 of a-z, 0-9 and -');
  const ceiling = ceilings.get(tenant);
  if (ceiling === undefined) return problem(`there is no tenant ${tenant}`, 'list it under sts.tenants');
  if (file.bytes.byteLength > MAX_POLICY_BYTES) return problem(`larger than ${MAX_POLICY_BYTES} bytes`);
  const text = decodeUtf8(file.bytes);
  return text === undefined ? problem('not UTF-8') : readRole({ tenant, file: file.path, text }, ceiling);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
