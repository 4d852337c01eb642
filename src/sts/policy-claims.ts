// What at most one policy file may say at a time: the ARN of its role. It settles which files of a reload may, and reads none.
import type { Problem } from '../base/document/problem.ts';
import type { AwsName } from '../policy/role.ts';
import { drainSlowly, sortInSteps } from '../policy/sort-steps.ts';

/** The files of a reload whose role has an ARN: those that stay as they were, and those that were read anew. */
export interface Claimants {
  /** In force now and to stay so. No two of them claim the same: they stood beside each other before. */
  readonly staying: ReadonlyMap<string, AwsName>;
  /** Of two that claim the same, the one whose path sorts first has it. */
  readonly fresh: ReadonlyMap<string, AwsName>;
  /** What is in force now of a fresh file; it stays when the new version may not be. */
  before(path: string): AwsName | undefined;
}

/**
 * The fresh files whose role claims the ARN of another file's, each with its problem. Whoever has an ARN keeps it: also a file that
 * falls back to its last good version because of its own refusal here. Awaits `breathe` now and then.
 */
export async function contestedFiles(
  claimants: Claimants,
  breathe: () => Promise<void> | undefined,
): Promise<ReadonlyMap<string, Problem>> {
  const refused = new Map<string, Problem>();
  const holders = new Map<string, string>();
  for (const [path, { key }] of claimants.staying) {
    await breathe();
    holders.set(key, path);
  }
  const fresh = await drainSlowly(sortInSteps([...claimants.fresh], byPath), breathe);
  // Each round refuses at least one more file; what falls back may take an ARN from one that was let through before.
  for (let round = -1; round < refused.size; ) {
    round = refused.size;
    const taken = new Map<string, string>();
    for (const [path, name] of fresh) {
      await breathe();
      if (refused.has(path)) continue;
      const holder = holders.get(name.key) ?? taken.get(name.key);
      if (holder === undefined) taken.set(name.key, path);
      else {
        refused.set(path, problemOf(path, name, holder));
        const before = claimants.before(path);
        if (before !== undefined) holders.set(before.key, path);
      }
    }
  }
  return refused;
}

const byPath = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

const problemOf = (file: string, { line, column }: AwsName, holder: string): Problem => ({
  file,
  line,
  column,
  path: 'aws.role_arn',
  message: `${holder} has this account and role name`,
  hint: 'AWS knows a role of one account by its name alone, whatever its path and case',
});
