// What at most one policy file may say at a time: what a cloud's clients call its role. It settles which files of a reload may, and
// reads none.
import type { Problem } from '../base/document/problem.ts';
import type { CloudName } from '../policy/role.ts';
import { drainSlowly, sortInSteps } from '../policy/sort-steps.ts';

/** The files of a reload whose roles have names in a cloud: those that stay as they were, and those that were read anew. */
export interface Claimants {
  /** In force now and to stay so. No two of them claim the same: they stood beside each other before. */
  readonly staying: ReadonlyMap<string, readonly CloudName[]>;
  /** Of two that claim the same, the one whose path sorts first has it. */
  readonly fresh: ReadonlyMap<string, readonly CloudName[]>;
  /** What is in force now of a fresh file; it stays when the new version may not be. */
  before(path: string): readonly CloudName[];
}

/**
 * The fresh files whose role claims a name of another file's, each with its problem. Whoever has a name keeps it: also a file that
 * falls back to its last good version because of its own refusal here. Awaits `breathe` now and then.
 */
export async function contestedFiles(
  claimants: Claimants,
  breathe: () => Promise<void> | undefined,
): Promise<ReadonlyMap<string, Problem>> {
  const refused = new Map<string, Problem>();
  const holders = new Map<string, string>();
  for (const [path, names] of claimants.staying) {
    await breathe();
    take(holders, path, names);
  }
  const fresh = await drainSlowly(sortInSteps([...claimants.fresh], byPath), breathe);
  // Each round refuses at least one more file; what falls back may take a name from one that was let through before.
  for (let round = -1; round < refused.size; ) {
    round = refused.size;
    const taken = new Map<string, string>();
    for (const [path, names] of fresh) {
      await breathe();
      if (refused.has(path)) continue;
      const contested = firstHeld(names, [holders, taken]);
      if (contested === undefined) take(taken, path, names);
      else {
        refused.set(path, problemOf(path, contested));
        take(holders, path, claimants.before(path));
      }
    }
  }
  return refused;
}

/** Which file has which name, by its key. */
type Holders = Map<string, string>;

function take(holders: Holders, path: string, names: readonly CloudName[]): void {
  for (const { key } of names) holders.set(key, path);
}

interface Contested {
  readonly name: CloudName;
  readonly holder: string;
}

function firstHeld(names: readonly CloudName[], all: readonly Holders[]): Contested | undefined {
  for (const name of names) {
    const [holder] = all.flatMap((holders) => holders.get(name.key) ?? []);
    if (holder !== undefined) return { name, holder };
  }
  return undefined;
}

const byPath = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

function problemOf(file: string, { name, holder }: Contested): Problem {
  const { cloud, column, line } = name;
  const place = { file, line, column };
  if (cloud === 'aws') {
    const hint = 'AWS knows a role of one account by its name alone, whatever its path and case';
    return { ...place, path: 'aws.role_arn', message: `${holder} has this account and role name`, hint };
  }
  if (cloud === 'azure') {
    const hint = 'Azure clients name the tenant and the application, and both together are one role';
    return { ...place, path: 'azure.client_id', message: `${holder} has this tenant and client id`, hint };
  }
  const isAlone = name.serviceAccount === null;
  const message = `${holder} has this provider ${isAlone ? 'without a' : 'with this'} service account`;
  const hint = 'Google Cloud clients name the provider, and the service account if they take one on';
  return { ...place, path: 'gcp.provider', message, hint };
}
